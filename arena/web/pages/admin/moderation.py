"""`/admin/moderation`: what checks texts, rules that are tried on texts before they are saved, and the saved versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from arena.moderation.rules_text import RulesRefused, read_rules, written
from arena.moderation.text_checks import Checked, Kind, TextChecks
from arena.rules.messages import Phrase, TranslatableError, gettext_noop
from arena.rules.text_checks import Action, Scores
from arena.store.text_rules import battles_by_texts, recent_prompts, rules_history, save_rules, saved_rules
from arena.web.admin import Frame, Operator
from arena.web.locales import text_of

PATH = "/admin/moderation"
MOST_TEXTS = 100  # in one trial: each is sent to the backend
MOST_RECENT = 50
LONGEST = 200_000  # characters of the form
SHOWN_SCORES = 8  # of each text, the highest
OFF = gettext_noop("Texts are not checked here. Set moderation.backend in arena.toml, and restart the arena.")

ACTIONS = {
    Action.OFF: gettext_noop("nothing"),
    Action.LOG: gettext_noop("log"),
    Action.WARN: gettext_noop("warn"),
    Action.BLOCK: gettext_noop("block"),
}


@dataclass(frozen=True)
class Trial:
    """What the rules would do with a text, as a prompt and as a completion, beside the rules in force."""

    text: str
    scores: Sequence[tuple[str, float, bool]]  # category, score, whether it is found
    failure: str | None
    tried: Mapping[Kind, str]
    now: Mapping[Kind, str]


def routes(frame: Frame) -> APIRouter:
    """The page, a trial, and saving."""
    router = APIRouter()
    bench = Bench(frame)
    router.add_api_route(PATH, bench.show, methods=["GET"])
    router.add_api_route(f"{PATH}/try", bench.try_rules, methods=["POST"])
    router.add_api_route(f"{PATH}/save", bench.save, methods=["POST"])
    return router


@dataclass(frozen=True)
class Bench:
    """The handlers."""

    frame: Frame

    def show(self, visit: Operator) -> Response:
        return self._page(visit)

    async def try_rules(
        self,
        visit: Operator,
        rules: Annotated[str, Form(max_length=LONGEST)] = "",
        texts: Annotated[str, Form(max_length=LONGEST)] = "",
        recent: Annotated[int, Form(ge=0, le=MOST_RECENT)] = 0,
    ) -> Response:
        """Score the lines, and the newest prompts, and show what these rules would do. Nothing is saved."""
        checks = self.frame.battles.text_checks
        if checks is None:
            return await run_in_threadpool(self._page, visit, rules, texts, recent)
        try:
            tried = read_rules(rules)
        except RulesRefused as error:
            return await run_in_threadpool(self._page, visit, rules, texts, recent, problem=text_of(error))
        lines = [line.strip() for line in texts.splitlines() if line.strip()][:MOST_TEXTS]
        lines += await run_in_threadpool(self._recent, recent)
        scored = await checks.score_each(lines)
        trials = [_trial(checks, tried, text, scores) for text, scores in zip(lines, scored, strict=True)]
        return await run_in_threadpool(self._page, visit, rules, texts, recent, trials=trials)

    def save(
        self,
        visit: Operator,
        rules: Annotated[str, Form(max_length=LONGEST)] = "",
        reason: Annotated[str, Form(max_length=1_000)] = "",
    ) -> Response:
        """Save the rules as a new version, which every server of the arena applies within seconds."""
        details: dict[str, Any] = {}
        with self.frame.action(visit, "moderation.save", reason=reason, details=details) as session:
            if self.frame.battles.text_checks is None:
                raise TranslatableError(OFF)
            if rules.strip():
                read_rules(rules)
            version = save_rules(session, rules.strip(), visit.name)
            details.update(version=version, rules=rules.strip()[:10_000])
        return self.frame.back(visit, PATH, Phrase("Version {version} of the rules is saved.", version=version))

    def _recent(self, number: int) -> list[str]:
        with self.frame.database.read() as session:
            return recent_prompts(session, number) if number else []

    def _page(
        self,
        visit: Operator,
        rules: str | None = None,
        texts: str = "",
        recent: int = 0,
        *,
        trials: Sequence[Trial] = (),
        problem: str = "",
    ) -> Response:
        checks = self.frame.battles.text_checks
        with self.frame.database.read() as session:
            saved, history, battles = saved_rules(session), rules_history(session), battles_by_texts(session)
        in_force = written(checks.rules) if checks else ""
        return self.frame.page(
            "admin_moderation.html",
            visit,
            200 if not problem else 422,
            checks=checks,
            off=OFF,
            rules=in_force if rules is None else rules,
            texts=texts,
            recent=recent,
            trials=trials,
            problem=problem,
            saved=saved,
            history=history,
            battles=battles,
            most_texts=MOST_TEXTS,
            most_recent=MOST_RECENT,
        )


def _trial(checks: TextChecks, tried: Mapping[Kind, Any], text: str, scores: Scores | str) -> Trial:
    results = {kind: checks.result(scores, tried[kind]) for kind in tried}
    found = {name for result in results.values() if result.finding for name in result.finding.found}
    known = {} if isinstance(scores, str) else scores.scores
    highest = sorted(known.items(), key=lambda item: (-item[1], item[0]))
    failure = next((result.failure for result in results.values() if result.failure), None)
    return Trial(
        text=text,
        scores=[(name, score, name in found) for name, score in highest[:SHOWN_SCORES]],
        failure=failure,
        tried={kind: _word(result) for kind, result in results.items()},
        now={kind: _word(checks.result(scores, checks.rules[kind])) for kind in tried},
    )


def _word(checked: Checked) -> str:
    return ACTIONS[checked.finding.action] if checked.finding else gettext_noop("not checked")
