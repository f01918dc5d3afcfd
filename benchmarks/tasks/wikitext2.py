"""WikiText-2 (Merity et al. 2016, arXiv:1609.07843), raw, the test file: perplexities in two conventions.

`wikitext2`: whole pages without their tokeniser's marks, divided by the words and bytes of the raw pages, as
lm-evaluation-harness has it. `wikitext2_gptq`: all rows joined by empty lines, in windows of 2048 tokens, divided
by the tokens, as papers on quantisation have it; models with other tokenisers cannot be compared by it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks import wikitext
from benchmarks.known_files import known
from benchmarks.language_modelling import PERPLEXITIES, LanguageModelling
from benchmarks.task import Row, Sample

SOURCES = {
    "test": [
        known("wikitext2/wiki.test.raw.txt", "text", hub="Salesforce/wikitext:wikitext-2-raw-v1",
              revision="b08601e04326c79dfdd32d625aee71d232d685c3")
    ]
}  # fmt: skip
WINDOW = 2048


def sized(name: str, text: str, raw: str) -> Sample:
    r"""Words are what ``\s+`` parts, the emptiness before the first and after the last among them, as there."""
    counts = {"words": len(re.split(r"\s+", raw)), "bytes": len(raw.encode("utf-8"))}
    return Sample(id=name, fields={"text": text, **counts})


def lines(read: Sequence[Row]) -> list[str]:
    """The hub's rows, from the one file or from the hub."""
    return wikitext.rows(read[0]["text"]) if len(read) == 1 else [row["text"] for row in read]


def by_page(read: Sequence[Row]) -> list[Sample]:
    return [
        sized(str(number), wikitext.detokenised(page), page)
        for number, page in enumerate(wikitext.pages(lines(read)), 1)
    ]


def whole(read: Sequence[Row]) -> list[Sample]:
    text = "\n\n".join(lines(read))
    return [sized("all", text, text)]


TASKS = (
    LanguageModelling(
        name="wikitext2",
        description="perplexity of Wikipedia pages",
        licence="CC-BY-SA-3.0",
        sources=SOURCES,
        texts=by_page,
        corpus=PERPLEXITIES,
    ),
    LanguageModelling(
        name="wikitext2_gptq",
        description="perplexity per token, in windows of 2048",
        metric="token_perplexity",
        licence="CC-BY-SA-3.0",
        sources=SOURCES,
        texts=whole,
        window=WINDOW,
        corpus=PERPLEXITIES,
    ),
)
