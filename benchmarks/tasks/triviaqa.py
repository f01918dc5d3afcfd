"""TriviaQA (Joshi et al. 2017, arXiv:1705.03551), the Wikipedia part without its documents, and Natural Questions
in the open form (Lee et al. 2019, arXiv:1906.00300).

The prompts are those of lm-evaluation-harness, question marks included; any accepted spelling counts, whatever
its case, punctuation and articles.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.generation import Generation, nothing
from benchmarks.known_files import known
from benchmarks.metrics import exact_match, word_f1
from benchmarks.task import Outcome, Row, Sample, Source, scored, unparsed

ENDS = ("\n", ".", ",")


def read_trivia(row: Row) -> Sample:
    return Sample(
        id=row["question_id"],
        fields={"question": row["question"]},
        target=(row["value"], *row["aliases"]),
    )


def read_natural(row: Row) -> Sample:
    return Sample(
        id=f"{row['_file']}/{row['_line']}",
        fields={"question": row["question"]},
        target=tuple(row["answer"]),
    )


def score_text(sample: Sample, text: str) -> Outcome:
    if not text.strip():
        return unparsed("empty", text)
    metrics = {"exact_match": exact_match(text, sample.target), "f1": word_f1(text, sample.target)}
    return scored(metrics, text.strip())


def facts(
    name: str,
    source: Source,
    read: Callable[[Row], Sample],
    prompt: Callable[[Sample], str],
    header: Callable[[Sample], str] = nothing,
    **options: Any,
) -> Generation:
    return Generation(
        name=name,
        dimension="knowledge",
        metric="exact_match",
        sources={"test": [source]},
        read=read,
        prompt=prompt,
        header=header,
        solution=lambda sample: str(sample.target[0]),
        score_text=score_text,
        shots=5,
        max_tokens=32,
        stop=ENDS,
        read_truncated=True,  # an answer is a few words, and they come first
        counted=("f1",),
        **options,
    )


TASKS = (
    facts(
        "triviaqa",
        known("triviaqa/rc_wikipedia_nocontext_val.jsonl.gz", "question_id", "question", "value", "aliases"),
        read_trivia,
        lambda sample: f"Question: {sample.fields['question']}?\nAnswer:",
        licence="Apache-2.0",
        description="trivia questions without documents",
    ),
    facts(
        "nq_open",
        known("nq_open/nq_open_val.jsonl", "question", "answer"),
        read_natural,
        lambda sample: f"Q: {sample.fields['question']}?\nA:",
        lambda _: "Answer these questions:\n\n",
        between="\n",
        licence="CC-BY-SA-3.0",
        description="search-engine questions without documents",
    ),
)
