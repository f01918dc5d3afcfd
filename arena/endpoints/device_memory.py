"""How many tokens and rows a model's passes take on its device, and what to do when memory runs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

NO_MEMORY = ("DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED")  # errors that have no type of their own
SHARE = 0.5  # of the free memory, for keys and values
CONTEXT = 2048  # tokens of a completion with its prompt: an estimate; too many rows are halved


@dataclass
class PassLimits:
    """`rows` are completions written at once, `tokens` those of prompts read in one pass, padding included."""

    rows: int
    tokens: int

    def halve(self, rows: int) -> None:
        """Remember that a pass with so many rows ran out of memory."""
        self.rows, self.tokens = max(1, min(self.rows, rows) // 2), max(1, self.tokens // 2)


# On one CPU thread 128 tokens take about 0.6 s, the longest that others wait.
ON_CPU = PassLimits(rows=8, tokens=128)
ON_GPU = PassLimits(rows=128, tokens=8192)


def pass_limits(network: Any, rows: int | None = None) -> PassLimits:
    """The limits for the device of `network`; `rows` overrides the choice."""
    device = network.device
    if device.type == "cpu":
        return PassLimits(rows or ON_CPU.rows, ON_CPU.tokens)
    most = ON_GPU.rows
    if device.type == "cuda":
        most = min(most, int(SHARE * free_memory(device) / (CONTEXT * bytes_per_position(network))))
    return PassLimits(rows or max(ON_CPU.rows, most), ON_GPU.tokens)


def bytes_per_position(network: Any) -> int:
    """The keys and values of one token in all layers."""
    config = network.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * width * network.dtype.itemsize)


def free_memory(device: torch.device) -> int:
    """Bytes of a GPU that can still be allocated, with those that torch has reserved and does not use."""
    free, _ = torch.cuda.mem_get_info(device)
    return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def out_of_memory(error: RuntimeError) -> bool:
    """True for errors that a smaller pass avoids."""
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in NO_MEMORY)


def attention_without_plans() -> None:
    """Keep torch from cuDNN's attention, which plans for some 50 ms at each new length, that is, at each token."""
    if torch.cuda.is_available():
        torch.backends.cuda.enable_cudnn_sdp(False)


def release() -> None:
    """Return unused memory to the device, so that smaller pieces can be allocated."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
