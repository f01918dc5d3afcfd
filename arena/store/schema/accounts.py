"""Tables of accounts: who may enter `/admin` and `/review`, their sessions, and the audit trail of what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class Account(SQLModel, table=True):
    """A person with a role. Accounts are disabled, never deleted: the audit trail names them."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("oidc_issuer", "oidc_subject"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=60, unique=True)
    role: str = Field(max_length=10)
    password_hash: str | None = Field(default=None, max_length=200)  # null: the account has no password
    oidc_issuer: str | None = Field(default=None, max_length=300)
    oidc_subject: str | None = Field(default=None, max_length=300)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class AccountSession(SQLModel, table=True):
    """A session of an account. The token itself is only in the cookie."""

    __tablename__ = "account_session"
    token_sha256: str = Field(primary_key=True, max_length=64)
    account_id: int = Field(foreign_key="account.id", index=True)
    csrf: str = Field(max_length=64)  # a secret that each form of the session sends
    message: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))  # for the next page
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class AuditEntry(SQLModel, table=True):
    """One action. Triggers of the database refuse every change and deletion."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("audit_entry_actor", "actor", "id"),
        Index("audit_entry_action", "action", "id"),
        Index("audit_entry_target", "target", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    actor: str = Field(max_length=120)
    role: str = Field(max_length=10)
    action: str = Field(max_length=40)
    target: str = Field(default="", max_length=200)
    reason: str = Field(default="", sa_type=Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    address: str | None = Field(default=None, max_length=60)
