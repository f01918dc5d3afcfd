"""A battle as JSON for its voter. Before the vote nothing in it identifies the models."""

from __future__ import annotations

from typing import Any

from arena.battles.views import BattleView
from arena.store.schema.battles import BattleStatus
from arena.web.markdown import markdown

Document = dict[str, Any]


def battle_document(view: BattleView, html: bool = False) -> Document:
    """The whole battle; with `html`, prompts and completions as HTML too."""
    turns = [_turn(number, exchange, html) for number, exchange in enumerate(view.exchanges, start=1)]
    return {**state_document(view), "turns": turns}


def state_document(view: BattleView) -> Document:
    """The battle without its texts."""
    running = view.status is BattleStatus.RUNNING
    return {
        "id": view.public_id,
        "mode": "blind",
        "status": view.status.value,
        "turn": len(view.exchanges),
        "attempt": 1,
        "can_vote": view.can_vote,
        "can_continue": view.can_continue,
        "can_stop": running,
        "shared": view.shared,
        "interrupted": view.interrupted,
        "failure": {"sides": {}, "kind": "broken"} if view.status is BattleStatus.FAILED else None,
        "vote": _vote(view),
        "models": {"a": view.model_a, "b": view.model_b} if view.model_a else None,
        "reveal": None,
    }


def _vote(view: BattleView) -> Document | None:
    if view.winner is None:
        return None
    return {"winner": view.winner, "reasons": [], "counts": True, "undo_until": None}


def _turn(number: int, exchange: Any, html: bool) -> Document:
    texts = {"a": exchange.completion_a, "b": exchange.completion_b}
    shown = {"prompt_html": markdown(exchange.prompt)} if html else {}
    return {
        "number": number,
        "prompt": exchange.prompt,
        **shown,
        "images": [],
        "completions": {side: _completion(text, html) for side, text in texts.items()},
    }


def _completion(text: str, html: bool) -> Document:
    shown = {"html": markdown(text)} if html else {}
    return {"text": text, **shown, "status": "finished", "truncated": False}
