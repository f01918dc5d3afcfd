"""How alike a text and a reference are: BLEU and ROUGE, from 0 to 100, as T5's evaluation computes them.

Needs the extra `bench` (sacrebleu, rouge-score).
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from benchmarks.errors import MissingExtra

ROUGE = ("rouge1", "rouge2", "rougeLsum")


def bleu(text: str, reference: str) -> float:
    """BLEU of one text (Papineni et al. 2002), with the `intl` tokens and exponential smoothing of sacrebleu."""
    try:
        import sacrebleu
    except ImportError as error:
        raise _missing("sacrebleu") from error
    options = {"smooth_method": "exp", "smooth_value": 0.0, "tokenize": "intl", "use_effective_order": False}
    return float(sacrebleu.corpus_bleu([text], [[reference]], **options).score)


def rouge(text: str, reference: str) -> dict[str, float]:
    """F-measures of ROUGE-1, ROUGE-2 and ROUGE-Lsum (Lin 2004), a sentence a line for the last one."""
    pieces = [words.replace(" . ", ".\n") for words in (reference, text)]
    return {name: 100 * score.fmeasure for name, score in _scorer().score(*pieces).items()}


@cache
def _scorer() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of nltk, about its own future
            from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        raise _missing("rouge-score") from error
    return RougeScorer(ROUGE)


def _missing(library: str) -> MissingExtra:
    return MissingExtra(f"BLEU and ROUGE need {library}, in the extra 'bench': pip install 'arena[bench]'")
