"""The texts that operators have saved, as this server shows them: read again every other second, and after a change here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from arena.rules.prompt_edits import Prompts, from_json
from arena.rules.suggested_prompts import suggested_prompts
from arena.store import Database
from arena.store import site_texts as stored


@dataclass(frozen=True)
class Saved:
    """A version in force."""

    number: int
    text: str
    at: datetime


@dataclass
class SiteTexts:
    """Thread-safe. Before the first `refresh`, and where nothing is saved, the texts are those of the files."""

    database: Database
    _last: int = 0  # the number of the newest row that is read
    _pages: Mapping[tuple[str, str], Saved] = field(default_factory=dict)  # by name and language
    _prompts: Mapping[str, Prompts] = field(default_factory=dict)  # by language
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def prompts(self, language: str) -> Prompts:
        """The prompts that the battle page suggests: those saved for this language, else those of this version."""
        return self._prompts.get(language) or suggested_prompts(language)

    def page(self, name: str) -> Mapping[str, Saved]:
        """The saved texts of a page by language."""
        return {language: saved for (page, language), saved in self._pages.items() if page == name}

    async def refresh(self) -> None:
        """Use what has been saved on any server. Call it every other second."""
        await asyncio.to_thread(self.read)

    def read(self) -> None:
        """Use what has been saved."""
        with self._lock, self.database.read() as session:
            last = stored.newest_id(session)
            if last == self._last:
                return
            rows = [row for row in stored.newest(session) if row.text is not None]
            self._prompts = {row.language: from_json(row.text or "") for row in rows if row.name == stored.PROMPTS}
            self._pages = {
                (row.name, row.language): Saved(row.number, row.text or "", row.saved_at)
                for row in rows
                if row.name != stored.PROMPTS
            }
            self._last = last
