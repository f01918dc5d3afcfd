"""Tables of sign-in by a provider: the voters of an account, and the replies of the provider that were used."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class AccountVoter(SQLModel, table=True):
    """A voter who signed in as an account. The first is the account's voter; others were voters in other browsers."""

    __tablename__ = "account_voter"
    voter: str = Field(primary_key=True, max_length=64)
    account_id: int = Field(foreign_key="account.id", index=True)
    is_main: bool
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class UsedSignIn(SQLModel, table=True):
    """A sign-in that ended, by the hash of its state: the same reply of the provider is not taken twice.

    Also a hash of the subject of an account whose data were deleted, with the end of that day as its time.
    """

    __tablename__ = "used_sign_in"
    state: str = Field(primary_key=True, max_length=64)
    used_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
