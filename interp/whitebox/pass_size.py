"""The tokens of one pass through a network: chosen for the device, halved when its memory runs out, remembered.

A pass on a GPU costs the same up to some thousand tokens, because starting its kernels takes longer than running
them; on a CPU it costs the same for each token, so small passes save memory for free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from interp.extras import torch

Item = TypeVar("Item")

ON_CPU = {"forward": 512, "backward": 128}
ON_GPU = {"forward": 8192, "backward": 8192}  # more is no faster and shares shorter prefixes
SHARE = 0.8  # of the free memory: the estimate below is rough, and a pass too large is halved
PREFIX_ON_GPU = 0.2  # mask and copies took an H100 a quarter of the time of such passes
IN_A_START = 2e11  # weights that an H100 applies to a token each while it starts the kernels of a layer
NO_MEMORY = ("DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED")  # errors that have no type of their own


@dataclass
class PassSize:
    """`tokens` bounds rows times tokens of a pass; a single row always runs. Fewer than `least` take no less time.

    A prefix read from memory makes attention slower, by a mask and copies of the prefix: it is worth that where it is
    at least the share `prefix` of a row.
    """

    tokens: int
    least: int = 0
    prefix: float = 0.0

    def shares(self, prefix: int, length: int) -> bool:
        """True if rows of `length` tokens should not run their common first `prefix` tokens again."""
        return prefix > 0 and prefix >= self.prefix * length

    def run(
        self, items: Sequence[Item], length: Callable[[Item], int], run: Callable[[Sequence[Item]], None]
    ) -> None:
        """Call `run` with all items in order, in passes that fit; `length` is an item's tokens, padded to the longest.

        A pass that runs out of memory is repeated with half the tokens, and so are all later ones. Raises the error of
        a pass with one item.
        """
        at = 0
        while at < len(items):
            batch = items[at : at + self._fits(items, at, length)]
            if _completes(run, batch):
                at += len(batch)
            else:
                self.tokens = max(1, len(batch) * max(map(length, batch)) // 2)
                release()

    def _fits(self, items: Sequence[Item], at: int, length: Callable[[Item], int]) -> int:
        longest = count = 0
        for item in items[at:]:
            longest = max(longest, length(item))
            if count and (count + 1) * longest > self.tokens:
                break
            count += 1
        return count


def pass_size(kind: str, network: Any, tokens: int | None = None) -> PassSize:
    """The size of "forward" passes without gradients or of "backward" ones; `tokens` overrides the choice."""
    if network.device.type == "cpu":
        return PassSize(tokens or ON_CPU[kind])
    if tokens is None:
        fits = int(SHARE * free_memory(network.device)) // bytes_per_token(kind, network)
        tokens = max(ON_CPU[kind], min(ON_GPU[kind], fits))
    return PassSize(tokens, quickest(network), PREFIX_ON_GPU)


def quickest(network: Any) -> int:
    """The tokens of a pass whose arithmetic takes a GPU as long as starting its kernels does, about 1 ms a layer."""
    config = network.config.get_text_config()
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    return int(IN_A_START / (2.5 * config.hidden_size**2 + 3 * config.hidden_size * inner))


def bytes_per_token(kind: str, network: Any) -> int:
    """An estimate of a pass's memory: a layer's activations, and with gradients those of all layers."""
    config = network.config.get_text_config()
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    # Measured on an H100: 1.2 MB of 1.7 for the shape of Llama-3.2-1B, 5.7 MB of 6.4 for an 8B's.
    layer = (12 * config.hidden_size + 3.5 * inner) * network.dtype.itemsize
    return int(layer * (config.num_hidden_layers if kind == "backward" else 1))


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on an accelerator, with those that torch has reserved and does not use."""
    if device.type != "cuda":
        return 1 << 33  # no way to measure: a pass too large is halved
    free, _ = torch.cuda.mem_get_info(device)
    return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def attention_without_plans() -> None:
    """Keep torch from cuDNN's attention, which plans for some 50 ms at each new shape; passes here differ in shape."""
    if torch.cuda.is_available():
        torch.backends.cuda.enable_cudnn_sdp(False)


def release() -> None:
    """Return unused memory to the device, so that smaller pieces can be allocated."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _completes(run: Callable[[Sequence[Item]], None], batch: Sequence[Item]) -> bool:
    """False if memory ran out. The error is gone when this returns, and with it what its traceback holds."""
    try:
        run(batch)
    except RuntimeError as error:
        if len(batch) == 1 or not out_of_memory(error):
            raise
        return False
    return True


def out_of_memory(error: RuntimeError) -> bool:
    """True for errors that a smaller pass avoids."""
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in NO_MEMORY)
