"""A judge that ranks several completions at once, for Plackett–Luce ratings (`ratings.plackett_luce`).

The completions of a prompt stand in an order that a digest of the names shuffles. In rotation r of R the order begins at
place r k / R of its k completions, so that each is shown in R different places, and with R = k in every one. A reply is
read strictly: one ranking in double brackets, with every letter once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from string import ascii_uppercase

from judges.errors import BadOption
from judges.judge import Message, Reply, Request
from judges.marks import AROUND, marked
from judges.replies import Reason, Unparsable, reply_text
from judges.template import Template, own
from judges.template_fields import body, conversation_values, visible
from judges.template_turns import turns_of

LEAST = 3  # pairs are for `PairwiseJudge`, whose verdicts are votes
MOST = 10  # completions in one request: judges lose track of more, and letters stay single
LIMIT = 2048  # tokens of the reply
MARK = re.compile(rf"\[\[{AROUND}([A-J](?:[ ]{{0,3}}[>=][ ]{{0,3}}[A-J]){{1,9}}){AROUND}\]\]", re.IGNORECASE)
Places = tuple[tuple[str, ...], ...]  # models by place, the best first; equals together


@dataclass(frozen=True)
class Group:
    """The completions of one prompt that are ranked together, by model."""

    prompt: str
    messages: tuple[Message, ...]
    models: tuple[str, ...]
    completions: tuple[str, ...]
    checklist: tuple[str, ...] = ()
    reference: str | None = None

    def rotated(self, start: int) -> Group:
        """The same group in an order that begins with the completion `start`."""
        models, completions = self.models, self.completions
        return replace(
            self, models=models[start:] + models[:start], completions=completions[start:] + completions[:start]
        )


@dataclass(frozen=True)
class Ranked:
    """The ranking of each rotation, with the order in which the models were shown."""

    rankings: tuple[Places, ...]
    shown: tuple[tuple[str, ...], ...]
    reason: str


@dataclass(frozen=True)
class RankingJudge:
    """The model `model` as a judge of groups, with one request a rotation; all must be readable.

    Raises BadOption for less than one rotation.
    """

    model: str
    rotations: int = 2
    thinking_budget: int = 0

    def __post_init__(self) -> None:
        if self.rotations < 1:
            raise BadOption(f"{self.rotations} rotations are out of range. Expected at least 1.")

    @property
    def name(self) -> str:
        return self.model

    def requests(self, item: Group) -> Sequence[Request]:
        return [self._request(group) for group in self._rotated(item)]

    def unreadable(self, item: Group, number: int, reply: Reply) -> Unparsable | None:
        found = ranking(reply, self._rotated(item)[number].models)
        return found if isinstance(found, Unparsable) else None

    def verdict(self, item: Group, replies: Sequence[Reply | None]) -> Ranked | Unparsable:
        rankings, groups = list[Places](), self._rotated(item)
        for group, reply in zip(groups, replies, strict=True):
            found = Unparsable(Reason.MISSING) if reply is None else ranking(reply, group.models)
            if isinstance(found, Unparsable):
                return found
            rankings.append(found)
        words = [reply_text(reply) for reply in replies if reply is not None]
        reason = "\n\n— in another order —\n\n".join(text for text in words if isinstance(text, str))
        return Ranked(tuple(rankings), tuple(group.models for group in groups), reason)

    def _rotated(self, item: Group) -> list[Group]:
        """The group in each of its orders; no more of them than completions."""
        size = len(item.models)
        rotations = min(self.rotations, size)
        return [item.rotated(number * size // rotations) for number in range(rotations)]

    def _request(self, group: Group) -> Request:
        answers = "".join(
            f"<answer_{letter}>\n{visible(text)}\n</answer_{letter}>\n\n"
            for letter, text in zip(ascii_uppercase, group.completions, strict=False)
        )
        values = {
            **conversation_values(group.messages, group.checklist, group.reference),
            "answers": answers,
            "count": str(len(group.models)),
            "example": "B > A = C",
        }
        sampling = {"max_tokens": LIMIT, "temperature": 0, "thinking_budget": self.thinking_budget}
        return body(self.model, Template(turns_of(own("rank"), "rank")), values, None, sampling)


def ranking(reply: Reply, models: Sequence[str]) -> Places | Unparsable:
    """The ranking in a reply about models in this order: the only one in double brackets, with each letter once."""
    words = reply_text(reply)
    if isinstance(words, Unparsable):
        return words
    text = marked(MARK, words, normal=lambda mark: mark.upper().replace(" ", ""))
    if isinstance(text, Unparsable):
        return text
    places = [place.split("=") for place in text.split(">")]
    if sorted(letter for place in places for letter in place) != list(ascii_uppercase[: len(models)]):
        return Unparsable(Reason.OUT_OF_RANGE)
    return tuple(tuple(models[ascii_uppercase.index(letter)] for letter in place) for place in places)


def groups_of(group: Group, most: int) -> Iterator[Group]:
    """The completions of a prompt in groups of up to `most`, of nearly equal size and at least two, shuffled by name.

    Over prompts every two models meet, since each prompt shuffles in its own way; one completion is no group. Raises
    BadOption for groups that are not of LEAST to MOST.
    """
    if not LEAST <= most <= MOST:
        raise BadOption(f"Groups of {most} completions are out of range. Expected {LEAST} to {MOST}.")
    size = len(group.models)
    order = sorted(range(size), key=lambda number: _digest(group.prompt, group.models[number]))
    if size < 2:
        return
    parts = min(-(-size // most), size // 2)
    for part in range(parts):
        chosen = order[part * size // parts : (part + 1) * size // parts]
        yield replace(
            group,
            models=tuple(group.models[number] for number in chosen),
            completions=tuple(group.completions[number] for number in chosen),
        )


def _digest(*names: str) -> bytes:
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class OrderEffect:
    """What the order did: pairs of models that two rotations rank alike, and how often the first shown is ranked best."""

    pairs: int  # pairs of models over two rotations of one group
    alike: int  # of these, with the same better one, or equal both times
    requests: int
    first: float  # rankings with the completion shown first in the best place; several in it share it
    chance: float  # of them, if the order did nothing


def order_effect(ranked: Iterable[Ranked]) -> OrderEffect:
    """The effect of the order over ranked groups."""
    pairs = alike = requests = 0
    first = chance = 0.0
    for group in ranked:
        places = [{model: n for n, place in enumerate(found) for model in place} for found in group.rankings]
        for one, other in combinations(places, 2):
            for a, b in combinations(one, 2):
                pairs += 1
                alike += _sign(one[a] - one[b]) == _sign(other[a] - other[b])
        for found, shown in zip(group.rankings, group.shown, strict=True):
            requests += 1
            first += (shown[0] in found[0]) / len(found[0])
            chance += 1 / len(shown)
    return OrderEffect(pairs, alike, requests, first, chance)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def places_of(rankings: Iterable[Places]) -> Mapping[str, list[float]]:
    """The places of each model, from 1; equals share the mean of theirs."""
    places: dict[str, list[float]] = {}
    for found in rankings:
        before = 0
        for place in found:
            for model in place:
                places.setdefault(model, []).append(before + (len(place) + 1) / 2)
            before += len(place)
    return places
