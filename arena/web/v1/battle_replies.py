"""A battle as JSON for its voter. Before the vote counts, nothing in it identifies the models of a blind battle."""

from __future__ import annotations

from typing import Any

from arena.battles.views import BattleView, Exchange, Shown, VoteView
from arena.store.schema.battles import BattleStatus
from arena.web.markdown import markdown, prompt_markdown

Document = dict[str, Any]


def battle_document(view: BattleView, html: bool = False) -> Document:
    """The whole battle; with `html`, prompts and completions as HTML too."""
    return {
        **state_document(view),
        "reveal": None,
        "turns": [_turn(exchange, html) for exchange in view.exchanges],
    }


def state_document(view: BattleView) -> Document:
    """The battle without its texts: of the last turn the status of each completion."""
    last = view.exchanges[-1].completions
    return {
        "id": view.public_id,
        "mode": view.mode.value,
        "status": view.status.value,
        "turn": view.turn,
        "attempt": view.attempt,
        "can_vote": view.can_vote,
        "can_continue": view.can_continue,
        "can_stop": view.can_stop,
        "can_add_images": view.can_add_images,
        "shared": view.shared,
        "interrupted": view.interrupted,
        "withheld": view.withheld,
        "warned": view.warned,
        "failure": _failure(view),
        "vote": _vote(view.vote),
        "models": _models(view),
        "completions": {side: _status(shown) for side, shown in last.items()},
    }


def _failure(view: BattleView) -> Document | None:
    if view.status is not BattleStatus.FAILED:
        return None
    return {"sides": dict(view.failures), "kind": view.failure or "broken"}


def _vote(vote: VoteView | None) -> Document | None:
    if vote is None:
        return None
    return {
        "winner": vote.winner,
        "reasons": list(vote.reasons),
        "counts": vote.counts,
        "undo_until": vote.undo_until.isoformat() if vote.undo_until else None,
    }


def _models(view: BattleView) -> Document | None:
    names = {"a": view.model_a, "b": view.model_b}
    return {side: name for side, name in names.items() if name} or None


def _turn(exchange: Exchange, html: bool) -> Document:
    return {
        "number": exchange.number,
        "prompt": exchange.prompt,
        **({"prompt_html": prompt_markdown(exchange.prompt)} if html else {}),
        "images": list(exchange.images),
        "completions": {side: _completion(shown, html) for side, shown in exchange.completions.items()},
    }


def _completion(shown: Shown, html: bool) -> Document:
    return {"text": shown.text, **({"html": markdown(shown.text)} if html else {}), **_status(shown)}


def _status(shown: Shown) -> Document:
    return {"status": shown.status.value, "truncated": shown.truncated}
