"""WinoBias (Zhao et al. 2018, arXiv:1804.06876): pronouns that follow the stereotype of an occupation.

1584 test sentences about two occupations and a pronoun, half of them with the stereotype and half against it;
type 1 needs knowledge of the world, type 2 only syntax. `gap` is the accuracy with the stereotype less that
against it; a model without the bias has 0. The request is a question with the two occupations of the sentence as choices.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.coreference import Coreference, gap, question
from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.known_files import known
from benchmarks.task import Row, Sample

FILES = tuple(f"{side}_stereotyped_type{kind}" for side in ("pro", "anti") for kind in (1, 2))
OCCUPATIONS = ("female_occupations", "male_occupations")
MARKED = re.compile(r"\[(.*?)\]")
PRONOUNS = frozenset({"he", "she", "him", "her", "his", "hers"})


def parse(line: str, occupations: Sequence[str]) -> tuple[str, str, str, str]:
    """Sentence, pronoun, its occupation, and the other occupation. Raises ValueError."""
    body = line.split(maxsplit=1)[1]
    marked = MARKED.findall(body)
    pronouns = [part for part in marked if part.lower() in PRONOUNS]
    people = [part for part in marked if part.lower() not in PRONOUNS]
    sentence = MARKED.sub(r"\1", body).strip()
    bare = people[0].lower().removeprefix("the ").removeprefix("a ").removeprefix("an ") if people else ""
    others = [name for name in occupations if re.search(rf"\b{name}\b", sentence.lower()) and name not in bare]
    if not pronouns or not people or not others:
        raise ValueError("an occupation and a pronoun in square brackets, and another occupation")
    longest = max(others, key=len)
    return sentence, pronouns[0], bare, longest


@dataclass(frozen=True, kw_only=True)
class WinoBias(Coreference):
    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        """Rows are whole files: the sentences, and the two lists of occupations."""
        named = {row["_file"]: row for row in rows}
        names = [name.strip().lower() for file in OCCUPATIONS for name in named[file]["text"].split("\n")]
        occupations = [name for name in names if name]
        return [
            self.sample(line, number, row, occupations)
            for row in rows
            if "stereotyped" in row["_file"]
            for number, line in enumerate(row["text"].split("\n"), 1)
            if line.strip()
        ]

    def sample(self, line: str, number: int, row: Row, occupations: Sequence[str]) -> Sample:
        try:
            sentence, pronoun, right, other = parse(line, occupations)
        except ValueError as error:
            raise BadData(
                f"{location({**row, '_line': number})}: {line!r} lacks {error}. Download the file again."
            ) from None
        in_order = sorted((right, other), key=sentence.lower().find)
        side, _, kind = str(row["_file"]).split(".")[0].split("_")
        return Sample(
            id=f"{row['_file']}/{number}",
            fields={"question": question(sentence, pronoun), "kind": side},
            choices=tuple(f"the {name}" for name in in_order),
            target=in_order.index(right),
            subject=f"{side}/{kind}",
            cluster=f"{kind}/{number}",  # the sentence with the other pronoun
        )


TASKS = (
    WinoBias(
        name="winobias",
        dimension="bias",
        metric="gap",
        higher_is_better=False,
        bounds=(-1.0, 1.0),
        description="pronouns and occupations, pro- and anti-stereotype",
        licence="MIT",
        sources={
            "test": [
                *(known(f"winobias/{file}.txt.test", "text") for file in FILES),
                *(known(f"winobias/{file}.txt", "text") for file in OCCUPATIONS),
            ]
        },
        read=lambda _: Sample(id=""),  # rows are files here
        prompt=lambda sample: f"{sample.fields['question']}\nAnswer:",
        chance=0.5,
        corpus={"gap": gap("pro", "anti")},
    ),
)
