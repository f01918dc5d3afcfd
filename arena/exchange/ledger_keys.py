"""The file of the key that signs heads: outside the database, so that a copy of the database signs nothing."""

from __future__ import annotations

import os
from pathlib import Path

from arena.config.given_files import plain_file
from arena.errors import ConfigError
from arena.rules.signed_heads import KEY_BYTES, Signer, new_secret


def write_new_key(path: Path) -> Signer:
    """Create a key in a file that only its owner can read. Raises `ConfigError` if the file exists."""
    signer = Signer(new_secret())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} already exists. Choose another file, or keep this key.") from None
    except OSError as problem:
        raise ConfigError(f"{path} cannot be written ({problem.strerror}). Choose another file.") from problem
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(signer.secret.hex() + "\n")
    return signer


def read_key(path: Path | None) -> Signer | None:
    """The key of the setting `ledger.key`, if it names a file. Raises `ConfigError` for one that has no key."""
    if path is None:
        return None
    try:
        secret = bytes.fromhex(plain_file(path).read_text(encoding="ascii").strip())
    except (OSError, ValueError) as problem:
        raise ConfigError(
            f"ledger.key: {path} cannot be read as a key ({problem}). Run: arena seal --new-key PATH"
        ) from problem
    if len(secret) != KEY_BYTES:
        raise ConfigError(
            f"ledger.key: {path} has {len(secret)} bytes, and a key has {KEY_BYTES}. Run: arena seal --new-key PATH"
        )
    return Signer(secret)
