"""One engine asks every model: limits, retries, budget, a journal that a run resumes from, typed failures."""

from arena.engine.batch_files import BatchFileError, read_batch, write_batch
from arena.engine.budget import Budget, Price, estimated_tokens
from arena.engine.calls import Answered, Ask, Status, address
from arena.engine.engine import Engine
from arena.engine.limits import Gate, Pace
from arena.engine.model_client import Patience, Target
from arena.engine.reply_cache import Entry, Journal, JournalError
from arena.engine.tally import Tally

__all__ = [
    "Answered",
    "Ask",
    "BatchFileError",
    "Budget",
    "Engine",
    "Entry",
    "Gate",
    "Journal",
    "JournalError",
    "Pace",
    "Patience",
    "Price",
    "Status",
    "Tally",
    "Target",
    "address",
    "estimated_tokens",
    "read_batch",
    "write_batch",
]
