"""What must be known of a reply beyond its words: whether its program runs, how toxic it is, what a judge says.

A library calls nobody, so the application finds it out and puts it into the reply before it is scored, as plain
data under the task's `needs`. A reply without it is a failure of ours, never the model's.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.task import Reply, Sample, Task

EXECUTION = "execution"  # {"passed": bool, "reason": str} of a Python program
TOXICITY = "toxicity"  # a number from 0 to 1 of a text
JUDGEMENT = "judgement"  # the words of a judge's reply to a chat request
KINDS = (EXECUTION, TOXICITY, JUDGEMENT)

Annotator = Callable[[Sequence[Any]], Sequence[Any]]  # what `to_annotate` gave, to what was found out, in order


@dataclass(frozen=True, kw_only=True)
class AnnotatedTask(Task):
    """A task that scores replies with an annotation of the kind `needs`."""

    needs: str
    annotator: Annotator | None = None  # the application's; None: the replies bring their annotations

    @abstractmethod
    def to_annotate(self, sample: Sample, reply: Reply) -> Any:
        """What to find out about: a program, a text, or a chat request. None where the reply has no words."""

    def found_out(self, sample: Sample, replies: Sequence[Reply | None]) -> list[Reply | None]:
        """`replies` with what the annotator says of those that have no annotation yet."""
        completed = list(replies)
        if self.annotator is None:
            return completed
        bare = [
            (place, asked)
            for place, reply in enumerate(replies)
            if reply is not None and self.needs not in reply
            for asked in [self.to_annotate(sample, reply)]
        ]
        wordy = [(place, asked) for place, asked in bare if asked is not None]
        values = self.annotator([asked for _, asked in wordy]) if wordy else []
        by_place = {place: value for (place, _), value in zip(wordy, values, strict=True)}
        for place, _ in bare:
            completed[place] = annotated(replies[place] or {}, self.needs, by_place.get(place))
        return completed


def annotated(reply: Reply, kind: str, value: Any) -> dict[str, Any]:
    """`reply` with what was found out."""
    return {**reply, kind: value}


def missing(replies: Sequence[Reply | None], kind: str) -> str | None:
    """Why replies cannot be scored yet, or None."""
    if any(reply is not None and kind not in reply for reply in replies):
        return f"no {kind} was found out"
    return None


def annotation(reply: Mapping[str, Any], kind: str) -> Any:
    return reply[kind]
