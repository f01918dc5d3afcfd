"""What is exported in the formats of the public benchmarks is read back to the same numbers."""

from __future__ import annotations

import json

import pytest

from arena.errors import ConfigError
from arena.exchange.export_prompt_set import export_set
from arena.exchange.prompt_set import file_name
from arena.judging.published.scores import PROTOCOLS
from arena.judging.results import Judged, win_rate_rows
from arena.prompt_sets.files import read_prompt_file
from arena.store.prompts import NewPrompt, add_completion, add_prompt_set, completions_of, prompts_of
from arena.store.verdicts import NewVerdict, add_score, add_verdicts
from judges import Score, Verdict
from tests.support.typed import Typed

MODELS = ("base", "org/good", "weak")
TEXTS = ("Why is the sky blue?", "Write a poem, über alles.", "2 + 2?", "Name a tree.")
# preference for the left model of (base, org/good) and (base, weak), over the four prompts
LEFT = {"org/good": (0.1, 0.25, 0.5, 0.4), "weak": (0.9, 1.0, 0.5, 0.3)}


def user_messages(content: str) -> tuple[dict[str, str], ...]:
    return ({"role": "user", "content": content},)


@pytest.fixture
def judged(sqlite):
    """A set of four prompts, three models, and one judge's verdicts in both orders against `base`."""
    prompts = [NewPrompt(f"k{number}", user_messages(text), "misc") for number, text in enumerate(TEXTS)]
    with sqlite.write() as session:
        add_prompt_set(session, "set", "test", "0" * 64, prompts)
        stored = {prompt.key: prompt for prompt in prompts_of(session, "set")}
        for prompt in stored.values():
            for model in MODELS:
                add_completion(session, prompt.id, model, f"{model} on {prompt.key}")
        completions = completions_of(session, "set")
        for model, preferences in LEFT.items():
            add_verdicts(session, "judge:j", "d", [
                NewVerdict(
                    stored[f"k{n}"], completions[f"k{n}", "base"], completions[f"k{n}", model],
                    winner(p), p, 2 if p in (0.1, 1.0) else 1, (winner(p), "tie" if n == 3 else winner(p)), "said so",
                )
                for n, p in enumerate(preferences)
            ])  # fmt: skip
        for (key, model), completion in completions.items():
            score = Score(1.0 + len(model) + int(key[1]) / 4, "[[2]] not this")
            add_score(session, "judge:j", "d", completion.id, score)
    return sqlite


def winner(preference: float) -> str:
    return "tie" if preference == 0.5 else "model_a" if preference > 0.5 else "model_b"


def test_alpaca_eval_scores_are_those_of_the_run(judged, tmp_path):
    done = export_set(judged, tmp_path / "out", "alpaca_eval", "set")
    assert (done.prompts, done.completions, done.verdicts, done.notes) == (4, 12, 8, [])
    folders = [tmp_path / "out" / file_name(model) for model in LEFT]
    rows = {
        row["model"]: row for row in PROTOCOLS["alpaca_eval"](folders, baseline=tmp_path / "out" / "base").rows
    }
    verdicts = [
        Judged(f"k{n}", "base", model, Verdict(winner(p), p, ""))
        for model, preferences in LEFT.items()
        for n, p in enumerate(preferences)
    ]
    for row in win_rate_rows(verdicts, "base"):
        again = rows[file_name(row["model"])]
        for name in ("win_rate", "standard_error", "n_wins", "n_draws", "n_total"):
            assert again[name] == pytest.approx(row[name], abs=1e-12), (row["model"], name)


def test_alpaca_eval_prompts_and_completions_come_back(judged, tmp_path):
    export_set(judged, tmp_path / "out", "alpaca_eval", "set")
    read = read_prompt_file(tmp_path / "out" / "weak")
    assert [prompt.messages for prompt in read.prompts] == [user_messages(text) for text in TEXTS]
    assert sorted(read.completions.values()) == [f"weak on k{n}" for n in range(4)]


def test_arena_hard_scores_follow_from_both_games(judged, tmp_path):
    export_set(judged, tmp_path / "out", "arena_hard", "set")
    files = sorted((tmp_path / "out" / "model_judgment" / "j").glob("*.jsonl"))
    rows = {row["model"]: row for row in PROTOCOLS["arena_hard"](files).rows}
    # good: much better twice (weight 3), better twice, tie twice, better once and a tie
    assert rows["org/good"]["win_rate"] == pytest.approx(100 * (6 + 2 + 1 + 1 + 0.5) / (6 + 2 + 2 + 1 + 1))
    # weak: lost twice, lost much worse twice, tie twice, better once and a tie
    assert rows["weak"]["win_rate"] == pytest.approx(100 * (0 + 0 + 1 + 1 + 0.5) / (2 + 6 + 2 + 1 + 1))
    assert [rows[model]["judged"] for model in rows] == [8, 8]
    prompts = read_prompt_file(tmp_path / "out" / "question.jsonl")
    assert (prompts.format, [p.key for p in prompts.prompts]) == ("arena_hard", ["k0", "k1", "k2", "k3"])


def test_the_baseline_stands_in_the_first_game_whichever_side_it_is_stored_on(judged, tmp_path):
    """Against `weak` as the baseline, `base` is the model, and what it won before it wins again."""
    export_set(judged, tmp_path / "out", "arena_hard", "set", baseline="weak")
    (row,) = PROTOCOLS["arena_hard"]([tmp_path / "out" / "model_judgment" / "j" / "base.jsonl"]).rows
    assert row["win_rate"] == pytest.approx(100 - 100 * (0 + 0 + 1 + 1 + 0.5) / (2 + 6 + 2 + 1 + 1))


def test_mt_bench_scores_are_the_stored_ones(judged, tmp_path):
    export_set(judged, tmp_path / "out", "mt_bench", "set")
    rows = {
        row["model"]: row for row in PROTOCOLS["mt_bench"]([tmp_path / "out/model_judgment/j_single.jsonl"]).rows
    }
    for model in MODELS:
        assert rows[model]["score"] == pytest.approx(1.0 + len(model) + 1.5 / 4)
        assert (rows[model]["judged"], rows[model]["unparsed"]) == (4, 0)
    prompts = read_prompt_file(tmp_path / "out" / "question.jsonl")
    (pairs,) = [PROTOCOLS["mt_bench"]([tmp_path / "out/model_judgment/j_pair.jsonl"])]
    assert {row["model"] for row in pairs.rows} == set(MODELS)
    assert sum(row["wins"] - row["losses"] for row in pairs.rows) == 0
    assert (prompts.format, [p.messages for p in prompts.prompts]) == (
        "mt_bench",
        [user_messages(text) for text in TEXTS],
    )
    answers = [
        json.loads(line) for line in (tmp_path / "out/model_answer/org__good.jsonl").read_text().splitlines()
    ]
    assert answers[0]["choices"][0]["turns"] == ["org/good on k0"]


def test_mt_bench_has_a_row_for_each_turn_that_was_judged(sqlite, tmp_path):
    two = (*user_messages("Name a tree."), *user_messages("And another."))
    with sqlite.write() as session:
        add_prompt_set(session, "set", "test", "0" * 64, [NewPrompt("k0", two, "writing")])
        (prompt,) = prompts_of(session, "set")
        add_completion(session, prompt.id, "m", "An oak.", earlier=("A birch.",))
        (completion,) = completions_of(session, "set").values()
        add_score(session, "judge:each", "d", completion.id, Score(7.5, "both", (9.0, 6.0)))
        add_score(session, "judge:last", "d", completion.id, Score(4.0, "the last"))
    for judge, first, second in (("each", 9.0, 6.0), ("last", None, 4.0)):
        export_set(sqlite, tmp_path / judge, "mt_bench", "set", judge=judge)
        (row,) = PROTOCOLS["mt_bench"]([tmp_path / judge / f"model_judgment/{judge}_single.jsonl"]).rows
        assert (row["first_turn"], row["second_turn"]) == (first, second)
        assert row["score"] == (7.5 if judge == "each" else 4.0)


def test_openai_batch_files_come_back_as_the_same_prompts(judged, tmp_path):
    bodies = {"a/b": lambda messages: {"model": "b", "messages": messages}}
    export_set(judged, tmp_path / "out", "openai-batch", "set", bodies=bodies)
    read = read_prompt_file(tmp_path / "out" / "a__b.jsonl")
    assert read.format == "openai_batch"
    assert [(p.key, p.messages) for p in read.prompts] == [
        (f"k{n}", user_messages(text)) for n, text in enumerate(TEXTS)
    ]


def test_what_a_format_cannot_hold_is_reported(sqlite, tmp_path):
    talk = (*user_messages("Hi"), {"role": "assistant", "content": "Ho"}, *user_messages("And?"))
    with sqlite.write() as session:
        add_prompt_set(
            session, "talks", "t", "1" * 64, [NewPrompt("t", talk), NewPrompt("two", user_messages("A") * 2)]
        )
    notes = [
        export_set(sqlite, tmp_path / name, name, "talks").notes[0]
        for name in ("alpaca_eval", "arena_hard", "mt_bench", "openai-batch")
    ]
    assert [note.partition(" prompts")[0] for note in notes] == ["2", "2", "1", "1"]


def test_what_there_is_to_choose_from_is_reported(judged, tmp_path):
    def refused(**given) -> str:
        with pytest.raises(ConfigError) as message:
            export_set(
                judged, tmp_path / "out", given.pop("format", "alpaca_eval"), given.pop("name", "set"), **given
            )
        return str(message.value)

    assert "Prompt set 'other' not found. Prompt sets: set." in refused(name="other")
    assert "'k' has no verdicts on this prompt set. Judges with verdicts: j" in refused(judge="k")
    assert "'x' has no completions. Models with completions: base, org/good, weak" in refused(baseline="x")
    assert not (tmp_path / "out").exists()


def test_the_command(judged, tmp_path, monkeypatch, capsys):
    arena = Typed(monkeypatch, capsys)
    done = arena("export", "--format", "openai-batch", "--prompts", "set", "--models", "m", folder=tmp_path)
    assert (done.returncode, "4 prompts" in done.stderr) == (0, True)
    assert len((tmp_path / "export" / "m.jsonl").read_text().splitlines()) == 4
    wrong = arena("export", "--format", "mt_bench", "--out", "x", folder=tmp_path)
    assert (wrong.returncode, "needs --prompts SET. Run: arena prompts list" in wrong.stderr) == (2, True)
    nobody = arena("export", "--format", "openai-batch", "--prompts", "set", "--out", "x", folder=tmp_path)
    assert "Give some with --models" in nobody.stderr
