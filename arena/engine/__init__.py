"""One engine asks every model: limits, retries, budget, a journal that a run resumes from, typed failures."""

from arena.engine.batch_files import BatchFileError, read_batch, write_batch
from arena.engine.budget import Budget, Price, estimated_tokens
from arena.engine.calls import Call, CallResult, Status, address
from arena.engine.engine import Engine
from arena.engine.limits import ConcurrencyLimiter, RateLimiter
from arena.engine.model_client import ModelClient, Patience
from arena.engine.reply_cache import Entry, ReplyCache, ReplyCacheError
from arena.engine.tally import Tally

__all__ = [
    "BatchFileError",
    "Budget",
    "Call",
    "CallResult",
    "ConcurrencyLimiter",
    "Engine",
    "Entry",
    "ModelClient",
    "Patience",
    "Price",
    "RateLimiter",
    "ReplyCache",
    "ReplyCacheError",
    "Status",
    "Tally",
    "address",
    "estimated_tokens",
    "read_batch",
    "write_batch",
]
