"""Precision and recall of name masking on the labelled sentences of the tests, before and after, and CPU time.

    python reproduce/name_masking.py
    python reproduce/name_masking.py --wrong          # also the sentences that are masked wrongly
    python reproduce/name_masking.py --before REV     # another revision of this repository to compare with

A name counts as found if all of its letters are masked; a mask counts as right if it covers part of a labelled name. The
held-out third was written before the rules were tuned, and was not read while they were.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from arena.rules.name_masking import MASK, GrowingText, NameMasker, names_of
from tests.arena.rules.name_sentences import MODELS, Sentence, sentences

Hide = Callable[[str], str]
FIRST_MASKER = "e816615"
FRAMES_PER_SECOND = 15
GROWTH = 20  # characters of text in each frame


def main() -> None:
    options = _options()
    labelled = sentences()
    maskers = {"after": _present()}
    if options.before:
        maskers = {f"before ({options.before})": _earlier(options.before), **maskers}
    for title, hide in maskers.items():
        print(f"\n{title}")
        _print_table("language", labelled, hide, lambda sentence: sentence.language)
        _print_table("kind", labelled, hide, lambda sentence: sentence.kind)
        _print_table("part", labelled, hide, lambda sentence: "held out" if sentence.held_out else "tuned on")
    if options.wrong:
        _print_wrong(labelled, maskers["after"], options.held_out)
    _print_times()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", default=FIRST_MASKER, help="revision to compare with; empty for none")
    parser.add_argument("--wrong", action="store_true", help="print the sentences that are masked wrongly")
    parser.add_argument("--held-out", action="store_true", help="with --wrong: those of the held-out third, too")
    return parser.parse_args()


def _present() -> Hide:
    return NameMasker({name for model in MODELS for name in names_of(model)}).hide


def _earlier(revision: str) -> Hide:
    """The masker of an earlier revision, which knew no organisations."""
    root = Path(__file__).resolve().parent.parent
    command = ["git", "-C", str(root), "show", f"{revision}:arena/rules/name_masking.py"]
    source = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    module = types.ModuleType("earlier_name_masking")
    exec(compile(source, "name_masking.py", "exec"), module.__dict__)
    names = {name for model in MODELS for name in module.names_of(model)}
    hide: Hide = module.NameMasker(names).hide
    return hide


def masked_spans(text: str, shown: str) -> list[tuple[int, int]]:
    """Where `text` is masked in `shown`."""
    pattern = "(.+?)".join(map(re.escape, shown.split(MASK)))
    match = re.fullmatch(pattern, text, re.DOTALL)
    return [match.span(group) for group in range(1, pattern.count("(.+?)") + 1)] if match else []


def counts(sentence: Sentence, hide: Hide) -> tuple[int, int, int, int]:
    """Names found, names, masks that are right, masks."""
    masks = masked_spans(sentence.text, hide(sentence.text))
    covered = {position for start, end in masks for position in range(start, end)}
    found = sum(covered.issuperset(_letters(sentence.text, span)) for span in sentence.spans)
    right = sum(any(start < b and a < end for a, b in sentence.spans) for start, end in masks)
    return found, len(sentence.spans), right, len(masks)


def _letters(text: str, span: tuple[int, int]) -> set[int]:
    return {position for position in range(*span) if text[position].isalnum()}


def _print_table(title: str, labelled: Sequence[Sentence], hide: Hide, group: Callable[[Sentence], str]) -> None:
    print(f"{title:<14} sentences  names  recall  masks  precision  exact")
    for name in [*dict.fromkeys(map(group, labelled)), "all"]:
        chosen = [sentence for sentence in labelled if name in ("all", group(sentence))]
        totals = [counts(sentence, hide) for sentence in chosen]
        found, names, right, masks = map(sum, zip(*totals, strict=True))
        exact = sum(a == b and c == d for a, b, c, d in totals)
        print(
            f"{name:<14} {len(chosen):9} {names:6} {_share(found, names)} {masks:6} {_share(right, masks)}    "
            f"{_share(exact, len(chosen))}"
        )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:7.1%}" if whole else "      -"


def _print_wrong(labelled: Iterable[Sentence], hide: Hide, held_out: bool) -> None:
    for sentence in labelled:
        found, names, right, masks = counts(sentence, hide)
        if (found, right) != (names, masks) and (held_out or not sentence.held_out):
            print(f"{sentence.language} {sentence.kind}: {sentence.text!r} -> {hide(sentence.text)!r}")


def _print_times() -> None:
    prose = "\n\n".join(sentence.text for sentence in sentences())
    text = (prose * 3)[:20_000]
    masker = NameMasker({name for model in MODELS for name in names_of(model)})
    masker.hide("I am Gemma")
    started = time.process_time()
    masker.hide(text)
    print(f"\none pass over {len(text)} characters: {(time.process_time() - started) * 1e3:.1f} ms of CPU")
    started, frames = time.process_time(), len(text) // GROWTH
    growing = GrowingText(masker)
    for frame in range(1, frames + 1):
        growing.show(text[: frame * GROWTH], whole=False)
    spent = time.process_time() - started
    print(
        f"the same text in {frames} frames: {spent / frames * 1e3:.2f} ms a frame, "
        f"{spent / frames * FRAMES_PER_SECOND:.1%} of a core at {FRAMES_PER_SECOND} frames a second"
    )


if __name__ == "__main__":
    main()
