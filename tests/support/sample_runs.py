"""A judged prompt set and benchmark runs, for tests of exports to other harnesses."""

from __future__ import annotations

from arena.store import Database
from arena.store.benchmarks import keep_run
from arena.store.prompts import NewPrompt, add_completion, add_prompt_set, completions_of, prompts_of
from arena.store.verdicts import NewVerdict, add_score, add_verdicts
from judges import Score

MODELS = ("base", "org/good")
FACTS = ("key", "messages", "category", "checklist", "reference", "extra")


def user(*texts: str) -> tuple[dict[str, str], ...]:
    return tuple({"role": "user", "content": text} for text in texts)


PROMPTS = [
    NewPrompt("k0", user("Why, über alles?"), "misc", ("is kind",), "Because."),
    NewPrompt("k1", user("Name a tree.", "And\nanother."), "writing", extra={"origin": "here"}),
    NewPrompt("k2", ({"role": "system", "content": "Be brief."}, *user("[{世界")), "misc"),
    NewPrompt("k3", (*user("Hi"), {"role": "assistant", "content": "Ho"}, *user("And?")), "talk"),
]


def store_judged(database: Database) -> None:
    """Four prompts of every shape, two models, and one judge's scores and verdicts on three of them."""
    with database.write() as session:
        add_prompt_set(session, "set", "test", "0" * 64, PROMPTS)
        stored = prompts_of(session, "set")
        for prompt in stored:
            for model in MODELS:
                earlier = ["An oak."] * (prompt.turns - 1)
                add_completion(session, prompt.id, model, f"{model} on\n {prompt.key} ✓", earlier=earlier)
        written = completions_of(session, "set")
        for number, prompt in enumerate(stored[:3]):
            a, b = (written[prompt.key, model] for model in MODELS)
            winner = ("model_b", "tie", "model_a")[number]
            verdict = NewVerdict(prompt, a, b, winner, (0.1, 0.5, 1.0)[number], 1, (winner, winner), "said so")
            add_verdicts(session, "judge:j", "d", [verdict])
            for completion, score in ((a, 4.0), (b, 7.0 + number)):
                add_score(session, "judge:j", "d", completion.id, Score(score, f"worth {score}"))


RUN = {
    "task": "gsm8k", "dimension": "reasoning", "settings": "s", "config_hash": "c", "request_type": "generate",
    "options": {"shots": 5, "limit": 3}, "metric": "acc", "value": 1 / 3, "standard_error": 0.27, "lower": 0.06,
    "upper": 0.79, "scored": 1, "unparsed": 1, "failed": 1, "metrics": {"acc": 1 / 3, "strict": 0.0}, "subjects": {},
}  # fmt: skip


def outcome(number: int, status: str, reply: str, **more) -> dict:
    return {
        "number": number, "sample": f"s{number}", "subject": "sums", "cluster": "", "status": status, "metrics": "{}",
        "prompt": f"Question {number}?", "target": "42", "reply": reply, **more,
    }  # fmt: skip


def store_benched(database: Database) -> None:
    """One run of three samples: right, unreadable, failed; and one by log-probabilities."""
    rows = [
        outcome(0, "scored", "It is 42.", answer="42", metrics='{"acc": 1.0, "strict": 0.0, "_length": 9.0}'),
        outcome(1, "unparsed", "Who knows?", reason="no number"),
        outcome(2, "failed", "", reason="timeout"),
    ]
    with database.write() as session:
        keep_run(session, "org/m", RUN, rows)
        likely = {**RUN, "config_hash": "l", "request_type": "loglikelihood"}
        keep_run(session, "other", likely, [outcome(0, "scored", "", answer="A", metrics='{"acc": 0.0}')])


def files(folder):
    """The files with samples: of Every Eval Ever, lm-eval, inspect and evalscope."""
    patterns = ("*_samples.jsonl", "samples_*.jsonl", "*.eval", "predictions/*/*.jsonl")
    return sorted(path for pattern in patterns for path in folder.rglob(pattern))


def content(database, name="set"):
    with database.read() as session:
        prompts = sorted(prompts_of(session, name), key=lambda prompt: prompt.key)
        written = {place: (*row.earlier, row.text) for place, row in completions_of(session, name).items()}
    return [[getattr(prompt, fact) for fact in FACTS] for prompt in prompts], written
