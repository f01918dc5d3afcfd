"""Penn Treebank as Mikolov prepared it: perplexity of the test sentences, joined by spaces, in windows of 2048.

The user's own copy: the treebank is licensed by the LDC. A text file with one sentence a line.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.known_files import own
from benchmarks.language_modelling import PERPLEXITIES, LanguageModelling
from benchmarks.task import Row, Sample
from benchmarks.tasks.wikitext2 import WINDOW, sized


def whole(rows: Sequence[Row]) -> list[Sample]:
    sentences = [line.strip() for row in rows for line in row["text"].splitlines()]
    text = " ".join(sentence for sentence in sentences if sentence)
    return [sized("all", text, text)]


TASKS = (
    LanguageModelling(
        name="ptb",
        description="perplexity per token of newspaper sentences",
        metric="token_perplexity",
        licence="LDC",
        sources={"test": [own("ptb/ptb.test.txt", "text")]},
        texts=whole,
        window=WINDOW,
        corpus=PERPLEXITIES,
    ),
)
