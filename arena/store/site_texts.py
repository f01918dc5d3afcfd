"""Texts that an operator saves while the arena runs: suggested prompts and pages for visitors. Versions are only added.

The newest version of a text in a language is in force on every server. One without text takes back what the files say.
Every function works in the session of its caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import text as sql
from sqlmodel import Session, col, func, select

from arena.rules import suggested_prompts as shipped
from arena.rules.messages import TranslatableError
from arena.rules.prompt_edits import from_json
from arena.store.schema.site_texts import SiteText, SuggestedOnce
from arena.store.upserts import upsert

PROMPTS = "prompts"  # the name of the text that has the prompts of a language


class TextsRefused(TranslatableError):
    """A version that was not saved; nothing changed."""


def newest(session: Session) -> list[SiteText]:
    """The newest version of each text in each language that has any."""
    last = (
        select(func.max(SiteText.id).label("id")).group_by(col(SiteText.name), col(SiteText.language)).subquery()
    )
    return list(
        session.exec(select(SiteText).join(last, last.c.id == col(SiteText.id)).order_by(col(SiteText.id)))
    )


def newest_id(session: Session) -> int:
    """The number of the last row, 0 without any: whether anything has changed."""
    return session.exec(select(func.max(SiteText.id))).one() or 0


def save(
    session: Session,
    name: str,
    language: str,
    text: str | None,
    *,
    seen: int,
    action: str,
    reason: str,
    by: str,
) -> SiteText:
    """Add a version. `seen` is the newest number that its author has seen, 0 for none.

    Raises `TextsRefused` when another version was saved since.
    """
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(sql("LOCK TABLE site_text IN SHARE ROW EXCLUSIVE MODE"))
    if last_number(session, name, language) != seen:
        raise TextsRefused(
            "Somebody else has changed this text since you opened the page. Look at it, and try again."
        )
    row = SiteText(
        name=name, language=language, number=seen + 1, text=text, action=action, reason=reason, saved_by=by
    )
    session.add(row)
    session.flush()
    if name == PROMPTS and text is not None:
        _remember(session, (prompt for prompts in from_json(text).values() for prompt in prompts))
    return row


def last_number(session: Session, name: str, language: str) -> int:
    """The number of the newest version, 0 without any."""
    query = select(func.max(SiteText.number)).where(SiteText.name == name, SiteText.language == language)
    return session.exec(query).one() or 0


def versions(session: Session, name: str, language: str, limit: int = 50) -> Sequence[SiteText]:
    """The versions of a text, the newest first."""
    query = select(SiteText).where(SiteText.name == name, SiteText.language == language)
    return session.exec(query.order_by(col(SiteText.number).desc()).limit(limit)).all()


def version(session: Session, name: str, language: str, number: int) -> SiteText:
    """One version. Raises `TextsRefused` where there is none."""
    query = select(SiteText).where(SiteText.name == name, SiteText.language == language, SiteText.number == number)
    row = session.exec(query).one_or_none()
    if row is None:
        raise TextsRefused("There is no version {number}. Choose one of the list.", number=number)
    return row


def is_suggested(session: Session, prompt: str) -> bool:
    """Whether a prompt is or was suggested, by this version or by an operator, in any language.

    Spaces, letter case and the width of characters make no difference. Retired prompts stay known: a page may still show
    them, and their votes are votes on the same text.
    """
    return shipped.is_suggested(prompt) or session.get(SuggestedOnce, _hash(prompt)) is not None


def _remember(session: Session, prompts: Iterable[str]) -> None:
    rows = [{"sha256": digest} for digest in sorted({_hash(prompt) for prompt in prompts})]
    if rows:
        session.execute(upsert(session, SuggestedOnce).values(rows).on_conflict_do_nothing())


def _hash(prompt: str) -> str:
    return hashlib.sha256(shipped.folded(prompt).encode("utf-8", "replace")).hexdigest()
