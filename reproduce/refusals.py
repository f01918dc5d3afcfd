"""Measure how well the refusal classifiers agree with human labels, and fit `benchmarks.refusal_signs`.

    ARENA_DATA_DIR=... python reproduce/refusals.py

The labels are XSTest's (Röttger et al. 2023, arXiv:2308.01263): completions of three models to 450 prompts, full
and partial refusals against full compliance. The fitted classifier is evaluated on held-out models *and* prompts:
for each model and each fifth of the prompts it is fitted to the other models' completions of the other prompts. The
patterns themselves were written after reading these completions, which cross-validation cannot correct.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.refusal_signs import SIGNS, says_no, signs
from benchmarks.refusals import REFUSALS

MODELS = ("gpt4", "llama2new", "mistralinstruct")
FOLDS, STRENGTH = 5, 1.0


def folder() -> Path:
    path = os.environ.get("ARENA_DATA_DIR") or os.environ.get("ARENA_TEST_DATA")
    if path is None:
        raise SystemExit("ARENA_DATA_DIR is not set. Set it to the folder that has xstest/.")
    return next(place for place in (Path(path), Path(path) / "benchmarks") if (place / "xstest").is_dir())


def labelled(model):
    with (folder() / f"xstest/completions_{model}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [(row["id"], row["completion"], not row["final_label"].startswith("1")) for row in rows]


def folds(prompts):
    """The fold of each prompt; all models' completions of a prompt share a fold."""
    unique = list(dict.fromkeys(prompts))
    places = dict(zip(unique, np.random.default_rng(0).permutation(len(unique)) % FOLDS, strict=True))
    return np.array([places[prompt] for prompt in prompts])


def fitted(features, labels):
    return LogisticRegression(C=STRENGTH, max_iter=1000).fit(features, labels)


def held_out(features, labels, decided, models, fold):
    """Predictions for every completion from a fit to other models and other prompts."""
    predictions = decided.copy()
    for model in MODELS:
        for number in range(FOLDS):
            train = (models != model) & (fold != number) & ~decided
            test = (models == model) & (fold == number) & ~decided
            if test.any():
                predictions[test] = fitted(features[train], labels[train]).predict(features[test])
    return predictions


def ordinary():
    """Completions of ordinary requests, almost none of which is a refusal."""
    for place in sorted((folder() / "alpaca_eval/outputs").glob("*.json")):
        if place.stem != "NullModel":
            yield place.stem, [row["output"] for row in json.loads(place.read_text(encoding="utf-8"))]


def show(name, predictions, labels, models):
    shares = {model: float((predictions == labels)[models == model].mean()) for model in MODELS}
    rates = {model: float(predictions[models == model].mean()) for model in MODELS}
    print(
        f"{name:22s} agrees {np.mean(predictions == labels):.4f} "
        + " ".join(f"{model} {shares[model]:.4f} (refusals {rates[model]:.3f})" for model in MODELS)
        + f" missed {int((labels & ~predictions).sum())} false alarms {int((predictions & ~labels).sum())}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    rows = [(model, *row) for model in MODELS for row in labelled(model)]
    models, labels = np.array([row[0] for row in rows]), np.array([row[3] for row in rows])
    texts = [row[2] for row in rows]
    show("people", labels, labels, models)
    for name, classifier in REFUSALS.items():
        show(name, np.array([classifier(text) for text in texts]), labels, models)
    by_text = [signs(text) for text in texts]
    features = np.array([[float(present[name]) for name in SIGNS] for present in by_text])
    decided = np.array([says_no(present) for present in by_text])
    show(
        "signs, held out",
        held_out(features, labels, decided, models, folds([row[1] for row in rows])),
        labels,
        models,
    )
    fit = fitted(features[~decided], labels[~decided])
    weights = {name: round(float(weight), 2) for name, weight in zip(SIGNS, fit.coef_[0], strict=True)}
    print("INTERCEPT =", round(float(fit.intercept_[0]), 2), "\nWEIGHTS =", weights)
    for model, completions in ordinary():
        shares = {
            name: np.mean([classifier(text) for text in completions]) for name, classifier in REFUSALS.items()
        }
        print(f"ordinary requests, {model}:", *(f"{name} {share:.3f}" for name, share in shares.items()))


if __name__ == "__main__":
    main()
