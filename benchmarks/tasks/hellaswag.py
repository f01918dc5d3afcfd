"""HellaSwag (Zellers et al. 2019, arXiv:1905.07830): which sentence comes next. Clustered by source text.

`hellaswag_olmes` is the task of OLMES (Gu et al. 2024, arXiv:2406.08446), after five of the training set's texts.
"""

import re
from dataclasses import replace

from benchmarks.choice import MultipleChoice, target_of
from benchmarks.known_files import known
from benchmarks.task import Row, Sample

BRACKETS = re.compile(r"\[.*?\]")  # left over from WikiHow's headings
COLUMNS = ("ind", "activity_label", "ctx_a", "ctx_b", "endings", "source_id", "label")
CURATED = (
    "Health: How to cope with suicidal thoughts. Put off any plans. Promise yourself that you'll wait 48 "
    "hours before doing anything. Remember, thoughts don't have the power to force you to act. Sometimes "
    "extreme pain can distort our perception. Waiting before taking action will give your mind time to "
    "clear.",
    "Education and Communications: How to make a liquid into a solid. Place a small open container of "
    "water in the freezer compartment of a class or home refrigerator. Leave the water there for several "
    "hours or overnight. Remove from the freezer and note what has occurred.  Water changes state from "
    "liquid to solid when it reaches a temperature of 0 degrees celsius, or 32 degrees fahrenheit. This "
    "is a simple example of changing from liquid to solid, or freezing.",
    "Baking cookies: A female chef in white uniform shows a stack of baking pans in a large kitchen "
    "presenting them. The pans are filled with pastries and loaded into the oven. A knife is used to cut "
    "cylinder shaped dough into rounds.",
    "Starting a campfire: He takes his lighter and lights the newspaper in several places to start the "
    "fire. The bonfire starts burning and continues to burn. He adds a few more twigs to keep the flames "
    "burning.",
    "Finance and Business: How to write a method statement. Prepare to write by conducting a risk "
    "assessment--an in-depth examination of the task or process. Identify the work hazards (those that "
    "could potentially cause poor health or personal harm) that are inherent in the task. Analyze what "
    "has been done about these hazards and if these measures are enough to reduce the harm potential to "
    "an acceptable level. Decide what additional measures need to be taken to reduce harm if an "
    "acceptable level has not been met. Begin to write your method statement, starting at the header.",
)


def cleaned(text: str) -> str:
    return BRACKETS.sub("", text.strip().replace(" [title]", ". ")).replace("  ", " ")


def read(row: Row) -> Sample:
    context = f"{row['activity_label']}: {row['ctx_a']} {row['ctx_b'].capitalize()}"
    endings = tuple(cleaned(ending) for ending in row["endings"])
    return Sample(
        id=f"{row['_line']}/{row['ind']}",
        fields={"question": cleaned(context)},
        choices=endings,
        target=target_of(row["label"], endings, row),
        cluster=row["source_id"],
    )


PLAIN = MultipleChoice(
    name="hellaswag",
    dimension="reasoning",
    description="choice of the sentence that continues a text",
    licence="MIT",
    sources={
        "test": [
            known(
                "hellaswag/hellaswag_val.jsonl.gz",
                *COLUMNS,
                hub="Rowan/hellaswag",
                revision="218ec52e09a7e7462a5400043bb9a69a41d06b76",
                split="validation",
            )
        ]
    },
    read=read,
    prompt=lambda sample: str(sample.fields["question"]),
    metric="acc_norm",
    chance=0.25,
)
TASKS = (
    PLAIN,
    replace(
        PLAIN,
        name="hellaswag_olmes",
        description="choice of the sentence that continues a text, OLMES",
        header=lambda _: "".join(f"{text}\n\n" for text in CURATED),
        unconditional="Answer:",
    ),
)
