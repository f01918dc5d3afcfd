"""Make the table "Anomalous voters" of docs/ratings.md: honest voters flagged, and cheats found, by `check_voters`.

    python reproduce/voters.py --runs 40

A run simulates a board of 20 models (sd 110 points) with 200 voters, 100 or 150 votes each, 25 % of them ties (Davidson),
tested at level 5 %. A cheat is tested against 200 honest voters. Boards of groups have 100 such
voters and 600 accounts of ten votes each, with a taste of sd 0.7, spread over 30 days.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from scipy.special import ndtri

import ratings
from ratings import POINTS_PER_LOGIT

MODELS, SPREAD, LOG_NU, LEVEL, VOTERS = 20, 110.0, -0.35, 0.05, 200
LEFT, RIGHT, TIE = 0, 1, 2


def strengths():
    """(models,): true log-strengths, normal quantiles, the best first."""
    return -ndtri((np.arange(MODELS) + 0.5) / MODELS) * SPREAD / POINTS_PER_LOGIT


def pairs(rng, count):
    a = rng.integers(0, MODELS, count)
    return a, (a + rng.integers(1, MODELS, count)) % MODELS


def with_target(rng, count, target):
    """Pairs of which every one has the target, on either side."""
    other = (target + rng.integers(1, MODELS, count)) % MODELS
    left = rng.random(count) < 0.5
    return np.where(left, target, other), np.where(left, other, target)


def votes(rng, lead, log_nu=LOG_NU):
    """Outcomes of Davidson's model; `log_nu` -inf never ties."""
    odds = np.stack([np.exp(lead / 2), np.exp(-lead / 2), np.exp(log_nu) + 0 * lead], axis=1)
    edges = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    return (rng.random(len(lead))[:, None] > edges[:, :2]).sum(axis=1)


def crowd(rng, each, taste=0.0, log_nu=LOG_NU, side=0.0, voters=VOTERS):
    """Columns a, b, outcome, voter of honest voters; `taste`, `log_nu` and `side` (voters,) are their habits."""
    xi = strengths()
    voter = np.repeat(np.arange(voters), each)
    a, b = pairs(rng, len(voter))
    own = rng.normal(0, 1, (voters, MODELS)) * taste
    habits = (np.broadcast_to(value, voters)[voter] for value in (log_nu, side))
    nu, to_left = habits
    lead = xi[a] - xi[b] + own[voter, a] - own[voter, b] + to_left
    return xi, [a, b, votes(rng, lead, nu), voter]


def always(side):
    def cheat(rng, _, each):
        return (*pairs(rng, each), np.full(each, side))

    return cheat


def at_random(rng, _, each):
    return (*pairs(rng, each), rng.integers(0, 3, each))


def booster(target):
    """Votes only on battles of the target, for the target."""

    def cheat(rng, _, each):
        a, b = with_target(rng, each, target)
        return a, b, np.where(a == target, LEFT, RIGHT)

    return cheat


def casual_booster(target):
    """Votes in every battle: for the target where it is shown, honestly elsewhere."""

    def cheat(rng, xi, each):
        a, b = pairs(rng, each)
        y = votes(rng, xi[a] - xi[b])
        return a, b, np.where(a == target, LEFT, np.where(b == target, RIGHT, y))

    return cheat


def omnipresent(target):
    """For the target where it is shown, and by the public ranking elsewhere (Min et al., ICML 2025)."""

    def cheat(rng, xi, each):
        a, b = pairs(rng, each)
        y = np.where(xi[a] > xi[b], LEFT, RIGHT)
        return a, b, np.where(a == target, LEFT, np.where(b == target, RIGHT, y))

    return cheat


def with_cheats(rng, cheat, each=100, cheats=25, voters=VOTERS, **habits):
    """The columns where the last voters are cheats."""
    xi, (a, b, y, voter) = crowd(rng, each, voters=voters, **habits)
    for number in range(voters - cheats, voters):
        mine = voter == number
        a[mine], b[mine], y[mine] = cheat(rng, xi, each)
    return a, b, y, voter


def alarms(rng, each=150, **habits):
    """The share (per cent) of honest voters that are flagged."""
    _, columns = crowd(rng, each, **habits)
    return len(ratings.check_voters(*columns, level=LEVEL).flagged) / VOTERS


TWICE = LOG_NU + np.log(3.0)  # 25 % of ties become 50 %
MIDDLE, BOTTOM = MODELS // 2, MODELS - 1


def few(habit, value, rest, many=20):
    """{habit: (voters,)}: the first voters have `value`, the others `rest`."""
    values = np.full(VOTERS, rest, dtype=float)
    values[:many] = value
    return {habit: values}


def alarms_of_few(rng, many=20, **habits):
    """The share flagged of the first voters, who differ from the crowd."""
    arrays = {
        name: few(name, value, LOG_NU if name == "log_nu" else 0.0, many)[name] for name, value in habits.items()
    }
    if "taste" in arrays:
        arrays["taste"] = arrays["taste"][:, None]
    _, columns = crowd(rng, 150, **arrays)
    checked = ratings.check_voters(*columns, level=LEVEL)
    return float((checked.flagged_after[:many] > 0).mean())


def alarms_beside(rng, cheat, cheats=40, each=150, **habits):
    """The share flagged of honest voters when the rest are cheats."""
    checked = ratings.check_voters(*with_cheats(rng, cheat, each, cheats, **habits), level=LEVEL)
    return float((checked.flagged_after[: VOTERS - cheats] > 0).mean())


HONEST = {
    **{f"everybody has a taste of sd {t:g} logits": (alarms, {"taste": t}) for t in (0.0, 0.35, 0.7, 1.0)},
    **{f"a tenth has a taste of sd {t:g}, the rest none": (alarms_of_few, {"taste": t}) for t in (0.7, 1.0, 1.5)},
    "a tenth never ties": (alarms_of_few, {"log_nu": -np.inf}),
    "a tenth ties twice as often": (alarms_of_few, {"log_nu": TWICE}),
    **{f"a tenth has a side habit of {s:g} logits": (alarms_of_few, {"side": s}) for s in (0.3, 0.6, 0.9)},
    "a tenth has taste 1, side habit 0.6 and never ties": (
        alarms_of_few, {"taste": 1.0, "side": 0.6, "log_nu": -np.inf}),
    "20 % of voters boost the bottom model": (alarms_beside, {"cheat": casual_booster(BOTTOM)}),
    "20 % boost it in every vote": (alarms_beside, {"cheat": booster(BOTTOM)}),
    "20 % boost it in every vote, taste 0.7": (alarms_beside, {"cheat": booster(BOTTOM), "taste": 0.7}),
    "20 % always vote left": (alarms_beside, {"cheat": always(LEFT)}),
}  # fmt: skip
CHEATS = {
    "always left": always(LEFT),
    "always a tie": always(TIE),
    **{f"booster of the {n} model, 100 votes on it": booster(m)
       for n, m in (("top", 0), ("middle", MIDDLE), ("bottom", BOTTOM))},
    **{f"the same in 100 random battles, {n} model": casual_booster(m)
       for n, m in (("top", 0), ("middle", MIDDLE), ("bottom", BOTTOM))},
    "omnipresent, middle model": omnipresent(MIDDLE),
    "omnipresent, bottom model": omnipresent(BOTTOM),
    "random votes": at_random,
}  # fmt: skip


def power(rng, cheat, cheats=25, **habits):
    """The vote after which each cheat is flagged; inf where none is. Cheats do not meet: the ratings are without them."""
    a, b, y, voter = with_cheats(rng, cheat, 100, cheats, VOTERS + cheats, **habits)
    after = ratings.check_voters(a, b, y, voter, level=LEVEL, excluded=voter >= VOTERS).flagged_after[VOTERS:]
    return np.where(after > 0, after, np.inf)


DAY, DAYS = 86_400, 30


def board_with_accounts(rng, accounts, hours, fondness, target, only_target=False):
    """Columns with times: the honest crowd, and `accounts` of ten votes within some hours (None: spread over the days).

    `fondness` logits is what these add to the target; inf always votes for it.
    """
    xi, (a, b, _, voter) = crowd(rng, 100, voters=100)
    small = np.repeat(100 + np.arange(600 + accounts), 10)
    more_a, more_b = pairs(rng, len(small))
    new = small >= 700
    if only_target:
        more_a[new], more_b[new] = with_target(rng, int(new.sum()), target)
    a, b, voter = np.r_[a, more_a], np.r_[b, more_b], np.r_[voter, small]
    taste = rng.normal(0, 0.7, (int(voter.max()) + 1, MODELS))
    taste[700:, target] += min(fondness, 50.0)
    y = votes(rng, xi[a] - xi[b] + taste[voter, a] - taste[voter, b])
    since = rng.uniform(0, DAYS * DAY, len(taste))
    if hours is not None:
        since[700:] = 12.5 * DAY + rng.uniform(0, hours * 3600, accounts)
    return a, b, y, voter, since[voter] + rng.uniform(0, 600, len(a))


def group_flagged(rng, accounts=0, hours=None, fondness=0.0, target=MIDDLE, only_target=False):
    """(whether any group is flagged, whether the group of the target is, the share of honest accounts in groups)."""
    columns = board_with_accounts(rng, accounts, hours, fondness, target, only_target)
    checked = ratings.check_groups(*columns, level=LEVEL)
    hit = any(group.model == str(target) for group in checked.groups)
    honest = sum(account < 700 for account in checked.accounts)
    return bool(checked.groups), hit, honest / 600


GROUPS = {
    "no group": {},
    "100 honest fans of the middle model (1.5 logits), spread": {"accounts": 100, "fondness": 1.5},
    "100 honest accounts within 6 hours": {"accounts": 100, "hours": 6},
    "the same, who share a taste of 0.25 logits for the middle model": {
        "accounts": 100, "hours": 6, "fondness": 0.25},
    **{f"100 accounts within {h} hours, for the {n} model where it is shown": {
        "accounts": 100, "hours": h, "fondness": np.inf, "target": m}
       for h, n, m in ((6, "top", 0), (6, "middle", MIDDLE), (6, "bottom", BOTTOM), (120, "middle", MIDDLE))},
    "100 accounts within 6 hours, only on battles of the middle model": {
        "accounts": 100, "hours": 6, "fondness": np.inf, "only_target": True},
    "30 accounts within 6 hours, only on battles of the middle model": {
        "accounts": 30, "hours": 6, "fondness": np.inf, "only_target": True},
}  # fmt: skip


def show(name, values, extra=""):
    error = 2 * np.std(values) / np.sqrt(len(values))
    print(f"| {name} | {100 * np.mean(values):.1f} % | {100 * error:.1f} | {extra} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40, help="simulated boards of each row")
    runs = parser.parse_args().runs
    print(f"| honest voters, {runs} boards each | flagged | ± (2 s.e.) | |\n| --- | --- | --- | --- |")
    for name, (measure, options) in HONEST.items():
        show(name, [measure(np.random.default_rng([1, run]), **options) for run in range(runs)])
    print("\n| cheats, 100 votes each | flagged | ± (2 s.e.) | median votes |\n| --- | --- | --- | --- |")
    for name, cheat in CHEATS.items():
        after = [power(np.random.default_rng([2, run]), cheat) for run in range(runs)]
        show(name, [np.isfinite(a).mean() for a in after], f"{np.median(np.concatenate(after)):g}")
    print("\n| groups | boards with a flag | ± (2 s.e.) | the group itself; honest accounts in groups |")
    print("| --- | --- | --- | --- |")
    for name, options in GROUPS.items():
        results = np.array(
            [group_flagged(np.random.default_rng([3, run]), **options) for run in range(5 * runs)], float
        )
        _, hit, honest = results.mean(axis=0)
        show(name, results[:, 0], f"{100 * hit:.0f} %; {100 * honest:.1f} %")


if __name__ == "__main__":
    main()
