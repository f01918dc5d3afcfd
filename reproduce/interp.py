"""Seconds, memory and faithfulness of attributions, ours and the peers', on the same prompts.

    python reproduce/interp.py --model MODEL [--prompts 2] [--only attn_lrp,captum_ig]

The model is a directory or a GGUF file. It judges four short disputes, in float32 on one thread. Each contender runs
in a process of its own: CPU seconds a prompt (the median of three if one takes less than ten), and the peak of resident
memory above the loaded, warm model. Then every ranking of words is measured by the same deletions: comprehensiveness,
and the gap between deleting the least and the most important words first, with z against ten random rankings. With
`--exact`, integrated gradients are compared with those of 129 gradients.

Peers come from the extra `interp-peers`. lxt 2.1 raises ImportError with transformers 5: the script supplies
the missing names, none of which it uses for Llama.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
# This file is called like a package it needs: Python must not find it first.
sys.path[:] = [str(HERE.parents[1]), *(path for path in sys.path if Path(path).resolve() != HERE.parent)]
OURS = (
    "integrated_gradients",
    "integrated_gradients_5%",
    "input_x_gradient",
    "attn_lrp",
    "chefer",
    "rollout",
    "flow",
    "occlusion",
    "owen",
)
EXACT = "integrated_gradients_exact"
SAME_INTEGRAL = ("integrated_gradients", "integrated_gradients_5%", "captum_ig")  # inseq takes another baseline
QUICK = 10.0  # seconds: below, a run is repeated
PEERS = (
    "captum_ig",
    "inseq_ig",
    "inseq_input_x_gradient",
    "lxt_attn_lrp",
    "captum_ablation",
    "captum_shapley",
    "captum_kernel_shap",
    "shap_partition",
)


def prompts(count: int):
    from interp import Prompt

    sys.path.append(str(HERE.parent / "peers"))
    import disputes

    return [Prompt.of(*disputes.parts(dispute)) for dispute in disputes.DISPUTES[:count]]


def load(path: str):
    import torch

    from interp import CausalLM

    torch.set_num_threads(1)
    return CausalLM.load(path)


def ours(name: str, target) -> tuple[list[float], dict]:
    """Scores of the words, and details for the table."""
    from functools import partial

    import interp

    if name in ("occlusion", "owen"):
        return interp.black_box_method(name).scores(
            target.masked(), interp.words_of(target.prompt)
        ).scores.tolist(), {}
    if name == "flow":
        return interp.flow(target, target.prompt.words).scores.tolist(), {}
    methods = {
        "integrated_gradients": interp.integrated_gradients,
        "integrated_gradients_5%": partial(interp.integrated_gradients, tolerance=0.05),
        EXACT: partial(interp.integrated_gradients, tolerance=1e-9, max_steps=129),
        "input_x_gradient": interp.input_x_gradient,
        "attn_lrp": interp.attn_lrp,
        "chefer": interp.chefer,
        "rollout": interp.rollout,
    }
    attribution = methods[name](target)
    details = {"tokens": attribution.scores.tolist()}
    if name.startswith("integrated_gradients"):
        details |= {"steps": attribution.parameters["steps"], "change": attribution.parameters["change"]}
    return attribution.by_word().scores.tolist(), details


def memory(key: str) -> float:
    """MiB of this process, by a line of the kernel's status: VmRSS now, VmHWM the highest since it was reset."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{key}:")[1].split()[0]) / 1024


def contend(name: str, model: str, count: int) -> list[dict]:
    """The results of one contender in this process. Loading, imports and a first small run are not timed."""
    lm = load(model)
    run = ours
    if name in PEERS:
        sys.path.append(str(HERE.parent / "peers"))
        import attribution_peers

        run = attribution_peers.prepared(name)
    results = []
    for prompt in prompts(count):
        _ = lm.contrast(prompt).value
        Path("/proc/self/clear_refs").write_text("5")
        before, times = memory("VmRSS"), []
        while len(times) < 3 and (not times or times[0] < QUICK):
            target = lm.contrast(prompt)  # a new one, since it remembers what was computed
            _ = target.embeddings
            began = time.process_time()
            words, details = run(name, target)
            times.append(time.process_time() - began)
        results.append(
            {**details, "words": words, "cpu": statistics.median(times), "MiB": memory("VmHWM") - before}
        )
    return results


def in_own_process(name: str, model: str, count: int) -> dict:
    command = [sys.executable, str(HERE), "--one", json.dumps({"name": name, "model": model, "count": count})]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:160]}
    return {"runs": json.loads(done.stdout.strip().splitlines()[-1])}


def remembered(value):
    """The value function with its values: masks that contenders share, such as random rankings, are run once."""
    import numpy as np

    values: dict[bytes, float] = {}

    def cached(masks):
        new = {mask.tobytes(): mask for mask in np.asarray(masks, dtype=bool) if mask.tobytes() not in values}
        if new:
            values.update(zip(new, value(np.stack(list(new.values()))).tolist(), strict=True))
        return np.array([values[mask.tobytes()] for mask in np.asarray(masks, dtype=bool)])

    return cached


def measured(results: dict, model: str, count: int) -> dict:
    """name -> (comprehensiveness, gap, z of the gap), means over the prompts."""
    import numpy as np

    from interp import faithfulness

    lm = load(model)
    values = [remembered(lm.contrast(prompt).masked()) for prompt in prompts(count)]
    faithful = {}
    for name, result in results.items():
        if "runs" in result:
            reports = [
                faithfulness(value, np.array(run["words"]))
                for value, run in zip(values, result["runs"], strict=True)
            ]
            figures = [(report.comprehensiveness.value, report.gap.value, report.gap.z) for report in reports]
            faithful[name] = [statistics.mean(column) for column in zip(*figures, strict=True)]
    return faithful


def completeness(runs: list[dict], exact: list[dict] | None) -> str:
    """The errors of the scores of integrated gradients: of their sum, and relative to the integral."""
    if "change" not in runs[0]:
        return ""
    worst = max(abs(sum(run["tokens"]) - run["change"]) / max(abs(run["change"]), 1e-9) for run in runs)
    summary = f"{statistics.mean(run['steps'] for run in runs):.0f} steps, misses its sum by at most {worst:.1%}"
    if exact is None:
        return summary
    off = statistics.mean(
        sum(abs(a - b) for a, b in zip(run["tokens"], reference["tokens"], strict=True))
        / sum(map(abs, reference["tokens"]))
        for run, reference in zip(runs, exact, strict=True)
    )
    return f"{summary}; scores off by {off:.1%}"


def table(results: dict, faithful: dict) -> None:
    print("| | CPU s | peak MiB | comprehensiveness | MoRF-LeRF gap | z | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, result in results.items():
        if "error" in result:
            print(f"| {name} | {result['error']} | | | | | |")
            continue
        runs = result["runs"]
        cpu, mib = statistics.mean(run["cpu"] for run in runs), max(run["MiB"] for run in runs)
        needed, gap, z = faithful[name]
        exact = results[EXACT]["runs"] if EXACT in results and name in SAME_INTEGRAL else None
        print(
            f"| {name} | {cpu:.1f} | {mib:.0f} | {needed:+.3f} | {gap:+.3f} | {z:+.1f} | {completeness(runs, exact)} |"
        )
    pair = [results.get(name, {}) for name in ("attn_lrp", "lxt_attn_lrp")]
    if all("runs" in each for each in pair):
        mine, theirs = ([run["tokens"] for run in each["runs"]] for each in pair)
        apart = max(abs(a - b) for x, y in zip(mine, theirs, strict=True) for a, b in zip(x, y, strict=True))
        print(f"\nattn_lrp and lxt_attn_lrp differ by at most {apart:.1e} on any token")


def heads(model: str) -> None:
    """Compare the ranking of heads by one backward pass with zeroing each of them."""
    import numpy as np
    from scipy.stats import spearmanr

    from interp import ablation_importance, gradient_importance

    target = load(model).contrast(prompts(1)[0])
    seconds = [time.process_time()]
    ranked = [gradient_importance(target)]
    seconds.append(time.process_time())
    ranked.append(ablation_importance(target))
    seconds.append(time.process_time())
    signed, exact = (each.scores.ravel() for each in ranked)
    print(
        f"{exact.size} heads; gradient {seconds[1] - seconds[0]:.1f} s, ablation {seconds[2] - seconds[1]:.1f} s"
    )
    print(f"rank correlation with ablation: {spearmanr(signed, exact).statistic:.2f}")
    print(f"of their sizes: {spearmanr(np.abs(signed), np.abs(exact)).statistic:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="directory with weights, or a GGUF file")
    parser.add_argument("--prompts", type=int, default=2, help="1 to 4")
    parser.add_argument("--only", help="comma-separated contenders")
    parser.add_argument(
        "--save", type=Path, help="save figures to this file; those of an earlier run are not measured again"
    )
    parser.add_argument("--exact", action="store_true", help="run integrated gradients with 129 gradients as well")
    parser.add_argument("--heads", action="store_true", help="only compare head importance with ablation")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(contend(**json.loads(given.one))))
        return
    if not given.model:
        parser.error("give --model, a directory with weights or a GGUF file")
    if given.heads:
        heads(given.model)
        return
    names = given.only.split(",") if given.only else [*OURS, *PEERS]
    names += [EXACT] if given.exact else []
    known = json.loads(given.save.read_text())["results"] if given.save and given.save.exists() else {}
    results = {name: known[name] for name in names if "runs" in known.get(name, {})}
    for name in names:
        if name in results:
            continue
        results[name] = in_own_process(name, given.model, given.prompts)
        print(name, results[name].get("error", "done"), file=sys.stderr, flush=True)
        if given.save:
            given.save.write_text(json.dumps({"results": results}))
    results = {name: results[name] for name in names}
    faithful = measured(results, given.model, given.prompts)
    table(results, faithful)
    if given.save:
        given.save.write_text(json.dumps({"results": results, "faithful": faithful}))


if __name__ == "__main__":
    main()
