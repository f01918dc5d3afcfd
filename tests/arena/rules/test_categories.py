"""Categories by rule, and how they are kept and counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlmodel import col, select

from arena.rules.categories import HARD, VERSION, categories, hardness
from arena.rules.languages import language
from arena.store import battles as stored
from arena.store.battle_features import reclassify
from arena.store.models import register_models
from arena.store.schema.battle_features import BattleCategory, BattleStyle
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.votes import add_vote, counted_categories, pair_counts, recount, rewrite_pair_counts
from tests.support.published import published


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Why is the sky blue?", "english"),
        ("Warum ist der Himmel blau und nicht grün?", "german"),
        ("Pourquoi le ciel est-il bleu dans la journée ?", "french"),
        ("¿Por qué el cielo es azul y no verde?", "spanish"),
        ("Por que o céu é azul e não verde?", "portuguese"),
        ("Perché il cielo è blu e non verde?", "italian"),
        ("天空为什么是蓝色的？", "chinese"),
        ("请用Python写一个函数", "chinese"),
        ("空はなぜ青いのですか", "japanese"),
        ("하늘은 왜 파란가요?", "korean"),
        ("Почему небо голубое?", "russian"),
        ("لماذا السماء زرقاء؟", "arabic"),
        ("hello", "english"),
        ("2 + 2 = ?", None),
    ],
)
def test_the_language_of_a_prompt(text, expected):
    assert language(text) == expected


@pytest.mark.parametrize(
    ("prompt", "category"),
    [
        ("Write a Python function that reverses a list.", "code"),
        ("Why do I get `TypeError: unhashable type` here?\n```\nd = {[]: 1}\n```", "code"),
        ("Solve the equation 3x + 5 = 20.", "math"),
        ("A shop sells 3 apples for $2. How much do 12 apples cost?", "math"),
        ("Tell me a story about a lighthouse keeper.", "creative writing"),
        ("Pretend to be a pirate who has lost his ship.", "creative writing"),
        ("Describe Rome in exactly three sentences.", "instruction following"),
        ("List five rivers. Your answer must be in JSON format.", "instruction following"),
    ],
)
def test_a_prompt_is_sorted(prompt, category):
    assert category in categories([prompt])


@pytest.mark.parametrize(
    "prompt", ["Who was Ada Lovelace?", "What should I see in Rome?", "Is the moon full tonight?"]
)
def test_small_talk_belongs_to_its_language_alone(prompt):
    assert categories([prompt]) == ("english",)


def test_turns_and_length():
    assert "multi-turn" in categories(["Hello.", "And then?"])
    assert "long" in categories(["word " * 500])
    assert "long" not in categories(["word " * 300])
    assert "long" in categories(["天" * 800])


def test_hard_prompts_show_several_signs_of_difficulty():
    hard = (
        "Our production database has 40 million rows and this SQL query takes 12 seconds. Design an index and explain "
        "why it helps, then compare it with partitioning. The output must not change."
    )
    assert hardness(hard) >= HARD
    assert "hard" in categories([hard])
    assert hardness("Fix my code.") == 0


LABELLED = Path(__file__).parent / "category_prompts.jsonl"
# (precision, recall) on the prompts that the rules were tuned on, and on those written after them: a little below what
# reproduce/categories.py prints.
MEASURED = {
    "tuned": dict.fromkeys(("code", "math", "creative writing", "instruction following", "hard"), (0.95, 0.91)),
    "held out": {
        "code": (0.9, 0.55),
        "math": (0.9, 0.78),
        "creative writing": (0.9, 0.75),
        "instruction following": (0.9, 0.68),
        "hard": (0.9, 0.8),
    },
}


@pytest.mark.parametrize("part", MEASURED)
def test_labelled_prompts_are_found_as_often_as_the_docs_say(part):
    rows = [
        row for row in map(json.loads, LABELLED.read_text(encoding="utf-8").splitlines()) if row["half"] == part
    ]
    found = [categories([row["prompt"]]) for row in rows]
    for category, (precision, recall) in MEASURED[part].items():
        right = sum(
            category in row["categories"] and category in got for row, got in zip(rows, found, strict=True)
        )
        assert right >= precision * sum(category in got for got in found), category
        assert right >= recall * sum(category in row["categories"] for row in rows), category


def test_words_of_code_and_math_in_other_senses_are_neither():
    prompts = [
        "What should I feed my pet python?",
        "Which function does the liver have?",
        "Where is the Bermuda triangle?",
    ]
    assert [categories([prompt]) for prompt in prompts] == [("english",)] * 3


def _prompts(path: str, key: str) -> list[str]:
    lines = published("benchmarks", path).read_text(encoding="utf-8").splitlines()
    return [str(json.loads(line)[key]) for line in lines if line]


@pytest.mark.parametrize(
    ("path", "key", "category", "share"),
    [
        ("gsm8k/test.jsonl", "question", "math", 0.93),
        ("math/math_500.jsonl", "problem", "math", 0.95),
        ("humaneval/HumanEval.jsonl", "prompt", "code", 0.99),
        ("mbpp/mbpp_test.jsonl", "text", "code", 0.99),
        ("ifeval/input_data.jsonl", "prompt", "instruction following", 0.92),
    ],
)
def test_published_prompts_of_a_kind_are_found(path, key, category, share):
    prompts = _prompts(path, key)[:200]
    found = sum(category in categories([prompt]) for prompt in prompts)
    assert found / len(prompts) >= share


@pytest.mark.parametrize("category", ["math", "creative writing", "code"])
def test_published_prompts_of_another_kind_are_left_alone(category):
    prompts = _prompts("nq_open/nq_open_val.jsonl", "question")[:200]
    assert sum(category in categories([prompt]) for prompt in prompts) / len(prompts) <= 0.05


def fought(database, *prompts: str) -> int:
    """An open battle with these prompts."""
    with database.write() as session:
        register_models(session, ["left", "right"])
        battle = stored.add_battle(session, "voter", "left", "right", 1.0)
        for number, prompt in enumerate(prompts):
            if number:
                stored.move(session, battle.id, BattleStatus.OPEN, BattleStatus.RUNNING)
            stored.add_turn(session, battle.id, prompt)
            a = Written("# Yes\n* one\n* two", CompletionStatus.FINISHED)
            b = Written("No, not at all.", CompletionStatus.FINISHED)
            stored.finish_turn(session, battle.id, {"a": a, "b": b}, BattleStatus.OPEN)
        return battle.id


def voted(database, battle_id: int, source: str = "human", winner: str = "model_a") -> None:
    with database.write() as session:
        add_vote(session, battle_id, source, "voter", winner, stopped_early=False)


def test_a_vote_counts_once_in_each_category_of_its_battle(database):
    voted(database, fought(database, "Write a Python function that adds.", "Now in Rust, please."))
    with database.read() as session:
        assert counted_categories(session) == {"code": 1, "english": 1, "multi-turn": 1, "overall": 1}
        assert [one.wins for one in pair_counts(session, category="code")] == [1]
        assert recount(session) == []
        assert set(session.exec(select(BattleCategory.classifier))) == {VERSION}


def test_style_is_kept_over_all_turns(database):
    voted(database, fought(database, "Hello?", "Again?"))
    with database.read() as session:
        style = session.exec(select(BattleStyle)).one()
    assert (style.headers_a, style.lists_a, style.length_b) == (2, 4, 8)


def test_a_later_vote_counts_where_the_first_one_did(database):
    battle_id = fought(database, "Solve x + 1 = 3.")
    voted(database, battle_id)
    with database.write() as session:
        session.exec(select(BattleCategory).where(col(BattleCategory.category) == "math")).one().category = "old"
    voted(database, battle_id, "judge:someone")
    with database.read() as session:
        assert [one.wins for one in pair_counts(session, "judge:someone", "old")] == [1]
        assert pair_counts(session, "judge:someone", "math") == []


def test_new_rules_sort_old_battles_and_the_counts_follow(database):
    for prompt in ("Solve x + 1 = 3.", "Hello there, how are you?"):
        voted(database, fought(database, prompt))
    with database.write() as session:
        for row in session.exec(select(BattleCategory)):
            row.category, row.classifier = f"old {row.category}", "rules-0"
        session.flush()
        rewrite_pair_counts(session)
        assert set(counted_categories(session)) == {"overall", "old english", "old math"}
    with database.write() as session:
        last = reclassify(session)
        assert reclassify(session, last) is None
        rewrite_pair_counts(session)
    with database.read() as session:
        assert recount(session) == []
        assert counted_categories(session) == {"english": 2, "overall": 2, "math": 1}
        assert set(session.exec(select(BattleCategory.classifier))) == {VERSION}
