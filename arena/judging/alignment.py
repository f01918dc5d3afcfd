"""A judge's instructions rewritten from people's verdicts, with its agreement before and after on battles held out.

Three steps over one reply cache: the judge as it is decides the battles, a model rewrites its instructions from half of the
prompts, and the judge with the new instructions decides the other half. Finished calls are never repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from arena.config import AnyModel, Settings, reply_cache_path
from arena.engine import RESUME_HINT, Call, CallSession, Progress, RetryPolicy, RunResult, open_session
from arena.errors import ConfigError, WorkFailed
from arena.judging import calls, judge_setup, plan
from arena.judging.agreement import as_judged, votes_by_battle
from arena.judging.config import JudgeRunConfig
from arena.judging.preparation import check_prices, check_protocol, voted
from arena.rules.vote_clusters import prompt_words
from arena.rules.votes import HUMAN
from arena.serving import model_clients
from arena.store import Database
from judges import Judge, PairwiseJudge, Unparsable, Verdict, alignment, both_orders
from judges.alignment import AgreementGain, Disagreement
from judges.completion_rate import why_not
from judges.errors import JudgesError
from judges.template import own

SHOWN = 0.05  # one-sided p-value from which a gain is not shown


@dataclass(frozen=True)
class Alignment:
    """The prompts of a judge before and after, whole templates, and the gain on battles held out."""

    judge: str
    writer: str
    protocol: str
    against: str
    before: str
    after: str
    trained: int  # battles that people decided, of the half that the instructions were rewritten from
    disagreements: int  # of these
    found: AgreementGain
    unread: int  # held-out battles without a verdict before or after, which are not compared
    cost: float | None  # USD; None without a price
    calls: int

    @property
    def shown(self) -> bool:
        """Whether the gain is shown at the level SHOWN."""
        return self.found.p_value < SHOWN

    def to_dict(self) -> dict[str, Any]:
        """The report that `arena judge align --format json` prints."""
        given = asdict(self)
        found = given.pop("found")
        shares = {"agreement_before": found.pop("before"), "agreement_after": found.pop("after")}
        return {**given, **found, **shares, "gain_is_shown": self.shown}


@dataclass
class _Steps:
    """The steps of one alignment: their models, and what they cost so far."""

    config: JudgeRunConfig
    models: Sequence[AnyModel]
    session: CallSession
    spent: float = 0.0
    calls: int = 0
    stopped: str = ""

    def run(self, work: Any, total: int) -> Any:
        """The value of `work(engine, seen, clients)` within what is left of the budget; its endpoints are closed after."""
        config = self.config
        clients = {model.name: model_clients.model_client(model, config.concurrency) for model in self.models}
        check_prices(config, clients)
        left = None if config.budget is None else max(0.0, config.budget - self.spent)
        result: RunResult[Any] = self.session.run(
            clients,
            lambda engine, seen: work(engine, seen, clients),
            total=total,
            budget=left,
            retry_policy=RetryPolicy.within(config.timeout, config.call_timeout),
        )
        self.spent += result.spent
        self.calls += result.call_counts.calls
        self.stopped = result.stopped
        return result.value

    def verdicts(self, cases: Sequence[plan.Case]) -> list[Verdict | Unparsable]:
        """The verdict on each case. Raises `WorkFailed` if too few have one."""
        clients = {model.name: model_clients.model_client(model) for model in self.models}
        planned = calls.plan_calls(cases, clients)
        failed = self.run(
            lambda engine, seen, opened: calls.run_calls(engine, planned, opened, seen),
            sum(len(row.keys) for row in planned),
        )
        found = [result for _, result in calls.results(planned, self.session.reply_cache, failed or {})]
        judged = sum(not isinstance(result, Unparsable) for result in found)
        if reason := why_not(judged, len(cases), self.config.completion_rate):
            stopped = f" ({self.stopped})" if self.stopped else ""
            raise WorkFailed(f"{self.config.judge}: {reason}{stopped}. {RESUME_HINT}")
        return found


def align(
    database: Database,
    settings: Settings,
    config: JudgeRunConfig,
    *,
    writer: str | None = None,
    against: str = HUMAN,
    progress: Progress | None = None,
) -> Alignment:
    """The alignment of the judge of `config` (mode battles) by the model `writer`, by default the judge itself.

    `against`: `human` for voters or `reviewers` for the labels of reviewers. Raises `ConfigError`, also for fewer than ten
    disagreements or held-out prompts, `WorkFailed` for a step that could not be finished, `ReplyCacheError`.
    """
    author, judge = writer or str(config.judge), _judge(config)
    models = _models(settings, config, author)
    cases, people = _labelled(database, config, judge, models, against)
    trained, held_out = halves(cases)
    try:
        with open_session(reply_cache_path(settings, config.reply_cache), progress) as session:
            steps = _Steps(config, models, session)
            own_verdicts = steps.verdicts([*trained, *held_out])
            wrong = list(_disagreements(trained, own_verdicts, people))
            _check_enough(wrong, trained, held_out)
            before = _text(judge)
            after = _rewritten(steps, config, author, before, wrong)
            aligned = replace(judge, text=after)
            new_verdicts = steps.verdicts(list(_cases_of(held_out, aligned)))
            compared = _compared(held_out, own_verdicts[len(trained) :], new_verdicts, people)
            found = alignment.agreement_gain(*compared)
            priced = any(model.price for model in models)
            return Alignment(
                judge.name, author, judge.protocol, against, before, after, len(trained), len(wrong), found,
                len(held_out) - len(compared[0]), steps.spent if priced else None, steps.calls,
            )  # fmt: skip
    except JudgesError as problem:
        raise ConfigError(f"{config.judge}: {problem}") from problem


def _judge(config: JudgeRunConfig) -> PairwiseJudge:
    """The judge, whose template is one text. Raises `ConfigError`."""
    judge = judge_setup.judge_of(config)
    if not isinstance(judge, PairwiseJudge):
        raise ConfigError(
            "Only one judge with a template has instructions to rewrite. Use --judge and a protocol other than reward."
        )
    if not isinstance(judge.text, str | None):
        raise ConfigError("--template: several prompts. Choose one with --template-prompt.")
    try:
        alignment.instructions_of(_text(judge))
    except JudgesError as problem:
        raise ConfigError(f"--template {config.template}: {problem}") from problem
    return judge


def _text(judge: PairwiseJudge) -> str:
    """The whole template of a judge."""
    return judge.text if isinstance(judge.text, str) else own(judge.protocols[judge.protocol].prompt)


def _models(settings: Settings, config: JudgeRunConfig, author: str) -> list[AnyModel]:
    available = model_clients.configured(settings)
    judges = model_clients.chosen(available, config.judges, "--judge")
    check_protocol(config, judges)
    [writer] = model_clients.chosen(available, [author], "--writer")
    if writer.endpoint == "reward":
        raise ConfigError(f"--writer: {author} is a reward model and writes nothing. Choose another model.")
    return judges if writer in judges else [*judges, writer]


def _labelled(
    database: Database, config: JudgeRunConfig, judge: Judge[Any, Any], models: Sequence[AnyModel], against: str
) -> tuple[list[plan.Case], Mapping[int, str]]:
    """The cases that people decided, and their winner by battle."""
    hosts = [host for model in models if (host := model_clients.other_machine(model))]
    prompts, completions = voted(database, config, hosts)
    with database.read() as session:
        votes = votes_by_battle(session, (), None, against)
    winners = {
        battle: as_judged(given[against].winner) for battle, given in votes.votes.items() if against in given
    }
    people = {battle: winner for battle, winner in winners.items() if winner != "tie"}
    return [case for case in plan.cases(config, judge, prompts, completions) if case.a.id in people], people


def halves(cases: Sequence[plan.Case]) -> tuple[list[plan.Case], list[plan.Case]]:
    """The cases to rewrite from and those held out: whole prompts, by a digest, so that new votes move none."""
    halves: tuple[list[plan.Case], list[plan.Case]] = [], []
    for case in cases:
        halves[hashlib.sha256(_cluster(case).encode("utf-8", "surrogatepass")).digest()[0] % 2].append(case)
    return halves


def _cluster(case: plan.Case) -> str:
    """The words of the first prompt, so that the same text is in one half wherever it came from."""
    return prompt_words(str(case.prompt.messages[0]["content"])) or case.prompt.key


def _disagreements(
    cases: Sequence[plan.Case], verdicts: Sequence[Verdict | Unparsable], people: Mapping[int, str]
) -> Iterator[Disagreement]:
    for case, verdict in zip(cases, verdicts[: len(cases)], strict=True):
        winner = people[case.a.id]
        if not isinstance(verdict, Unparsable) and verdict.winner != winner:
            yield Disagreement(case.item, winner, verdict.winner, verdict.reason)


def _check_enough(
    wrong: Sequence[Disagreement], trained: Sequence[plan.Case], held_out: Sequence[plan.Case]
) -> None:
    """Nothing if there are enough labels. Raises `ConfigError` before the writer is called."""
    prompts = len({_cluster(case) for case in held_out})
    if len(wrong) < alignment.LEAST or prompts < alignment.LEAST:
        raise ConfigError(
            f"The judge and people differ on {len(wrong)} of {len(trained)} battles to rewrite from, and {prompts} prompts "
            f"are held out; at least {alignment.LEAST} of each are needed. Collect more votes, or use another template."
        )


def _rewritten(
    steps: _Steps, config: JudgeRunConfig, author: str, before: str, wrong: Sequence[Disagreement]
) -> str:
    """The template with the new instructions. Raises `WorkFailed` without a reply that can be used."""
    instructions, rest = alignment.instructions_of(before)
    request = alignment.rewrite_request(author, instructions, wrong, config.thinking_budget)
    [model] = [model for model in steps.models if model.name == author]
    client = model_clients.model_client(model)
    body = client.with_parameters(dict(request))
    key = model_clients.key(client.identity, body)

    def check(reply: Mapping[str, Any]) -> Unparsable | None:
        found = alignment.rewritten(reply, instructions)
        return found if isinstance(found, Unparsable) else None

    async def work(engine: Any, seen: Any, _clients: Any) -> Any:
        results = [result async for result in engine.run([Call(key, author, body, check)])]
        for result in results:
            seen(result)
        return results

    [result] = steps.run(work, 1) or [None]
    text = None if result is None or result.reply is None else alignment.rewritten(result.reply, instructions)
    if not isinstance(text, str):
        why = steps.stopped if result is None else f"{result.status.value} {result.detail}".strip()
        raise WorkFailed(
            f"{author} wrote no instructions that can be used ({why}). Run the same command again, or choose another "
            "--writer."
        )
    return alignment.with_instructions(text, rest)


def _cases_of(cases: Sequence[plan.Case], judge: PairwiseJudge) -> Iterator[plan.Case]:
    """The same cases for another judge, in both orders."""
    for case in cases:
        yield replace(case, judge=both_orders(judge))


def _compared(
    cases: Sequence[plan.Case],
    before: Sequence[Verdict | Unparsable],
    after: Sequence[Verdict | Unparsable],
    people: Mapping[int, str],
) -> tuple[list[float], list[float], list[str]]:
    """Agreement before and after, and the prompt, of the cases that have both verdicts."""
    first, second, clusters = list[float](), list[float](), list[str]()
    for case, old, new in zip(cases, before, after, strict=True):
        if isinstance(old, Unparsable) or isinstance(new, Unparsable):
            continue
        winner = people[case.a.id]
        first.append(alignment.agreement(old.winner, winner))
        second.append(alignment.agreement(new.winner, winner))
        clusters.append(_cluster(case))
    return first, second, clusters
