"""Accuracy of the language of short prompts: 300 of our own, 15 in each of 20 languages.

    python reproduce/languages.py            # the rules, with and without py3langid
    python reproduce/languages.py --peers    # py3langid alone and lingua, where they are installed: a minute

Prints the share of right languages, the time for a text and the prompts that are wrong. The prompts are in
tests/arena/rules/language_prompts.jsonl; no weight or word was chosen by them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from arena.rules import languages

PROMPTS = Path(__file__).parents[1] / "tests/arena/rules/language_prompts.jsonl"
BEFORE = 0.513  # of rules-2: six lists of words, every other Latin text English, every Cyrillic one Russian


def report(name: str, classify: Callable[[str], str | None], *, wrong: bool = False) -> None:
    rows = [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]
    classify("a text, so that the model is loaded")
    start = time.process_time()
    found = [classify(row["prompt"]) for row in rows]
    each = (time.process_time() - start) / len(rows)
    missed = [(row, got) for row, got in zip(rows, found, strict=True) if got != row["language"]]
    by_language = dict(Counter(row["language"] for row, _ in missed))
    print(
        f"{name}: {1 - len(missed) / len(rows):.3f} of {len(rows)}, {each * 1e3:.2f} ms a text; missed {by_language}"
    )
    for row, got in missed if wrong else ():
        print(f"    {row['language']} as {got}: {row['prompt']}")


def peers() -> None:
    langid = import_module("py3langid")
    report("py3langid alone, all its languages", lambda text: languages.named_language(langid.classify(text)[0]))
    lingua = import_module("lingua")
    for low in (True, False):
        builder = lingua.LanguageDetectorBuilder.from_all_languages()
        detector = (builder.with_low_accuracy_mode() if low else builder).build()

        def classify(text: str, detector=detector) -> str | None:
            found = detector.detect_language_of(text)
            return found and languages.named_language(found.name)

        report(f"lingua, {'low' if low else 'high'} accuracy", classify)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peers", action="store_true")
    arguments = options.parse_args()
    print(f"rules-2: {BEFORE}")
    report("the rules", languages.language, wrong=True)
    loaded, languages.model = languages.model, lambda: None
    report("the rules without py3langid", languages.language)
    languages.model = loaded
    if arguments.peers:
        peers()


if __name__ == "__main__":
    main()
