"""Any server with OpenAI's `/moderations`: a list of texts in, scores by category out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from arena.endpoints.endpoint import EndpointError, Failure
from arena.endpoints.openai import OpenAI
from arena.endpoints.reply_schema import Sent, valid
from arena.rules.text_checks import Scores

AT_ONCE = 32  # texts in one request
CALLS_AT_ONCE = 16
BYTES_AT_LEAST, BYTES_PER_TEXT = 1 << 16, 1 << 15  # of a reply: 13 categories have about 2,000

Category = Annotated[str, Field(min_length=1, max_length=100)]
Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Result(Sent):
    """The scores of one text; servers leave out or set to null what they do not know."""

    categories: dict[Category, bool | None] = Field(default_factory=dict, max_length=500)
    category_scores: dict[Category, Score | None] = Field(default_factory=dict, max_length=500)

    def scores(self) -> Scores:
        known = {name: score for name, score in self.category_scores.items() if score is not None}
        return Scores(known, frozenset(name for name, flag in self.categories.items() if flag and name in known))


class Moderations(Sent):
    """The reply of the server."""

    results: list[Result] = Field(max_length=AT_ONCE)


@dataclass
class ModerationsEndpoint:
    """The scores of a server, within `timeout` seconds, retries included."""

    endpoint: OpenAI
    timeout: float
    _calls: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CALLS_AT_ONCE))

    @property
    def name(self) -> str:
        return f"openai:{self.endpoint.model}"

    async def start(self) -> None:
        """Nothing: a server that is down is no reason not to open the arena."""

    async def close(self) -> None:
        await self.endpoint.close()

    async def score(self, texts: Sequence[str]) -> list[Scores]:
        parts = [texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE)]
        try:
            async with asyncio.timeout(self.timeout):
                return [scores for part in parts for scores in await self._scored(part)]
        except TimeoutError:
            raise EndpointError(Failure.TIMEOUT, f"no complete reply within {self.timeout:g} s") from None

    async def _scored(self, texts: Sequence[str]) -> list[Scores]:
        body = {"model": self.endpoint.model, "input": list(texts)}
        async with self._calls:
            content = await self.endpoint.posted(
                "/moderations", body, BYTES_AT_LEAST + BYTES_PER_TEXT * len(texts)
            )
        results = valid(Moderations, content).results
        if len(results) != len(texts):
            raise EndpointError(Failure.BROKEN, f"{len(results)} results for {len(texts)} texts")
        return [result.scores() for result in results]
