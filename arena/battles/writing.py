"""One side's completion while it is written, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from arena.battles.failure_kinds import EMPTY, recorded_failure
from arena.endpoints import Failure, Usage
from arena.endpoints.endpoint import CONTENT_FILTER, Blame
from arena.store.schema.battles import CompletionStatus
from arena.store.stored_battles import Written
from judges.visible_text import has_visible_text


@dataclass
class Writing:
    """One side's completion as it grows."""

    text: str = ""
    unshown: str = ""  # written after `text`, and cut off; it costs what it costs
    thought: int = 0  # bytes of thinking, which is never shown; it costs what it costs
    status: CompletionStatus = CompletionStatus.RUNNING
    finish_reason: str | None = None
    failure: Failure | None = None
    recorded_failure: str | None = None  # `failure`, or a more precise word
    detail: str = ""  # of a failure, for the log
    blame: Blame = Blame.UNCLEAR  # of a failure
    usage: Usage = field(default_factory=Usage)
    attempts: int = 1  # calls of the model
    charged: bool = True  # the last one may cost something although it failed
    first_token_seconds: float | None = None
    seconds: float | None = None

    def end(self) -> None:
        """Finish it. A filtered completion, or one that shows nothing, is a failure: it cannot be compared."""
        if self.finish_reason == CONTENT_FILTER:
            self.fail(Failure.REFUSED, "the server's content filter withheld the completion", Blame.PROMPT)
        elif not has_visible_text(self.text):
            self.fail(Failure.BROKEN, EMPTY, Blame.PROMPT)
        else:
            self.status = CompletionStatus.FINISHED

    def cut(self, length: int, status: CompletionStatus) -> None:
        """End the text after `length` characters."""
        self.text, self.unshown = self.text[:length], self.text[length:] + self.unshown
        self.status, self.finish_reason = status, None

    @property
    def written(self) -> str:
        """All that the model has written."""
        return self.text + self.unshown

    def fail(self, failure: Failure, detail: str, blame: Blame = Blame.UNCLEAR) -> None:
        """End it. Once it has a text, the endpoint works, and the prompt may have been the cause."""
        if blame is Blame.ENDPOINT and self.text:
            blame = Blame.UNCLEAR
        self.status, self.failure, self.blame, self.detail = CompletionStatus.FAILED, failure, blame, detail
        self.recorded_failure = recorded_failure(failure, detail)

    def record(self, leaked: bool) -> Written:
        """The completion as stored; `leaked`: it names a model."""
        return Written(
            text=self.text,
            status=self.status,
            finish_reason=self.finish_reason,
            failure=self.recorded_failure,
            prompt_tokens=self.usage.prompt_tokens,
            completion_tokens=self.usage.completion_tokens,
            first_token_seconds=self.first_token_seconds,
            seconds=self.seconds,
            leaked=leaked,
        )
