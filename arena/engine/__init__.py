"""The engine that runs every call: limits, retries, a budget, a reply cache to resume from, typed failures."""

from arena.engine.batch_files import BatchFileError, read_batch, write_batch
from arena.engine.budget import Budget, Price, estimated_tokens, most_tokens
from arena.engine.call_counts import CallCounts
from arena.engine.call_session import RESUME_HINT, CallSession, Progress, RunResult, Seen, open_session, what_next
from arena.engine.calls import Call, CallResult, Status, address
from arena.engine.engine import Engine
from arena.engine.limits import ConcurrencyLimiter, RateLimiter
from arena.engine.model_client import ModelClient, RetryPolicy
from arena.engine.reply_cache import Entry, ReplyCache, ReplyCacheError
from arena.engine.saved_calls import SavedCall, SavedCalls

__all__ = [
    "RESUME_HINT",
    "BatchFileError",
    "Budget",
    "Call",
    "CallCounts",
    "CallResult",
    "CallSession",
    "ConcurrencyLimiter",
    "Engine",
    "Entry",
    "ModelClient",
    "Price",
    "Progress",
    "RateLimiter",
    "ReplyCache",
    "ReplyCacheError",
    "RetryPolicy",
    "RunResult",
    "SavedCall",
    "SavedCalls",
    "Seen",
    "Status",
    "address",
    "estimated_tokens",
    "most_tokens",
    "open_session",
    "read_batch",
    "what_next",
    "write_batch",
]
