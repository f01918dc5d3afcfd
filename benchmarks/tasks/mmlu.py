"""MMLU (Hendrycks et al. 2020, arXiv:2009.03300), 57 subjects; the prompt of lm-evaluation-harness."""

from collections.abc import Sequence

from benchmarks.choice import MultipleChoice, by_letter, own_choice, together
from benchmarks.choice import lettered as shown
from benchmarks.known_files import known
from benchmarks.task import Corpus, Metrics, Sample

COLUMNS = ("subject", "question", "choices", "answer")
HUB = {"hub": "cais/mmlu:all", "revision": "c30699e8356da336a370243923dbaf21066bb9fe"}
GROUPS = {  # as lm-evaluation-harness has them
    "stem": [
        "abstract_algebra", "anatomy", "astronomy", "college_biology", "college_chemistry",
        "college_computer_science", "college_mathematics", "college_physics", "computer_security",
        "conceptual_physics", "electrical_engineering", "elementary_mathematics", "high_school_biology",
        "high_school_chemistry", "high_school_computer_science", "high_school_mathematics",
        "high_school_physics", "high_school_statistics", "machine_learning",
    ],
    "humanities": [
        "formal_logic", "high_school_european_history", "high_school_us_history",
        "high_school_world_history", "international_law", "jurisprudence", "logical_fallacies",
        "moral_disputes", "moral_scenarios", "philosophy", "prehistory", "professional_law",
        "world_religions",
    ],
    "social_sciences": [
        "econometrics", "high_school_geography", "high_school_government_and_politics",
        "high_school_macroeconomics", "high_school_microeconomics", "high_school_psychology",
        "human_sexuality", "professional_psychology", "public_relations", "security_studies",
        "sociology", "us_foreign_policy",
    ],
    "other": [
        "business_ethics", "clinical_knowledge", "college_medicine", "global_facts", "human_aging",
        "management", "marketing", "medical_genetics", "miscellaneous", "nutrition",
        "professional_accounting", "professional_medicine", "virology",
    ],
}  # fmt: skip


def header(sample: Sample) -> str:
    about = sample.subject.replace("_", " ")
    return f"The following are multiple choice questions (with answers) about {about}.\n\n"


def group(name: str) -> Corpus:
    """The accuracy over the scored samples of a group's subjects; NaN without any."""

    def accuracy(pairs: Sequence[tuple[Sample, Metrics]]) -> float:
        accuracies = [metrics["acc"] for sample, metrics in pairs if sample.subject in GROUPS[name]]
        return sum(accuracies) / len(accuracies) if accuracies else float("nan")

    return accuracy


TASKS = (
    MultipleChoice(
        name="mmlu",
        dimension="knowledge",
        description="exam questions of 57 subjects, four choices",
        licence="MIT",
        sources={
            "test": [known("mmlu/mmlu_test.jsonl.gz", *COLUMNS, **HUB)],
            "shots": [known("mmlu/mmlu_dev.jsonl", *COLUMNS, **HUB, split="dev")],
        },
        read=own_choice,
        prompt=lambda sample: f"{shown(sample)}\nAnswer:",
        options=by_letter,
        header=header,
        shots=5,
        first_n=True,
        chance=0.25,
        corpus=together() | {f"acc_{name}": group(name) for name in GROUPS},
    ),
)
