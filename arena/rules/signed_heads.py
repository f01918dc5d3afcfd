"""Signed heads: the hash of a seal, signed with Ed25519 (RFC 8032) by a key that is not in the database.

A head names one seal and, through the chain, every vote before it. Two heads of one arena that no chain can join
prove that its past was rewritten, and the signature proves who did it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.errors import ConfigError
from arena.rules.seals import Seal, canonical

HEAD, MANIFEST = "arena-head-1", "arena-manifest-1"
KEY_BYTES = 32


@dataclass(frozen=True)
class Signer:
    """A private key."""

    secret: bytes  # 32 bytes

    @property
    def public(self) -> str:
        """The public key, 64 hexadecimal digits."""
        return str(
            _ed25519().Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw().hex()
        )

    def signed(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The content with the public key, and a signature over the canonical JSON of both."""
        whole = {**content, "public_key": self.public}
        key = _ed25519().Ed25519PrivateKey.from_private_bytes(self.secret)
        return {**whole, "signature": key.sign(canonical(whole)).hex()}


def head_of(seal: Seal, signer: Signer | None = None) -> dict[str, Any]:
    """The head of a chain that ends with this seal; without a signer it has no signature."""
    content = {
        "format": HEAD,
        "seal": seal.number,
        "sha256": seal.sha256,
        "last_vote": seal.last_vote,
        "sealed_at": seal.sealed_at,
    }
    return signer.signed(content) if signer else {**content, "public_key": None, "signature": None}


def is_signed(document: Mapping[str, Any], public: str) -> bool:
    """Whether the document was signed by the holder of this public key."""
    try:
        signature, key = bytes.fromhex(document["signature"]), bytes.fromhex(public)
        verifier = _ed25519().Ed25519PublicKey.from_public_bytes(key)
    except (LookupError, TypeError, ValueError):
        return False
    content = {name: value for name, value in document.items() if name != "signature"}
    try:
        verifier.verify(signature, canonical(content))
    except _invalid_signature():
        return False
    return bool(document.get("public_key") == public)


def new_secret() -> bytes:
    """A new private key."""
    return bytes(_ed25519().Ed25519PrivateKey.generate().private_bytes_raw())


def public_key(text: str) -> str:
    """A public key as it is given, checked. Raises `ConfigError`."""
    digits = text.strip().lower()
    if len(digits) != 2 * KEY_BYTES or set(digits) - set("0123456789abcdef"):
        raise ConfigError(f"{text[:80]!r} is no public key. Give its 64 hexadecimal digits.")
    return digits


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as problem:
        raise ConfigError("Signed heads need cryptography. Run: pip install 'arena[signing]'") from problem
    return ed25519


def _invalid_signature() -> type[Exception]:
    from cryptography.exceptions import InvalidSignature

    kind: type[Exception] = InvalidSignature
    return kind
