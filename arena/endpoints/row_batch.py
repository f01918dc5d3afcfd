"""Rows that are written together: their tokens, and their keys and values, padded on the left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import pad

from arena.endpoints.batch_model import Model
from arena.endpoints.endpoint import EndpointError, Failure, Finish, Request, Usage
from arena.endpoints.fixed_step import Room, Rooms
from arena.endpoints.generation_plan import Plan
from arena.endpoints.outbox import Send
from arena.endpoints.sampler import Sampler


@dataclass(eq=False)
class Row:
    """One request from its arrival to its end. Setting `cancelled`, from any thread, takes it out."""

    request: Request
    send: Send
    cancelled: bool = False
    tokens: list[int] = field(default_factory=list)  # prompt and completion
    logprobs: list[dict[str, Any]] = field(default_factory=list)  # of each token written, if requested
    _plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        assert self._plan is not None  # a row is planned before it is in a batch
        return self._plan

    def prepare(self, planned: Callable[[Request], Plan]) -> None:
        """Read the request, once. Raises `EndpointError`."""
        if self._plan is None:
            self._plan = planned(self.request)
            self.tokens = list(self._plan.prompt)

    @property
    def written(self) -> int:
        return len(self.tokens) - len(self.plan.prompt)

    def accept(self, token: int | None, logits: torch.Tensor) -> bool:
        """Take the token chosen, send its text; False when it was the last. `logits` has the shape (vocabulary,)."""
        if token is None:
            self.send(EndpointError(Failure.BROKEN, "The logits are not numbers. Try dtype 'float32'."))
            return False
        plan, text = self.plan, ""
        self.tokens.append(token)
        if plan.alternatives is not None:
            self.logprobs.append(plan.alternatives(logits, token))
        if token in plan.ends:
            reason: str | None = "stop"
        else:
            text = plan.deltas.push(token)
            reason = "stop" if plan.deltas.stopped else "length" if self.written >= plan.limit else None
        if reason:
            text += plan.deltas.rest()
        if text:
            self.send(text)
        if reason:
            self.send(Finish(reason, Usage(len(plan.prompt), self.written)))
        return reason is None


class Batch:
    """Rows that take their steps together. A new batch has read nothing: call `read` until it returns True."""

    def __init__(self, model: Model, rows: Sequence[Row]) -> None:
        self._model = model
        self.rows = list(rows)
        self._cache = model.empty_cache()
        width = max(len(row.tokens) for row in rows)
        padding = [width - len(row.tokens) for row in rows]
        self._prompts = [[0] * count + row.tokens for row, count in zip(rows, padding, strict=True)]
        self._real = [[0] * count + [1] * (width - count) for count in padding]
        self._mask = torch.ones((len(rows), 0), dtype=torch.long, device=model.device)  # 0 is padding
        self._sampler: Sampler | None = None
        self._room: Room | None = None  # holds keys and values while rows write; each row then has a slot
        self._slots: list[int] = []

    @property
    def positions(self) -> int:
        """The number of positions in the cache."""
        return int(self._mask.shape[1])

    def read(self, tokens: int) -> bool:
        """Read up to `tokens` of the prompts, all rows together; after the last ones every row gets its first token.

        True when the prompts are read.
        """
        low = self.positions
        high = min(low + max(1, tokens // len(self.rows)), len(self._prompts[0]))
        real = torch.tensor([row[low:high] for row in self._real], device=self._model.device)
        logits = self._step([prompt[low:high] for prompt in self._prompts], real)
        if high < len(self._prompts[0]):
            return False
        self._prompts, self._real = [], []
        self._accept(logits)
        return True

    def write(self) -> None:
        """One token more for every row."""
        rooms = self._model.rooms
        if rooms is None or rooms.usable is False:
            self._accept(self._next_step())
        elif rooms.usable is None:
            before, logits = self._mask, self._next_step()
            rooms.compare(logits, lambda: self._tried(rooms, before))
            self._accept(logits)
        else:
            self._accept(self._step_in_room(rooms))

    def _next_step(self) -> torch.Tensor:
        return self._step([row.tokens[-1:] for row in self.rows], self._ones())

    def _ones(self) -> torch.Tensor:
        return torch.ones((len(self.rows), 1), dtype=torch.long, device=self._model.device)

    def _tried(self, rooms: Rooms, before: torch.Tensor) -> torch.Tensor | None:
        """The step just made, once more in a room; None where memory is short."""
        room = rooms.enter(self._layers(), before)
        return None if room is None else rooms.step(room, range(len(self.rows)), *self._last_tokens())

    def _last_tokens(self) -> tuple[list[int], list[int]]:
        return [row.tokens[-1] for row in self.rows], [len(row.tokens) - 1 for row in self.rows]

    def _step_in_room(self, rooms: Rooms) -> torch.Tensor:
        if self._room is not None and self.positions == self._room.width:
            self._leave_room()
            self._trim()
        if self._room is None:
            self._enter_room(rooms)
        if self._room is None:
            return self._next_step()
        logits = rooms.step(self._room, self._slots, *self._last_tokens())
        self._mask = torch.cat([self._mask, self._ones()], dim=1)
        return logits

    def _enter_room(self, rooms: Rooms) -> None:
        self._room = rooms.enter(self._layers(), self._mask)
        if self._room is not None:
            self._slots = list(range(len(self.rows)))
            self._change(lambda entry: entry[:0, :, :0].clone())

    def _leave_room(self) -> None:
        if self._room is None:
            return
        taken = self._room.taken(self._slots, self.positions)
        self._room = None
        for layer, (keys, values) in zip(self._layers(), taken, strict=True):
            layer.keys, layer.values = keys, values

    def _step(self, tokens: list[list[int]], real: torch.Tensor) -> torch.Tensor:
        mask = torch.cat([self._mask, real], dim=1)
        logits = self._model.logits(tokens, mask, self._cache)
        self._mask = mask
        return logits

    def _accept(self, logits: torch.Tensor) -> None:
        if self._sampler is None:
            samplings = [row.plan.sampling for row in self.rows]
            self._sampler = Sampler(samplings, [row.tokens for row in self.rows], logits)
        chosen = self._sampler.choose(logits, [row.plan.uniform(row.written) for row in self.rows])
        pairs = zip(self.rows, chosen, strict=True)
        self.keep([row.accept(token, logits[at]) for at, (row, token) in enumerate(pairs)])

    def keep(self, stays: Sequence[bool]) -> None:
        """Drop the rows that do not stay, and the padding that only they needed."""
        if all(stays):
            return
        kept = [at for at, stay in enumerate(stays) if stay]
        self.rows, self._sampler = [self.rows[at] for at in kept], None
        if not kept:
            self._room = None
            return
        self._mask = self._mask[kept]
        if self._room is None:
            self._change(lambda entry: entry[kept])
        else:
            self._slots = [self._slots[at] for at in kept]
            if 2 * len(kept) > self._room.rows:
                return
            self._leave_room()
        self._trim()

    def _trim(self) -> None:
        """Drop the padding that no row needs."""
        padding = int((self._mask.sum(0) == 0).sum())  # all of it on the left
        self._mask = self._mask[:, padding:]
        self._change(lambda entry: entry[:, :, padding:])

    def join(self, other: Batch) -> None:
        """Take over the rows of `other`, whose prompts are read."""
        self._leave_room()
        width = max(self.positions, other.positions)
        self._widen(width)
        other._widen(width)
        for mine, theirs in zip(self._layers(), other._layers(), strict=True):
            mine.keys = torch.cat([mine.keys, theirs.keys])
            mine.values = torch.cat([mine.values, theirs.values])
        self._mask = torch.cat([self._mask, other._mask])
        self.rows, self._sampler = self.rows + other.rows, None

    def _widen(self, width: int) -> None:
        missing = width - self.positions
        self._mask = pad(self._mask, (missing, 0))
        self._change(lambda entry: pad(entry, (0, 0, missing, 0)))

    def _change(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Apply `change` to keys and values, each of shape (rows, heads, positions, head size)."""
        for layer in self._layers():
            layer.keys, layer.values = change(layer.keys), change(layer.values)

    def _layers(self) -> list[Any]:
        # A layer that borrows the keys of another one stays empty.
        return [layer for layer in self._cache.layers if layer.is_initialized]
