"""Routes of the ledger: signed heads, and the arena's public key at an address that readers know."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from arena.rules.signed_heads import head_of
from arena.store.content_version import content_version
from arena.store.ledger import last_seal, seals
from arena.web.v1 import examples
from arena.web.v1.context import LAST, Limit, Media, Served
from arena.web.v1.problems import ProblemRoute
from arena.web.v1.replies import Page, reply

KEY = "/.well-known/arena-ledger.json"
router = APIRouter(route_class=ProblemRoute)
RECEIPT = examples.described(examples.RECEIPT, "application/json")
RECEIPT[404] = RECEIPT[422]
well_known = APIRouter(route_class=ProblemRoute, include_in_schema=False)


@router.get("/heads", responses=examples.described(examples.HEADS))
def heads(
    request: Request,
    media: Media,
    served: Served,
    after: Annotated[int, Query(ge=0, le=LAST, description="last seal of the previous page")] = 0,
    limit: Limit = 100,
) -> Response:
    """The hash of each seal, signed if the arena has a key. Save the newest one: no earlier vote can change after it."""

    def make(chain: Any) -> Page:
        rows = [head_of(seal, served.signer) for seal in chain[:limit]]
        return Page(rows, "heads", next_after=str(chain[limit - 1].number) if len(chain) > limit else None)

    with served.database.read() as session:
        state = f"{content_version(session)} {served.signer.public if served.signer else ''}"
        return reply(request, media, state, lambda: make(seals(session, after, limit + 1)))


@router.get("/receipts/{vote}/{leaf}", responses=RECEIPT)
def receipt(
    served: Served,
    vote: Annotated[int, Path(ge=1, le=LAST, description="number of the vote")],
    leaf: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="its leaf, from the voter's receipt")],
) -> dict[str, Any]:
    """The proof that a vote is in a seal: the path from its leaf to the root. It has nothing about the voter."""
    assert served.receipts is not None
    found = served.receipts.find(vote, leaf)
    if found is None:
        raise HTTPException(404, f"No vote {vote} has the leaf {leaf}. Take both from the voter's receipt.")
    return found


@well_known.get(KEY)
def ledger(served: Served) -> dict[str, Any]:
    """The public key of the arena and its newest head."""
    with served.database.read() as session:
        last = last_seal(session)
    return {
        "format": "arena-ledger-1",
        "algorithm": "Ed25519",
        "public_key": served.signer.public if served.signer else None,
        "head": head_of(last, served.signer) if last else None,
        "heads": "/api/v1/heads",
    }
