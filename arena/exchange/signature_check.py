"""The signature of an export: who published its files, and the head of its chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.config.given_files import digest
from arena.errors import ConfigError
from arena.exchange.files import MANIFEST, read_json, write_json
from arena.exchange.findings import Findings
from arena.rules import signed_heads
from arena.rules.seals import Seal
from arena.rules.signed_heads import Signer, head_of, is_signed

SIGNATURE = "signature.json"


def write_signature(folder: Path, last: Seal | None, signer: Signer) -> None:
    """Write the signed hash of the manifest, which has the hash of every file, and the signed head."""
    manifest = {"format": signed_heads.MANIFEST, "sha256": digest(folder / MANIFEST)}
    head = None if last is None else head_of(last, signer)
    write_json(folder / SIGNATURE, {"manifest": signer.signed(manifest), "head": head})


def signature_problems(folder: Path, last: Mapping[str, Any] | None, public: str) -> Iterator[str]:
    """What the holder of the public key did not sign. `last` is the last seal of the export."""
    if not (folder / SIGNATURE).exists():
        yield f"{SIGNATURE}: is missing; the export is not signed"
        return
    given = read_json(folder / SIGNATURE)
    manifest, head = given["manifest"], given["head"]
    if set(given) != {"manifest", "head"}:
        yield f"{SIGNATURE}: keys are {', '.join(sorted(given))}; manifest and head follow"
    if not is_signed(manifest, public):
        yield f"{SIGNATURE}: the manifest is not signed with the key {public}"
    elif (manifest["format"], manifest["sha256"]) != (signed_heads.MANIFEST, digest(folder / MANIFEST)):
        yield f"{SIGNATURE}: another manifest was signed"
    if (head is None) != (last is None):
        yield f"{SIGNATURE}: the head {'is missing' if head is None else 'is there, and the export has no seal'}"
    elif head is not None and last is not None:
        yield from head_problems(head, last, public)


def head_problems(head: Mapping[str, Any], seal: Mapping[str, Any], public: str) -> Iterator[str]:
    """Why a signed head is not that of a seal."""
    if not is_signed(head, public):
        yield f"{SIGNATURE}: the head is not signed with the key {public}"
    elif (head["format"], head["seal"], head["sha256"]) != (signed_heads.HEAD, seal["number"], seal["sha256"]):
        yield f"{SIGNATURE}: the signed head is seal {head['seal']}, {head['sha256']}, which is not the last seal"


def check_signature(
    findings: Findings, folder: Path, chain: Sequence[Mapping[str, Any]], public: str | None
) -> None:
    """Check the signature with a known key. That of an unknown key proves nothing: a forger has keys, too."""
    if public is not None:
        findings.problems += signature_problems(folder, chain[-1] if chain else None, public)
        findings.signed_by = public
    elif (folder / SIGNATURE).exists():
        own = read_json(folder / SIGNATURE)["manifest"]["public_key"]
        findings.not_covered.append(f"{SIGNATURE}: it names the key {own}; pass --key if that is the arena's key")
        try:
            findings.problems += signature_problems(folder, chain[-1] if chain else None, own)
        except ConfigError as problem:  # the extra is missing
            findings.not_covered.append(f"{SIGNATURE}: whether it is of that key. {problem}")
    else:
        findings.not_covered.append("who published the export, since it is not signed")
