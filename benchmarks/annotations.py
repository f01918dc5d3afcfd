"""Annotations of replies: whether a program passes, how toxic a text is, what a judge replies.

A library makes no calls, so the application computes annotations and puts them into the reply before it is scored, as
plain data under the task's `needs`. A reply without its annotation is a failure of the run, not of the model.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.task import Reply, Sample, Task

EXECUTION = "execution"  # {"passed": bool, "reason": str} of a Python program
TOXICITY = "toxicity"  # a number from 0 to 1 of a text
JUDGEMENT = "judgement"  # the text of a judge's reply to a chat request
KINDS = (EXECUTION, TOXICITY, JUDGEMENT)

Annotator = Callable[
    [Sequence[Any]], Sequence[Any]
]  # from the items of `to_annotate` to their annotations, in order


@dataclass(frozen=True, kw_only=True)
class AnnotatedTask(Task):
    """A task that scores replies with an annotation of the kind `needs`."""

    needs: str
    annotator: Annotator | None = None  # the application's; None if the replies have their annotations

    @abstractmethod
    def to_annotate(self, sample: Sample, reply: Reply) -> Any:
        """The item to annotate: a program, a text, or a chat request. None if the reply has no text."""

    def annotate(self, sample: Sample, replies: Sequence[Reply | None]) -> list[Reply | None]:
        """`replies` with the annotations of those that have none yet."""
        completed = list(replies)
        if self.annotator is None:
            return completed
        items = {
            place: self.to_annotate(sample, reply)
            for place, reply in enumerate(replies)
            if reply is not None and self.needs not in reply
        }
        texts = {place: item for place, item in items.items() if item is not None}
        values = self.annotator(list(texts.values())) if texts else []
        by_place = dict(zip(texts, values, strict=True))
        for place in items:
            completed[place] = annotated(replies[place] or {}, self.needs, by_place.get(place))
        return completed


def annotated(reply: Reply, kind: str, value: Any) -> dict[str, Any]:
    """`reply` with an annotation of this kind."""
    return {**reply, kind: value}


def missing(replies: Sequence[Reply | None], kind: str) -> str | None:
    """Why replies cannot be scored, or None if all have this annotation."""
    if any(reply is not None and kind not in reply for reply in replies):
        return f"no {kind} annotation"
    return None
