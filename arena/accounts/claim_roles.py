"""What the claims of a provider make of an account: its role, its stored subject, and a name for the audit trail."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from arena.accounts.accounts import NAME, canonical_name
from arena.accounts.id_token import Claims
from arena.config import SignInSettings
from arena.rules.roles import Role

LONGEST_NAME = 52  # characters, so that a number fits behind it
EMAIL = "email"


def stored_subject(claims: Claims) -> str:
    """The subject as a hash: the database recognises who signs in again, and has no name at the provider."""
    return hashlib.sha256(f"arena sign-in {claims.issuer} {claims.subject}".encode()).hexdigest()


def role_of(claims: Claims, settings: SignInSettings) -> Role | None:
    """The role that the claim of the settings gives; None where the settings give none to anybody.

    Values are compared whole. An e-mail address counts only if the provider has verified it.
    """
    if not settings.reviewers and not settings.operators:
        return None
    values = _values(claims.values, settings.role_claim)
    if settings.role_claim == EMAIL and claims.values.get("email_verified") is not True:
        values = frozenset()
    if values & set(settings.operators):
        return Role.OPERATOR
    return Role.REVIEWER if values & set(settings.reviewers) else Role.VOTER


def name_of(claims: Claims, role: Role) -> str:
    """The name of an account: of a reviewer or operator their name at the provider, of a voter a random one."""
    if role is not Role.VOTER:
        for claim in ("preferred_username", "name"):
            given = str(claims.values.get(claim) or "").partition("@")[0]  # no e-mail address is stored
            name = canonical_name(given).replace(" ", ".")[:LONGEST_NAME]
            if NAME.fullmatch(name):
                return name
    return f"{role}-{secrets.token_hex(6)}"


def _values(values: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The texts of a claim, one or a list. `realm_access.roles` is the claim of that name, or `roles` in `realm_access`."""
    found: Any = values.get(claim)
    if found is None and "." in claim:
        found = values
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    given = found if isinstance(found, list) else [found]
    return frozenset(value for value in given if isinstance(value, str))
