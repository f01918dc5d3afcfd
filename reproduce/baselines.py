"""Which baseline integrated gradients should start from: what the judge says of a text of baseline words alone.

    python reproduce/baselines.py --battles testset-v1.json [--disputes 50]

Integrated gradients sum to f(text) - f(baseline). In both orders, the sum is the content less the content of the baseline
text, in which every word of the prompt and of both completions is the baseline. A good baseline has no content of its own:
the sum then is the content that is printed, and has its sign. The disputes are the shortest battles of PandaLM's test set
on which the bundled judge prefers another side than all three people.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

sys.path[:] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent), *sys.path[1:]]

BASELINES = (" the", "\n", " ", ".", ",", " and", "zero")


def both(lm, pair):
    """The targets of either order under the built-in prompt."""
    from arena.explaining.judge_values import orders
    from arena.explaining.prompts import chat_prompt
    from arena.serving.bundled import embedded

    (judge,) = [model for model in embedded() if model.name == lm.name]
    return [lm.contrast(chat_prompt(lm, order.messages, order.places)) for order in orders(judge, pair, None)]


def baseline_contents(targets) -> dict[str, float]:
    """The content of the text of each baseline's words, all in one pass an order."""
    import torch

    from interp.whitebox.gradients import baseline_vector

    values = []
    for target in targets:
        content = torch.as_tensor(target.content)[:, None]
        texts = [torch.where(content, baseline_vector(target, name)[0], target.embeddings) for name in BASELINES]
        with torch.no_grad():
            values.append(target.of(torch.stack(texts)[:, target.first :], target.opening))
    contents = ((values[0] - values[1]) / 2).tolist()
    return dict(zip(BASELINES, contents, strict=True))


def measured(path: Path, disputes: int, save: Path | None) -> list[dict]:
    import rewordings

    lm, found = rewordings.weights(), []
    for number, row in rewordings.battles(path, 10**6):
        targets = both(lm, rewordings.pair_of(number, row))
        content = (targets[0].value - targets[1].value) / 2
        if content * (1 if row["annotator1"] == 1 else -1) >= 0:
            continue
        found.append({"row": number, "content": content, "baselines": baseline_contents(targets)})
        if save:
            save.write_text(json.dumps(found))
        if len(found) == disputes:
            break
    return found


def table(found: list[dict]) -> None:
    print(
        f"{len(found)} disputes, mean size of the content {statistics.mean(abs(d['content']) for d in found):.3f}\n"
    )
    print("| baseline | its own content, mean size | its mean | the sum has the sign of the content |")
    print("| --- | ---: | ---: | ---: |")
    for baseline in BASELINES:
        own = [dispute["baselines"][baseline] for dispute in found]
        same = [(dispute["content"] - of) * dispute["content"] > 0 for dispute, of in zip(found, own, strict=True)]
        sizes = statistics.mean(map(abs, own))
        print(f"| {baseline!r} | {sizes:.3f} | {statistics.mean(own):+.3f} | {statistics.mean(same):.0%} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--battles", type=Path, required=True, help="testset-v1.json of PandaLM")
    parser.add_argument("--disputes", type=int, default=50)
    parser.add_argument("--save", type=Path, help="write the figures of every dispute to this file")
    given = parser.parse_args()
    table(measured(given.battles, given.disputes, given.save))


if __name__ == "__main__":
    main()
