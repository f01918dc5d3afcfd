"""GSM8K (Cobbe et al. 2021, arXiv:2110.14168): grade-school word problems.

`exact_match` compares the number that the text gives as its answer. The patterns of lm-evaluation-harness are reported
too: `flexible`, the last number of the text, and `strict`, the one after `####` (or after "The answer is" in
`gsm8k_cot`, which shows the eight solved problems of Wei et al.); so are the length of the chains and the kind of error
of wrong ones. `gsm8k_maj8` is the majority vote over eight completions; `--repeats` sets
another number.
"""

from collections.abc import Callable
from dataclasses import replace

from benchmarks.chains import described
from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.extract import SAID_NUMBER, STRICT_NUMBER, last_number, said_number, strict_number
from benchmarks.generation import Generation
from benchmarks.known_files import known
from benchmarks.metrics import number
from benchmarks.numbers import canonical, free_number
from benchmarks.task import Outcome, Row, Sample, scored, unparsed
from benchmarks.wei_chains import WEI_CHAINS

HUB = {"hub": "openai/gsm8k:main", "revision": "cc7b047b6e5bb11b4f1af84efc572db110a51b3c"}


def read(row: Row) -> Sample:
    target = strict_number(row["answer"])
    if target is None:
        raise BadData(f"{location(row)}: The answer does not end with `#### number`. Use the original file.")
    return Sample(
        id=f"{row['_file']}/{row['_line']}",
        fields={"question": row["question"], "answer": row["answer"]},
        target=number(target),
    )


def reader(strict: Callable[[str], str | None]) -> Callable[[Sample, str], Outcome]:
    def score_text(sample: Sample, text: str) -> Outcome:
        answer, flexible, exact = free_number(text), last_number(text), strict(text)
        published = {
            "flexible": float(flexible is not None and number(flexible) == sample.target),
            "strict": float(exact is not None and number(exact) == sample.target),
        }
        if answer is None:
            return unparsed("no number", text, published)
        right = float(answer == canonical(sample.target))
        return scored({"exact_match": right, **published, **described(text, answer, sample.target)}, answer)

    return score_text


def solved(_: Sample) -> str:
    return "".join(f"Q: {question}\nA: {chain}\n\n" for question, chain in WEI_CHAINS)


DIRECT = Generation(
    name="gsm8k",
    dimension="reasoning",
    metric="exact_match",
    description="grade-school word problems",
    licence="MIT",
    sources={
        "test": [known("gsm8k/test.jsonl", "question", "answer", **HUB)],
        "shots": [known("gsm8k/train.jsonl", "question", "answer", **HUB, split="train")],
    },
    read=read,
    prompt=lambda sample: f"Question: {sample.fields['question']}\nAnswer:",
    solution=lambda sample: str(sample.fields["answer"]),
    score_text=reader(strict_number),
    shots=5,
    max_tokens=256,
    stop=("Question:", "</s>", "<|im_end|>"),
    final=STRICT_NUMBER,
    counted=("flexible", "strict"),
    text_scorer=2,
)
CHAINED = replace(
    DIRECT,
    name="gsm8k_cot",
    description="grade-school word problems, with chains of thought",
    sources={"test": DIRECT.sources["test"]},
    prompt=lambda sample: f"Q: {sample.fields['question']}\nA:",
    header=solved,
    score_text=reader(said_number),
    shots=0,
    stop=("Q:", "</s>", "<|im_end|>"),
    final=SAID_NUMBER,
)
TASKS = (
    DIRECT,
    CHAINED,
    replace(
        CHAINED,
        name="gsm8k_maj8",
        description="grade-school word problems, majority of eight solutions",
        repeats=8,
        temperature=0.7,
    ),
)
