"""Passwords: Argon2id hashes (RFC 9106), and which passwords are refused (NIST SP 800-63B, section 3.1.1.2)."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from arena.rules.messages import TranslatableError, gettext_noop

SHORTEST, LONGEST = 12, 200  # characters; no rule on which ones, as NIST advises
LEAST_DIFFERENT = 5  # characters: neither "aaaaaaaaaaaa" nor "121212121212"
# The first choice of OWASP's Password Storage Cheat Sheet: 46 MiB, one pass, one lane; 50 ms of one core. Two at once: a
# flood of attempts takes 92 MiB and two cores, and no more.
_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_AT_ONCE = BoundedSemaphore(2)
# Attempts that compute or wait. Each holds a thread, of which all pages together have 40: one more is refused.
_PLACES = BoundedSemaphore(8)


class PasswordRefused(TranslatableError):
    """The new password was not accepted; nothing changed."""


class TooManyAttempts(Exception):
    """So many passwords are being compared that this one was not."""


def check_password(name: str, password: str) -> None:
    """Raises `PasswordRefused` for a password that is too short, too long or too easy to guess."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordRefused(
            "The password has {count:,} characters. Use {least} to {most}.",
            count=len(password),
            least=SHORTEST,
            most=LONGEST,
        )
    if not password.isprintable():
        raise PasswordRefused(
            "The password has a character that cannot be printed. Use letters, digits, signs and spaces."
        )
    if len(set(password)) < LEAST_DIFFERENT or name in password.casefold():
        raise PasswordRefused(
            gettext_noop(
                "The password repeats few characters or contains the name. Use another, such as five random words."
            )
        )


def hashed(password: str) -> str:
    """The Argon2id hash of a password, with its parameters and a random salt."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def is_right_unless_busy(password_hash: str | None, password: str) -> bool:
    """As `is_right`, for anybody. Raises `TooManyAttempts` in a flood of attempts."""
    if not _PLACES.acquire(blocking=False):
        raise TooManyAttempts
    try:
        return is_right(password_hash, password)
    finally:
        _PLACES.release()


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether the password has this hash. Without a hash it takes as long, and is false."""
    with _AT_ONCE:
        try:
            right = _HASHER.verify(password_hash or _hash_of_nothing(), password)
        except (VerificationError, InvalidHashError):
            return False
    return right and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash has other parameters than new ones."""
    return _HASHER.check_needs_rehash(password_hash)


@cache
def _hash_of_nothing() -> str:
    """A hash for accounts that do not exist or have no password."""
    return _HASHER.hash("no password of any account")
