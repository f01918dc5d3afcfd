"""Timestamps of seals by OpenTimestamps: Bitcoin blocks date them, so that nobody has to trust the operator's clock.

A proof is a standard .ots file whose digest is the hash of a seal. Calendars promise it at once (pending) and put it
into a block within hours (complete). Format: https://github.com/opentimestamps/python-opentimestamps.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from arena.config.given_files import plain_file
from arena.errors import ConfigError, InputError

ACCEPT = {"Accept": "application/vnd.opentimestamps.v1"}
MOST_BYTES = 10_000  # of a calendar's reply, which has a few hundred
SECONDS = 15.0  # for one reply
DIGEST_BYTES = 32


class BadTimestamp(InputError):
    """A file that is no timestamp proof."""


@dataclass(frozen=True)
class Block:
    """A Bitcoin block that must have this Merkle root, written as block explorers do."""

    height: int
    root: str


@dataclass(frozen=True)
class Proof:
    """What a proof says: the digest, calendars that have promised a block, and blocks."""

    digest: str
    pending: tuple[str, ...]
    blocks: tuple[Block, ...]


class Calendars(Protocol):
    """Requests of calendar servers. Raises `httpx.HTTPError`."""

    def get(self, url: str) -> httpx.Response: ...
    def post(self, url: str, *, content: bytes) -> httpx.Response: ...


def calendar_client() -> httpx.Client:
    """A client for calendars. Redirects are not followed: only servers on the list are asked."""
    return httpx.Client(headers=ACCEPT, timeout=SECONDS)


def stamp(digest: str, path: Path, client: Calendars, calendars: Sequence[str]) -> tuple[list[str], bool]:
    """Write a proof of a digest that at least one calendar has promised to date.

    Returns why others have not, and whether none has, so that no file was written.
    """
    proof, problems = _new_proof(digest), []
    for url in calendars:
        try:
            proof.timestamp.merge(_reply(client.post(f"{url}/digest", content=bytes.fromhex(digest)), digest))
        except (httpx.HTTPError, ValueError) as problem:
            problems.append(f"{url}: {_reason(problem)}")
    missing = len(problems) == len(calendars)
    if not missing:
        _write(path, proof)
    return problems, missing


def upgrade(path: Path, client: Calendars, calendars: Sequence[str]) -> tuple[list[str], bool]:
    """Add to a pending proof the blocks that its calendars know. Raises `BadTimestamp`.

    Returns why some calendars have not answered, and whether the proof has a block now.

    A proof names the calendars to ask, and a forged one could name any server: only those on the list are asked,
    and hosts below `calendar.` of a known domain, which the pools pass digests on to.
    """
    proof, problems = _read(path), []
    known = set(_blocks(proof.timestamp))
    for node, url in list(_pending(proof.timestamp)):
        if not _is_listed(url, calendars):
            problems.append(f"{url}: is not on the list of calendars")
            continue
        try:
            reply = client.get(f"{url}/timestamp/{node.msg.hex()}")
            if reply.status_code == httpx.codes.NOT_FOUND:
                continue  # not in a block yet
            node.merge(_reply(reply, node.msg.hex()))
        except (httpx.HTTPError, ValueError) as problem:
            problems.append(f"{url}: {_reason(problem)}")
    if (blocks := set(_blocks(proof.timestamp))) != known:
        _write(path, proof)
    return problems, bool(blocks)


def read_proof(path: Path) -> Proof:
    """What a proof in a file says. Raises `BadTimestamp`."""
    proof = _read(path)
    return Proof(
        proof.file_digest.hex(),
        tuple(sorted({url for _, url in _pending(proof.timestamp)})),
        tuple(sorted(set(_blocks(proof.timestamp)), key=lambda block: block.height)),
    )


def block_problems(proof: Proof, explorer: str, client: Calendars) -> tuple[list[str], dict[int, int]]:
    """Blocks that are not as the proof says, and the time of each that is, in seconds since 1970, by height.

    `explorer` is an Esplora server (`/block-height/N`, `/block/HASH`): one of your own, or one that you trust.
    """
    problems, times = [], {}
    for block in proof.blocks:
        try:
            key = _text(client.get(f"{explorer}/block-height/{block.height}"))
            found = client.get(f"{explorer}/block/{key}").raise_for_status().json()
            root, seconds = str(found["merkle_root"]), int(found["timestamp"])
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as problem:
            problems.append(f"block {block.height}: {explorer} does not show it ({_reason(problem)})")
            continue
        if root != block.root:
            problems.append(f"block {block.height}: has Merkle root {root}, and {block.root} follows")
        else:
            times[block.height] = seconds
    return problems, times


def _text(reply: httpx.Response) -> str:
    return reply.raise_for_status().text.strip()


def _reply(reply: httpx.Response, digest: str) -> Any:
    """The timestamp in a calendar's reply. Raises `httpx.HTTPError`, `ValueError`."""
    body = reply.raise_for_status().content
    if len(body) > MOST_BYTES:
        raise ValueError(f"a reply of {len(body)} bytes")
    timestamp, serialize, _ = _library()
    try:
        return timestamp.Timestamp.deserialize(serialize.BytesDeserializationContext(body), bytes.fromhex(digest))
    except serialize.DeserializationError as problem:
        raise ValueError(f"a reply that is no timestamp ({problem})") from problem


def _new_proof(digest: str) -> Any:
    timestamp, _, op = _library()
    return timestamp.DetachedTimestampFile(op.OpSHA256(), timestamp.Timestamp(bytes.fromhex(digest)))


def _read(path: Path) -> Any:
    timestamp, serialize, op = _library()
    try:
        context = serialize.BytesDeserializationContext(plain_file(path).read_bytes())
        proof = timestamp.DetachedTimestampFile.deserialize(context)
    except OSError as problem:
        raise BadTimestamp(f"{path} cannot be read ({problem.strerror}). Give a file of arena seal.") from problem
    except (serialize.DeserializationError, ValueError) as problem:
        raise BadTimestamp(
            f"{path} is no timestamp ({problem}). Give a file that arena seal --timestamps wrote."
        ) from problem
    if not isinstance(proof.file_hash_op, op.OpSHA256):
        raise BadTimestamp(f"{path} dates no SHA-256 hash. Give a file that arena seal --timestamps wrote.")
    return proof


def _write(path: Path, proof: Any) -> None:
    """The file is the old one or the new one, whatever ends the process."""
    _, serialize, _ = _library()
    context = serialize.StreamSerializationContext(content := io.BytesIO())
    proof.serialize(context)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.write_bytes(content.getvalue())
    new.replace(path)


def _pending(node: Any) -> Iterator[tuple[Any, str]]:
    """The nodes below this one that a calendar has promised to date, with its address."""
    for attestation in node.attestations:
        if uri := getattr(attestation, "uri", None):
            yield node, str(uri)
    for below in node.ops.values():
        yield from _pending(below)


def _blocks(node: Any) -> Iterator[Block]:
    from opentimestamps.core.notary import BitcoinBlockHeaderAttestation

    for message, attestation in node.all_attestations():
        if isinstance(attestation, BitcoinBlockHeaderAttestation) and len(message) == DIGEST_BYTES:
            yield Block(attestation.height, message[::-1].hex())


def _is_listed(url: str, calendars: Sequence[str]) -> bool:
    from opentimestamps.calendar import DEFAULT_CALENDAR_WHITELIST

    return url in calendars or url in DEFAULT_CALENDAR_WHITELIST


def _reason(problem: Exception) -> str:
    if isinstance(problem, httpx.HTTPStatusError):
        return f"HTTP {problem.response.status_code}"
    return str(problem)[:200] or type(problem).__name__


def _library() -> tuple[Any, Any, Any]:
    try:
        from opentimestamps.core import op, serialize, timestamp
    except ImportError as problem:
        raise ConfigError("Timestamps need opentimestamps. Run: pip install 'arena[timestamps]'") from problem
    return timestamp, serialize, op
