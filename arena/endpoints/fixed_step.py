"""One token for every row on tensors whose shapes and places stay, so that a GPU can replay the step as one graph.

Starting the kernels of a step takes a GPU longer than running them: on an H100 17 ms for 64 rows of a 1B model, and
9 ms as a graph. A room has a power of two of rows and positions; rows that have left go on unread until half of them
are gone. A step that differs from the ordinary one, or cannot be captured, is given up for good and said once.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

from arena.endpoints.device_memory import bytes_per_position, free_memory, out_of_memory

DEVICES = ("cuda",)  # elsewhere nothing is gained
ATTENTION = ("sdpa", "eager")  # takes a mask of its own
WIDTH = 256  # positions, at least
STEP = 2048  # positions by which rooms grow beyond this width
ROOMS = 3  # kept with their graphs
BY_HAND = 2  # steps in a room before it is worth a graph
CLOSE = 8  # roundings of the largest logit, between two ways of the same step

logger = logging.getLogger(__name__)

Run = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Any], torch.Tensor]


class _Layer(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """Keys and values of one layer; a step writes those of its token at `column`."""

    def __init__(self, like: Any, rows: int, width: int, column: torch.Tensor) -> None:
        super().__init__()
        self.lazy_initialization(like.keys, like.values)
        self.keys = self._empty(like.keys, rows, width)
        self.values = self._empty(like.values, rows, width)
        self._column, self._width = column, width

    @staticmethod
    def _empty(like: torch.Tensor, rows: int, width: int) -> torch.Tensor:
        return torch.zeros((rows, like.shape[1], width, like.shape[3]), dtype=like.dtype, device=like.device)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.keys.index_copy_(2, self._column, key_states)
        self.values.index_copy_(2, self._column, value_states)
        return self.keys, self.values

    def get_seq_length(self, *_: Any, **__: Any) -> int:
        return self._width - 1  # with the token of the step, the mask's width


class Room:
    """Slots for rows, all at the same column."""

    def __init__(self, run: Run, layers: Sequence[Any], rows: int, width: int, dtype: torch.dtype) -> None:
        device = layers[0].keys.device
        self._run, self.rows, self.width = run, rows, width
        self._hidden = torch.finfo(dtype).min
        self._ids_and_positions = torch.zeros((2, rows, 1), dtype=torch.long, device=device)
        self._column = torch.zeros(1, dtype=torch.long, device=device)
        self._mask = torch.full((rows, 1, 1, width), self._hidden, dtype=dtype, device=device)
        self._cache = Cache(layers=[_Layer(layer, rows, width, self._column) for layer in layers])
        self._graph: torch.cuda.CUDAGraph | None = None
        self._logits: torch.Tensor | None = None
        self._steps = 0

    def fill(self, layers: Sequence[Any], real: torch.Tensor) -> None:
        """Take over rows whose `layers` hold the positions of `real` (rows, positions), which is 0 for padding."""
        rows, positions = real.shape
        for mine, theirs in zip(self._cache.layers, layers, strict=True):
            mine.keys[:rows, :, :positions].copy_(theirs.keys[:, :, :positions])
            mine.values[:rows, :, :positions].copy_(theirs.values[:, :, :positions])
        self._mask.fill_(self._hidden)
        self._mask[:rows, 0, 0, :positions].masked_fill_(real.bool(), 0)
        self._column.fill_(positions)
        self._steps = 0  # the step before, which a capture repeats, was that of other rows

    def taken(self, slots: Sequence[int], positions: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Copies of the keys and values of rows."""
        at = torch.tensor(slots, device=self._column.device)
        return [(layer.keys[at, :, :positions], layer.values[at, :, :positions]) for layer in self._cache.layers]

    def step(self, slots: Sequence[int], tokens: Sequence[int], positions: Sequence[int]) -> torch.Tensor:
        """Logits (rows, vocabulary) after one token for each of `slots`, at the next column."""
        given = torch.zeros_like(self._ids_and_positions, device="cpu")
        at = torch.tensor(slots)
        given[0, at, 0], given[1, at, 0] = torch.tensor(tokens), torch.tensor(positions)
        self._ids_and_positions.copy_(given)
        self._mask.index_fill_(3, self._column, 0)
        if self._graph is not None and self._logits is not None:
            self._graph.replay()
            logits = self._logits
        else:
            logits = self._once()
        self._column += 1
        self._steps += 1
        return logits[: len(slots)] if list(slots) == list(range(len(slots))) else logits[at.to(logits.device)]

    def capture(self) -> None:
        """Record the step as a graph for the next ones. The last step is run again to compare: it writes the same values."""
        if self._graph is not None or self._steps < BY_HAND:
            return
        self._column -= 1
        try:
            by_hand = self._once().clone()
            graph = self._recorded()
            graph.replay()
            if self._logits is None or not close(by_hand, self._logits):
                raise RuntimeError("the graph's logits differ")
            self._graph = graph
        finally:
            self._column += 1

    def _recorded(self) -> torch.cuda.CUDAGraph:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # a capture needs a warm-up on a stream of its own
            self._once()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._logits = self._once()
        return graph

    def _once(self) -> torch.Tensor:
        ids, positions = self._ids_and_positions
        return self._run(ids, self._mask, positions, self._cache)


class Rooms:
    """The rooms of one network. `usable` is None until a first step was compared with an ordinary one."""

    def __init__(self, network: Any, run: Run) -> None:
        self._network, self._run = network, run
        self._rooms: OrderedDict[tuple[int, int], Room] = OrderedDict()
        self._graphs = True
        self.usable: bool | None = None

    def enter(self, layers: Sequence[Any], real: torch.Tensor) -> Room | None:
        """A room with the rows of `layers`; None where memory is short."""
        rows, width = size(*real.shape)
        room = self._rooms.pop((rows, width), None)
        if room is None:
            while len(self._rooms) >= ROOMS or (self._rooms and not self._fits(rows, width)):
                self._rooms.popitem(last=False)
            if not self._fits(rows, width):
                return None
            room = Room(self._run, layers, rows, width, self._network.dtype)
        self._rooms[rows, width] = room
        room.fill(layers, real)
        return room

    def step(
        self, room: Room, slots: Sequence[int], tokens: Sequence[int], positions: Sequence[int]
    ) -> torch.Tensor:
        """The logits of a step; every few steps a room gets its graph."""
        if self._graphs:
            self._capture(room)
        return room.step(slots, tokens, positions)

    def compare(self, by_hand: torch.Tensor, step: Callable[[], torch.Tensor | None]) -> None:
        """Decide whether steps in rooms are used, by one that was also made in the ordinary way."""
        try:
            found = step()
            self.usable = None if found is None else close(by_hand, found)
            reason = "its logits differ"
        # A network may refuse these shapes in its own way; the ordinary step serves it.
        except (RuntimeError, TypeError, ValueError, AttributeError, IndexError) as cause:
            short = isinstance(cause, RuntimeError) and out_of_memory(cause)  # then a later step is compared
            self.usable, reason = None if short else False, repr(cause)
        if not self.usable:
            self.forget()
        if self.usable is False:
            logger.warning("steps of fixed shape are not used for this model: %s", reason)

    def forget(self) -> None:
        """Give back the memory of all rooms."""
        self._rooms.clear()

    def _capture(self, room: Room) -> None:
        try:
            room.capture()
        # The driver, a library or the network may refuse; steps by hand are right, if slower.
        except (RuntimeError, TypeError, AttributeError) as cause:
            self._graphs = False
            logger.warning("steps are not replayed as graphs: %s", cause)

    def _fits(self, rows: int, width: int) -> bool:
        device = self._network.device
        return device.type != "cuda" or 2 * rows * width * bytes_per_position(self._network) < free_memory(device)


def size(rows: int, positions: int) -> tuple[int, int]:
    """Rows and width of the room for so many rows, which hold so many positions and write at least one more."""
    width = max(WIDTH, 1 << positions.bit_length())
    if width > STEP:
        width = -(-(positions + 1) // STEP) * STEP
    return 1 << (rows - 1).bit_length(), width


def close(expected: torch.Tensor, found: torch.Tensor) -> bool:
    """True if two ways of the same step agree to rounding."""
    one, other = expected.float(), found.float()
    share = max(CLOSE * torch.finfo(expected.dtype).eps, 1e-3)
    same_gaps = torch.equal(one.isfinite(), other.isfinite())  # a row may overflow in half precision, but in both
    apart = (one - other).nan_to_num(0, 0, 0).abs().max()
    return same_gaps and bool(apart <= share * one.nan_to_num(0, 0, 0).abs().max())


def fixed(network: Any, joins: bool, takes_positions: bool, slides: bool) -> bool:
    """True if steps of fixed shape may serve the network; a first comparison decides."""
    attention = getattr(network.config, "_attn_implementation", None)
    return network.device.type in DEVICES and joins and takes_positions and not slides and attention in ATTENTION
