"""ARC, the AI2 Reasoning Challenge (Clark et al. 2018, arXiv:1803.05457): grade-school science.

`arc_easy` and `arc_challenge` compare log-likelihoods of the answers' words, as lm-evaluation-harness does. The
`_olmes` tasks are those of OLMES (Gu et al. 2024, arXiv:2406.08446): five curated examples; `_mc` compares letters instead.
"""

from benchmarks.choice import MultipleChoice, by_letter, target_of
from benchmarks.known_files import known
from benchmarks.task import Row, Sample

REVISION = "210d026faf9955653af8916fad021475a3f00453"
CURATED = {
    "Easy": ("MCAS_2007_8_5189", "Mercury_SC_401169", "MCAS_2004_8_27", "NYSEDREGENTS_2006_8_10",
             "Mercury_7013388"),
    "Challenge": ("Mercury_SC_415702", "MCAS_2009_5_6516", "Mercury_7233695", "Mercury_7041615",
                  "MCAS_1998_4_3"),
}  # fmt: skip


def read(row: Row) -> Sample:
    """Rows of the hub, with `choices: {text, label}` and `answerKey`, and rows with a list and `gold`."""
    if isinstance(row["choices"], dict):
        choices, labels = tuple(row["choices"]["text"]), list(row["choices"]["label"])
        target = labels.index(row["answerKey"]) if row.get("answerKey") in labels else -1
    else:
        choices, target = tuple(row["choices"]), row.get("gold", -1)
    return Sample(
        id=row["id"],
        fields={"question": row["question"]},
        choices=choices,
        target=target_of(target, choices, row),
    )


def prompt(sample: Sample) -> str:
    return f"Question: {sample.fields['question']}\nAnswer:"


def with_letters(sample: Sample) -> str:
    lines = [f" {letter}. {choice}" for letter, choice in zip(by_letter(sample), sample.choices, strict=True)]
    return "\n".join([f"Question: {sample.fields['question']}", *lines, "Answer:"])


def arc(level: str) -> MultipleChoice:
    hub = {"hub": f"allenai/ai2_arc:ARC-{level}", "revision": REVISION}
    return MultipleChoice(
        name=f"arc_{level.lower()}",
        dimension="reasoning",
        description="grade-school science questions",
        licence="CC-BY-SA-4.0",
        sources={
            "test": [known(f"arc/ARC-{level}-test.jsonl", "id", "question", "choices", **hub)],
            "shots": [known(f"arc/ARC-{level}-train.jsonl", "id", "question", "choices", **hub, split="train")],
        },
        read=read,
        prompt=prompt,
        metric="acc" if level == "Easy" else "acc_norm",
        shots=0 if level == "Easy" else 25,
        chance=0.25,
    )


def olmes(level: str, *, letters: bool) -> MultipleChoice:
    task = arc(level)
    return MultipleChoice(
        name=f"{task.name}_olmes" + ("_mc" if letters else ""),
        dimension=task.dimension,
        description=f"{task.description}, OLMES with " + ("letters" if letters else "the answers' words"),
        licence=task.licence,
        sources=task.sources,
        read=read,
        prompt=with_letters if letters else prompt,
        options=by_letter if letters else task.options,
        unconditional=None if letters else "Answer:",
        metric="acc" if letters else ("acc_norm" if level == "Easy" else "acc_uncond"),
        curated=CURATED[level],
        shots=5,
        chance=0.25,
    )


TASKS = (
    arc("Easy"),
    arc("Challenge"),
    *(olmes(level, letters=letters) for level in ("Easy", "Challenge") for letters in (False, True)),
)
