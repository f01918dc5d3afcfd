"""The fit of a board by each method: Bradley–Terry and its relatives from counts, others from single votes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

import ratings
from arena.leaderboards.notes import fresh_notes, left_out_notes, style_notes
from arena.leaderboards.pooled_judges import left_out
from arena.leaderboards.query import BOTH, BoardChoice, BoardRules, NoSuchBoard
from arena.leaderboards.stored_counts import counts_of
from arena.leaderboards.vote_clusters import Clusters, anonymous, clustered, clusters_of, main_cluster, of_columns
from arena.rules.votes import HUMAN
from arena.store import Session
from arena.store.models import model_ids
from arena.store.packed_votes import packed_votes
from arena.store.vote_columns import Columns, ordered_votes, styled_votes
from arena.store.vote_history import votes_before
from arena.store.votes import counted_sources

ELO_VOTES = 2_000_000  # beyond, one pass in order takes many seconds and gigabytes: use Bradley–Terry
ELO_STEPS = 5_000_000  # battles that bootstrap rounds may replay: a second or two
ELO_ROUNDS = 100
ABILITY_VOTES = 100_000  # beyond, abilities take more than a second or two


def fit_of_method(
    session: Session, choice: BoardChoice, counts: ratings.PairCounts, rules: BoardRules
) -> tuple[ratings.PairCounts, ratings.Fit | None, Clusters | None, tuple[str, ...]]:
    """The fit, with the counts of the models that it rates, the votes by cluster, and notes.

    None is the board's own Bradley–Terry fit; and where a model may have a rank by its votes alone, no clusters.
    """
    without = left_out(session, choice, rules)
    if choice.style:
        return _with_style(session, choice, without)
    if choice.source == BOTH:
        fit, notes = _anchored(session, choice.category, rules)
        return counts, fit, None, notes
    clusters = clusters_of(session, choice.voters, choice.category, without)
    if choice.method in ("davidson", "davidson-strength"):
        by_strength = choice.method != "davidson"
        fit = ratings.davidson(counts, prior=ratings.PRIOR, by_strength=by_strength, clusters=clusters)
        return counts, fit, clusters, ()
    if choice.method == "elo":
        return *_elo(session, choice, counts.battles, without), clusters, ()
    if choice.method == "ability":
        return counts, _with_abilities(clusters), clusters, ()
    if choice.method == "fresh":
        return _fresh(session, choice, counts, rules, without)
    return counts, None, clusters, ()


def _with_abilities(clusters: Clusters) -> ratings.Fit:
    """The fit with an ability for each voter, or of judges for each judge."""
    if len(clusters) > ABILITY_VOTES or not isinstance(clusters, ratings.ClusteredVotes):
        raise NoSuchBoard(
            "Abilities are fitted vote by vote, and there are {votes:,}, more than {most:,}. Use method bt.",
            votes=len(clusters),
            most=ABILITY_VOTES,
        )
    by = "judges" if "judges" in clusters.clusters else "voters"
    return ratings.annotator_ability(replace(clusters, clusters={by: clusters.clusters[by]})).fit


def _fresh(
    session: Session, choice: BoardChoice, every: ratings.PairCounts, rules: BoardRules, without: Collection[str]
) -> tuple[ratings.PairCounts, ratings.Fit, Clusters, tuple[str, ...]]:
    """The fit without votes on chosen models from before they were listed."""
    played = dict(zip(every.models, every.totals().sum(axis=1).tolist(), strict=True))
    chosen = {model: facts for model, facts in rules.chosen.items() if played.get(model)}
    if not chosen:
        raise NoSuchBoard(
            "No model with votes here was chosen among variants. Set facts.variants_tested and facts.listed of one, or use "
            "method bt."
        )
    names = model_ids(session)
    since = {number: chosen[name].listed for number, name in names.items() if name in chosen}
    votes = packed_votes(session, choice.voters, choice.category, without)
    votes = votes[~np.isin(votes["vote"], votes_before(session, since))]
    clusters = clustered(votes, choice.voters or "all", names, anonymous(session))
    variants = {model: facts.variants for model, facts in chosen.items()}
    counts = clusters.counts()
    found = ratings.fresh_votes(every, counts, variants, clusters=clusters)
    return counts, found.fit, clusters, fresh_notes(found, chosen)


def _anchored(session: Session, category: str, rules: BoardRules) -> tuple[ratings.Fit, tuple[str, ...]]:
    """The fit of people and judges, anchored on people and on the scale of their board; and notes on excluded judges."""
    repeated = left_out(session, BoardChoice(BOTH, category), rules)
    judges = [source for source in counted_sources(session) if source != HUMAN and source not in repeated]
    by_source = {source: counts_of(session, source, category) for source in (HUMAN, *judges)}
    voted = {source: counts for source, counts in by_source.items() if counts.battles}
    clusters = {source: clusters_of(session, source, category) for source in voted}
    joint = ratings.human_anchored_counts(voted, prior=ratings.PRIOR, clusters=clusters, families=rules.families)
    people = ratings.bradley_terry(voted[HUMAN], prior=ratings.PRIOR, clusters=clusters[HUMAN])
    return joint.on_scale_of(people), left_out_notes(joint)


def _with_style(
    session: Session, choice: BoardChoice, without: Collection[str]
) -> tuple[ratings.PairCounts, ratings.Fit, None, tuple[str, ...]]:
    votes = styled_votes(session, choice.voters, choice.category, without)
    if not votes.votes[2]:
        raise NoSuchBoard(
            "{source} has no votes in {category} on stored completions. Turn off style control.",
            source=choice.source,
            category=choice.category,
        )
    z = ratings.style_differences(votes.features_a, votes.features_b)
    if not z:
        raise NoSuchBoard(
            "No two completions differ in style. Turn off style control, which changes nothing here."
        )
    counts, clusters = (
        ratings.count_pairs(*votes.votes),
        _of_columns(session, choice, without, votes.votes, votes.numbers),
    )
    fit = ratings.contextual(*votes.votes, z, prior=ratings.PRIOR, clusters=clusters)
    plain = ratings.bradley_terry(counts, prior=ratings.PRIOR, clusters=clusters)
    return counts, fit, None, style_notes(fit, plain)


def _of_columns(
    session: Session, choice: BoardChoice, without: Collection[str], columns: Columns, numbers: Sequence[int]
) -> ratings.ClusteredVotes:
    read = packed_votes(session, choice.voters, choice.category, without)
    return of_columns(session, columns, numbers, read, choice.voters or "all")


def _elo(
    session: Session, choice: BoardChoice, battles: int, without: Collection[str]
) -> tuple[ratings.PairCounts, ratings.Fit]:
    if battles > ELO_VOTES:
        raise NoSuchBoard(
            "Elo replays every vote, and there are {votes:,}, more than {most:,}. Use method bt.",
            votes=battles,
            most=ELO_VOTES,
        )
    columns, numbers = ordered_votes(session, choice.voters, choice.category, without)
    counts = ratings.count_pairs(*columns)
    rounds = min(ELO_ROUNDS, ELO_STEPS // max(counts.battles, 1))
    if rounds <= 1 or not numbers:
        return counts, ratings.elo(*columns)
    codes = main_cluster(_of_columns(session, choice, without, columns, numbers))
    return counts, ratings.elo(*columns, rounds=rounds, cluster=codes)
