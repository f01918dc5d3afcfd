"""Reviews of LLMuses and evalscope become stored verdicts of a named judge: all of them, or none."""

from __future__ import annotations

import json
import re

import pytest

from arena.errors import ConfigError
from arena.exchange.import_reviews import import_reviews
from arena.prompt_sets.completion_import import CompletionFiles, import_completions
from arena.prompt_sets.prompt_sets import HowToRead, import_prompts
from arena.prompt_sets.records import BadPromptFile
from arena.store.prompt_set_verdicts import scores_of_set, verdicts_of_set
from arena.store.prompts import completions_of, prompt_sets, prompts_of
from arena.store.verdicts import NewVerdict, add_verdicts
from tests.support.typed import Typed

PAIR = {"model_a": "x", "model_b": "y", "scores": [7.0, 9.0], "win": "model_b", "anony": True, "language": "NA",
        "question_id": 1, "category": "数学解题", "question": "1+2?", "output_a": "4", "output_b": "3"}  # fmt: skip
SINGLE = {
    "model": "x",
    "score": 8,
    "question_id": 1,
    "category": "c",
    "question": "1+2?",
    "review_text": "Rating: [[8]]",
}


def pair(number: int, win: str, **more) -> dict:
    return {**PAIR, "question_id": number, "question": f"{number}+2?", "win": win, **more}


def written(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def verdicts(database, name="battle"):
    with database.read() as session:
        return {
            (row.prompt, row.model_a, row.model_b): (row.winner, row.preference, row.orders)
            for row in verdicts_of_set(session, name)
        }


def test_reviews_with_outputs_become_a_set_with_completions_and_verdicts(database, tmp_path):
    file = written(tmp_path / "battle.jsonl", [PAIR, pair(2, "tie"), pair(3, "unknown", scores=[-1, -1])])
    done = import_reviews(database, file, "gpt-4")
    assert (done.prompts, done.verdicts, done.scores, done.there, done.unread, done.completions) == (
        "battle", 2, 0, 0, 1, 6,
    )  # fmt: skip
    assert verdicts(database) == {("1", "x", "y"): ("model_b", 0.0, ()), ("2", "x", "y"): ("tie", 0.5, ())}
    with database.read() as session:
        rows = verdicts_of_set(session, "battle")
        prompts = prompts_of(session, "battle")
        completions = {place: row.text for place, row in completions_of(session, "battle").items()}
    assert {(row.source, row.reason) for row in rows} == {("judge:gpt-4", "scores 7.0 and 9.0")}
    assert (prompts[0].key, prompts[0].messages[0]["content"], prompts[0].category) == ("1", "1+2?", "数学解题")
    assert (len(completions), completions["1", "y"]) == (6, "3")
    again = import_reviews(database, file, "judge:gpt-4")
    assert (again.verdicts, again.there, again.completions) == (0, 2, 0)


def test_two_orders_of_a_pair_are_one_verdict(sqlite, tmp_path):
    """As two records, of which the second has the sides exchanged, or as one record with both winners."""
    swapped = {"model_a": "y", "model_b": "x", "output_a": "3", "output_b": "4"}
    rows = [
        PAIR, pair(1, "model_a", **swapped),  # y twice
        pair(2, "model_a"), pair(2, "model_a", **swapped),  # whoever stands first
        {**{k: v for k, v in pair(3, "").items() if k != "win"}, "win_1": "model_a", "win_2": "model_a"},
        {**{k: v for k, v in pair(4, "").items() if k != "win"}, "win_1": "model_a", "win_2": "tie"},
    ]  # fmt: skip
    done = import_reviews(sqlite, written(tmp_path / "battle.jsonl", rows), "j")
    assert (done.verdicts, done.completions) == (4, 8)
    assert verdicts(sqlite) == {
        ("1", "x", "y"): ("model_b", 0.0, ("model_b", "model_b")),
        ("2", "x", "y"): ("tie", 0.5, ("model_a", "model_b")),
        ("3", "x", "y"): ("model_a", 1.0, ("model_a", "model_a")),
        ("4", "x", "y"): ("tie", 0.75, ("model_a", "tie")),
    }


def test_reviews_of_single_completions_are_scores(sqlite, tmp_path):
    answer = {"question_id": 1, "text": "1+2?", "category": "c", "answer": "3", "model_id": "x"}
    import_completions(sqlite, CompletionFiles([written(tmp_path / "answer_x.jsonl", [answer])]), "set")
    done = import_reviews(sqlite, written(tmp_path / "review.jsonl", [SINGLE]), "j", "set")
    assert (done.verdicts, done.scores, done.unread) == (0, 1, 0)
    with sqlite.read() as session:
        [row] = scores_of_set(session, "set")
    assert (row.prompt, row.model, row.source, row.score, row.reason) == (
        "1",
        "x",
        "judge:j",
        8.0,
        "Rating: [[8]]",
    )
    unread = written(tmp_path / "unread.jsonl", [{**SINGLE, "score": -1}])
    assert import_reviews(sqlite, unread, "k", "set").unread == 1


WITHOUT = {name: value for name, value in pair(2, "tie").items() if not name.startswith("output")}
WRONG = [
    ({**PAIR, "win": "both"}, r":2: the winner is 'both'. Expected one of: model_a"),
    (
        {key: value for key, value in PAIR.items() if key != "win"},
        r":2: no field 'win_1'. Reviews of reviews need it",
    ),
    ({**PAIR, "question_id": 1, "question": "other?"}, r":2: a second review of x and y on '1'"),
    ({**PAIR, "model_b": "z", "question": "other?"}, r":2: the id '1' has another question"),
    (pair(2, "tie", model_b="x"), r":2: the model 'x' is on both sides"),
    (pair(2, "tie", output_b=3), r":2: output is '3'. Expected text"),
    (
        {key: value for key, value in pair(2, "tie").items() if key != "output_b"},
        r":2: output_a or output_b is missing",
    ),
    (WITHOUT, r":2: x has no completion of '2' in 'battle'. Run `arena completions import"),
    ({**SINGLE, "score": "8"}, r":2: the score is '8'. Expected a number"),
    ({**SINGLE, "score": float("nan")}, r":2: the score is 'nan'. Expected a number"),
    (pair(2, "tie", question_id=""), r":2: the id is empty"),
]


@pytest.mark.parametrize(("row", "message"), WRONG)
def test_a_wrong_record_names_its_line_and_nothing_is_imported(sqlite, tmp_path, row, message):
    file = written(tmp_path / "battle.jsonl", [PAIR, row])
    with pytest.raises(BadPromptFile, match=re.escape(str(file)) + message):
        import_reviews(sqlite, file, "j")
    with sqlite.read() as session:
        assert prompt_sets(session) == []


def test_verdicts_that_are_there_are_not_changed(sqlite, tmp_path):
    import_reviews(sqlite, written(tmp_path / "battle.jsonl", [PAIR]), "j")
    other = written(tmp_path / "battle.jsonl", [{**PAIR, "win": "tie"}])
    with pytest.raises(BadPromptFile, match="judge:j has another verdict on x and y here"):
        import_reviews(sqlite, other, "j")
    assert len(verdicts(sqlite)) == 1


def test_verdicts_of_a_judge_run_here_are_not_mixed_with_imported_ones(sqlite, tmp_path):
    rows = [PAIR, pair(2, "tie")]
    import_reviews(sqlite, written(tmp_path / "battle.jsonl", rows), "j")
    with sqlite.write() as session:
        prompt = prompts_of(session, "battle")[0]
        completions = completions_of(session, "battle")
        a, b = (completions["1", model] for model in "xy")
        add_verdicts(session, "judge:here", "run", [NewVerdict(prompt, a, b, "model_b", 0.0, 1, (), "")])
    assert import_reviews(sqlite, written(tmp_path / "battle.jsonl", rows[:1]), "here").there == 1


MAPPING = 'Reasoning: ["数学解题", "logic"]\nTranslation: ["翻译"]\nOther: ["*"]\nNever: ["logic", "late"]\n'


def test_categories_get_the_names_of_a_mapping(sqlite, tmp_path):
    """The first group counts, and one with * takes all that come after it, as in evalscope."""
    mapping = tmp_path / "category_mapping.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    names = ("数学解题", "翻译", "logic", "late", "unheard of")
    rows = [pair(n, "tie", category=name) for n, name in enumerate(names)]
    import_reviews(sqlite, written(tmp_path / "battle.jsonl", rows), "j", categories=mapping)
    expected = ["Reasoning", "Translation", "Reasoning", "Other", "Other"]
    questions = [{"question_id": n, "text": f"{n}?", "category": name} for n, name in enumerate(names)]
    file = written(tmp_path / "question.jsonl", questions)
    import_prompts(sqlite, str(file), how=HowToRead(categories=mapping))
    answers = written(tmp_path / "answer.jsonl", [{**q, "answer": "a", "model_id": "x"} for q in questions])
    import_completions(sqlite, CompletionFiles([answers], categories=mapping))
    with sqlite.read() as session:
        for name in ("battle", "question", "answer"):
            assert [prompt.category for prompt in prompts_of(session, name)] == expected


def test_a_mapping_without_a_rest_leaves_other_categories_alone(sqlite, tmp_path):
    mapping = tmp_path / "groups.yaml"
    mapping.write_text("Sums: [maths]\n", encoding="utf-8")
    rows = [{"question_id": n, "text": f"{n}?", "category": name} for n, name in enumerate(("maths", "art"))]
    import_prompts(sqlite, str(written(tmp_path / "set.jsonl", rows)), how=HowToRead(categories=mapping))
    with sqlite.read() as session:
        assert [prompt.category for prompt in prompts_of(session, "set")] == ["Sums", "art"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Sums: maths", "Sums is 'maths'. Expected a list of categories"),
        ("Sums: [1]", "Expected a list of categories"),
        ("- maths", "expected keys with values"),
        ("Sums: [", "cannot be read as YAML"),
        (f"{'S' * 61}: ['数学解题']", "has 61 characters. Use up to 60"),
    ],
)
def test_a_wrong_mapping_is_named(sqlite, tmp_path, text, message):
    mapping = tmp_path / "groups.yaml"
    mapping.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(str(mapping)) + f".*{message}"):
        import_reviews(sqlite, written(tmp_path / "battle.jsonl", [PAIR]), "j", categories=mapping)


def test_the_command(sqlite, tmp_path, monkeypatch, capsys):
    arena = Typed(monkeypatch, capsys)
    written(tmp_path / "battle.jsonl", [PAIR, pair(2, "unknown")])
    done = arena("judge", "import", "battle.jsonl", "--judge", "gpt-4", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "battle: 1 verdicts and 0 scores of gpt-4" in done.stderr
    assert "1 reviews have no verdict that was read, and were skipped" in done.stderr
    board = arena("leaderboard", "--source", "judge:gpt-4", "--format", "json", folder=tmp_path)
    assert [row["model"] for row in json.loads(board.stdout)["models"]] == ["y", "x"]
