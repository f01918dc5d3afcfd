"""Control battles: a small share of blind battles shows one model twice, or an earlier battle with exchanged sides.

Until the vote counts nothing tells them apart from other battles: they are drawn after the pair, have the same limits
and reservations, are streamed through the same pacer, and take part in every change of a battle. The draw of each battle
takes the same time, since the queries for a control battle would be seen in the reply to the request that begins it
(`reproduce/attacks/control_battles.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from random import Random

from arena.battles.matchmaking import Pair
from arena.config import BattleSettings
from arena.endpoints.parameters import given_parameters
from arena.rules.controls import Control
from arena.rules.votes import SIDES, Side
from arena.serving.models import ServedModel, Serving
from arena.store import Session
from arena.store.control_battles import repeatable, repeats_itself
from arena.store.schema.battles import now
from arena.store.site_texts import is_suggested
from arena.store.stored_battles import StoredBattle, Written
from arena.store.votes import last_vote_id

OWN_AFTER = timedelta(days=1)  # before that, voters recognise what they have read
FOUND = 5  # earlier battles of which one is chosen
EVEN = 0.05  # seconds that a draw takes, or a multiple; the queries take some milliseconds, and no text is shown so soon


@dataclass(frozen=True)
class Shown:
    """What a new battle shows: two models, and of a control battle what it controls. `wait` are the seconds until it
    may begin.
    """

    pair: Pair
    control: Control | None = None
    repeats: StoredBattle | None = None  # its completions are shown, each on the other side
    wait: float = 0.0

    @property
    def completions(self) -> dict[Side, Written]:
        """The stored completions by the side on which they are shown; empty where models write."""
        if self.repeats is None:
            return {}
        written = self.repeats.turns[0].completions
        return {"a": written["b"], "b": written["a"]}


@dataclass(frozen=True)
class ControlDraw:
    """Draws control battles, half of each kind, once the arena has some votes."""

    serving: Serving
    settings: BattleSettings
    random: Random
    clock: Callable[[], float] = time.perf_counter
    speeds: Callable[[], Mapping[str, float]] = dict  # tokens a second, by model

    def draw(
        self,
        session: Session,
        pair: Pair,
        voter: str,
        prompt: str,
        *,
        images: bool,
        without: Collection[str] | None = None,
    ) -> Shown:
        """The pair, or a control battle in its place. `without` are the models of the battle whose prompt is posed again."""
        if not self.settings.control_share or last_vote_id(session) < self.settings.control_after_votes:
            return Shown(pair)
        began = self.clock()
        shown = self._drawn(session, pair, voter, prompt, images, without)
        return replace(shown, wait=-(self.clock() - began) % EVEN)

    def _drawn(
        self, session: Session, pair: Pair, voter: str, prompt: str, images: bool, without: Collection[str] | None
    ) -> Shown:
        drawn = self.random.random() / self.settings.control_share
        if drawn < 0.5:
            return self._same_model(session, pair, images) or Shown(pair)
        if drawn < 1.0 and not images and without is None:
            return self._swapped(session, voter, prompt) or Shown(pair)
        return Shown(pair)

    def _same_model(self, session: Session, pair: Pair, images: bool) -> Shown | None:
        """The slower model of the drawn pair against itself, if it does not write the same text twice.

        A battle is shown at the pace of its slower model. That of a fast model alone would be seen in no other battle.
        """
        name = self._slower(pair)
        available = self.serving.available_weights(images).get(name, 0.0) > 0
        if not available or _is_greedy(self.serving.models[name]) or repeats_itself(session, name):
            return None
        return Shown(Pair(name, name, pair.probability), Control.SAME_MODEL)

    def _slower(self, pair: Pair) -> str:
        speeds = self.speeds()
        fast = speeds.get(pair.model_a, 0.0) > speeds.get(pair.model_b, 0.0)
        return pair.model_b if fast else pair.model_a

    def _swapped(self, session: Session, voter: str, prompt: str) -> Shown | None:
        found = repeatable(
            session,
            voter,
            prompt,
            suggested=is_suggested(session, prompt),
            before=now() - OWN_AFTER,
            models=self.serving.available_weights(),
        )
        battles = list(islice((battle for battle in found if self._in_time(battle)), FOUND))
        if not battles:
            return None
        battle = self.random.choice(battles)
        return Shown(Pair(battle.model_b, battle.model_a, 1.0), Control.SWAPPED, battle)

    def _in_time(self, battle: StoredBattle) -> bool:
        """Whether a turn of today may take as long as the models took."""
        return all(
            (written.seconds or 0) < self.settings.turn_timeout
            and (written.first_token_seconds or 0) < self.settings.first_token_timeout
            for written in (battle.turns[0].completions[side] for side in SIDES)
        )


def _is_greedy(model: ServedModel) -> bool:
    """Whether the settings make the model write the same text twice, which its voter would notice."""
    given = given_parameters(model.settings.parameters)
    return given.get("temperature") == 0 or given.get("top_k") == 1 or given.get("seed") is not None
