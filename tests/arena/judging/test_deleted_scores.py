"""A judge's scores are deleted by name, and then another configuration may score the same completions."""

import pytest

from arena.store.judge_scores import delete_scores, mean_scores
from arena.store.models import model_ids, register_models
from arena.store.schema.judging import Prompt, PromptCompletion, PromptSet
from arena.store.verdicts import OtherConfig, add_score
from judges import Score
from tests.support.typed import Typed


@pytest.fixture
def completions(database):
    with database.write() as session:
        register_models(session, ["one"])
        [model] = model_ids(session)
        prompts = PromptSet(name="set", source="here", sha256="0" * 64)
        session.add(prompts)
        session.flush()
        prompt = Prompt(set_id=prompts.id, key="a", number=1, messages="[]")
        session.add(prompt)
        session.flush()
        completion = PromptCompletion(prompt_id=prompt.id, model_id=model, text="text")
        session.add(completion)
        session.flush()
        return completion.id


def test_only_the_scores_of_this_judge_go(database, completions):
    with database.write() as session:
        add_score(session, "judge:old", "first", completions, Score(3.0, ""))
        add_score(session, "judge:other", "first", completions, Score(5.0, ""))
    with database.write() as session:
        with pytest.raises(OtherConfig):
            add_score(session, "judge:old", "second", completions, Score(4.0, ""))
        assert delete_scores(session, "judge:old") == 1
        assert add_score(session, "judge:old", "second", completions, Score(4.0, ""))
    with database.read() as session:
        assert {row.judge: row.mean for row in mean_scores(session, "one")} == {
            "judge:old": 4.0,
            "judge:other": 5.0,
        }


def test_the_command_says_what_becomes_of_votes(monkeypatch, capsys, sqlite, tmp_path):
    done = Typed(monkeypatch, capsys)("judge", "delete", "nobody", folder=tmp_path)
    assert done.returncode == 2
    assert "judge:nobody has no scores" in done.stderr
    assert "arena votes set-aside --judge nobody" in done.stderr
