"""Examples for the OpenAPI description: the replies of each route, and its errors."""

from __future__ import annotations

from typing import Any

from arena.web.v1.problems import MEDIA
from arena.web.v1.replies import CSV, JSON, PARQUET

ROW = {
    "model": "smollm2-135m-instruct", "rating": 1043.2, "lower": 1012.7, "upper": 1073.7, "rank": 1, "rank_low": 1,
    "rank_high": 2, "battles": 412, "wins": 201, "losses": 143, "ties": 48, "both_bad": 20, "provisional": False,
    "design_effect": 1.4,
}  # fmt: skip
LEADERBOARD = {
    "as_of": "2026-03-31T12:00:00+00:00", "votes": 1250, "battles": 1250, "source": "human", "category": "overall",
    "method": "bradley_terry", "parameters": {
        "prior": 0.25, "covariance": "clustered sandwich", "clusters": {"voters": 118}, "level": 0.95,
    },
    "components": [["smollm2-135m-instruct", "qwen2.5-0.5b-instruct"]], "models": [ROW],
    "lack_of_fit": {"statistic": 41.3, "degrees": 36, "p_value": 0.25, "cyclic_share": 0.02, "cycles": []},
}  # fmt: skip
MODELS = {
    "source": "human", "category": "overall",
    "models": [{**ROW, "registered_at": "2026-01-05T08:00:00.000000+00:00", "organisation": "Hugging Face",
                "licence": "Apache-2.0", "parameters": 135000000, "context": 8192, "energy": 0.09,
                "variants_tested": 0, "listed": "2024-11-15", "retired": "2025-06-30",
                "retired_reason": "Replaced by SmolLM3",
                "released": "2024-10-31",
                "url": "https://example.org/smollm2", "prompt_price": 0.02, "completion_price": 0.06}],
}  # fmt: skip
VOTES = {
    "votes": [{"vote": 17, "battle": "Zr9xQ2kPm1", "model_a": "smollm2-135m-instruct",
               "model_b": "qwen2.5-0.5b-instruct", "winner": "model_b", "source": "human",
               "voter": "5f0c1d9a77be42d0a1c3", "stopped_early": False, "leaked": False,
               "created_at": "2026-03-02T10:11:12.131415+00:00"}],
    "next_after": "17",
}  # fmt: skip
_TALK = [{"role": "user", "content": "Name a tree."}, {"role": "assistant", "content": "Birch."}]
BATTLES = {
    "battles": [{"battle": "Zr9xQ2kPm1", "model_a": "smollm2-135m-instruct", "model_b": "qwen2.5-0.5b-instruct",
                 "created_at": "2026-03-02T10:10:40.000000+00:00", "categories": ["english"],
                 "conversation_a": _TALK, "conversation_b": _TALK,
                 "votes": [{"source": "human", "voter": "5f0c1d9a77be42d0a1c3", "winner": "model_b"}]}],
    "next_after": "Zr9xQ2kPm1",
}  # fmt: skip
PROMPTS = {
    "prompt_sets": [{"name": "starter", "source": "starter", "prompts": 80, "categories": 8,
                     "completions": {"smollm2-135m-instruct": 80}}],
    "next_after": "1",
}  # fmt: skip
SEALS = {
    "seals": [{"number": 1, "previous": "0" * 64, "first_vote": 1, "last_vote": 412, "votes": 412,
               "root": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "filter": "every-1",
               "sealed_at": "2026-03-02T11:00:00.000000+00:00", "boards": [], "columns": {"style": "ab12" * 16},
               "sha256": "60303ae22b998861" * 4}],
    "next_after": "1",
}  # fmt: skip
HEADS = {
    "heads": [{"format": "arena-head-1", "seal": 1, "sha256": "60303ae22b998861" * 4, "last_vote": 412,
               "sealed_at": "2026-03-02T11:00:00.000000+00:00", "public_key": "3d4017c3e843895a" * 4,
               "signature": "92a009a9f0d4cab8" * 8}],
    "next_after": "1",
}  # fmt: skip
RECEIPT = {
    "format": "arena-receipt-1", "vote": 17, "leaf": "bba3adb9bbf211e2" * 4, "state": "accepted",
    "sealed": True, "path": [["left", "9f86d081884c7d65" * 4], ["right", "2feaa0c55ad015a3" * 4]],
    "seal": SEALS["seals"][0], "head": HEADS["heads"][0],
}  # fmt: skip
SAMPLING = {
    "since": "2026-02-28T00:00:00+00:00", "until": "2026-03-30T00:00:00+00:00", "battles": 4210, "private_battles": 120,
    "rule": "active", "floor": 0.3, "newcomer_votes": 100, "newcomer_boost": 2.0,
    "private_models": [{"organisation": "Acme", "variants": 3, "released": 1}],
    "models": [{"model": "smollm2-135m-instruct", "battles": 812, "share": 0.193, "outages": 1}],
}  # fmt: skip
TRUST_VOTES = {
    "votes": 21040, "apart": {"control": 420, "private": 0}, "appeals": {"open": 1, "release": 4, "keep": 2},
    "states": [{"state": "accepted", "reason": None, "votes": 20710, "share": 0.984, "says": None},
               {"state": "quarantined", "reason": "too_fast", "votes": 212, "share": 0.01,
                "says": "The vote came before both completions could be read."}],
}  # fmt: skip
TRUST_CONTROLS = {
    "filter": "every-1",
    "figures": [{"figure": "left_share", "value": 0.52, "lower": 0.48, "upper": 0.56, "votes": 410, "voters": 203}],
}  # fmt: skip
TRUST_FILTER = {
    "version": "every-1", "says": "every vote counts once",
    "versions": [{"version": "every-1", "says": "every vote counts once"}],
    "changes": [{"day": "2026-03-29", "state": "quarantined", "reason": "voter_test", "votes": 40,
                 "says": "The votes of one voter differ from those of all other voters by more than chance explains."}],
}  # fmt: skip
TRUST_ATTACK_COST = {
    "measured_at": "2026-03-30T00:04:00+00:00", "votes": 20710,
    "summary": {"board_votes": 20710, "target": {"least": 31, "median": 204}, "omnipresent": {"least": 24, "median": 150}},
    "days": [{"day": "2026-03-30", "board_votes": 20710, "target": {"least": 31, "median": 204},
              "omnipresent": {"least": 24, "median": 150}}],
    "models": [{"model": "smollm2-135m-instruct", "place": 2, "direction": "up", "attacker": "target",
                "neighbour": "qwen2.5-0.5b-instruct", "gap": 7.4, "votes": 31, "battles": 465, "accounts": 2,
                "challenges": None, "hours": 3.1, "usd": None}],
}  # fmt: skip
MOVED = {
    "model": "smollm2-135m-instruct", "source": "human", "category": "overall", "style": False,
    "from": {"as_of": "2026-03-01T00:00:00.000000+00:00", "filter": "every-1", "rating": 1031.0, "rank": 2},
    "to": {"as_of": "2026-04-01T00:00:00.000000+00:00", "filter": "every-1", "rating": 1043.2, "rank": 1},
    "change": 12.2, "steps": {"new votes": 9.1, "new opponents": 3.1, "filters": 0.0},
    "opponents": [{"model": "qwen2.5-0.5b-instruct", "new": False, "votes": 40, "score": 25.5, "expected": 21.0}],
}  # fmt: skip
PROBLEM = {
    "type": "about:blank", "title": "Unprocessable Content", "status": 422, "instance": "/api/v1/leaderboard",
    "detail": "Source 'people' is unknown. Use human, judges, judge:NAME, both or all.",
}  # fmt: skip


def described(example: Any, *media: str) -> dict[int | str, dict[str, Any]]:
    """The responses of a route: its own in every format or in the given media types, and its errors."""
    if media:
        content: dict[str, Any] = {media_type: {"example": example} for media_type in media}
    else:
        content = {JSON: {"example": example}, CSV: {}, PARQUET: {}}
    error = {"description": "The error, and what to request instead", "content": {MEDIA: {"example": PROBLEM}}}
    return {
        200: {"description": "The requested rows", "content": content},
        304: {"description": "The content has not changed since the ETag in If-None-Match"},
        **dict.fromkeys((400, 406, 414, 422), error),
    }
