"""Import of prompt sets from files, the hub, or the bundled set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from arena.prompt_sets.files import PromptFile, read_prompt_file, read_prompts, with_references
from arena.prompt_sets.hub import is_hub_id, read_hub_prompts
from arena.prompt_sets.records import BadPromptFile
from arena.store import Database
from arena.store.prompts import NewPrompt, add_completion, add_prompt_set, find_prompt_set, prompts_of

STARTER = "starter"  # the bundled set


@dataclass(frozen=True)
class Imported:
    """The result of an import. `new` is False if the same set was in the store before."""

    name: str
    format: str
    prompts: int
    completions: int
    new: bool


@dataclass(frozen=True)
class OnHub:
    """Which rows of a data set on the hub to import."""

    revision: str | None = None
    subset: str | None = None
    split: str | None = None


def import_prompts(
    database: Database,
    what: str,
    name: str | None = None,
    format: str | None = None,  # noqa: A002
    hub: OnHub = OnHub(),
    references: Path | None = None,
) -> Imported:
    """Import the file, bundled set or hub id `what`, completely or not at all; `references` are MT-bench answers.

    The same content under the same name is not changed, and only new completions are added. Raises
    `BadPromptFile`.
    """
    read, source = _read(what, format, hub)
    if references is not None:
        read = with_references(read, references)
    chosen = name or (STARTER if what == STARTER else _name_of(Path(what)))
    digest = _digest(read.prompts)
    with database.write() as session:
        there = find_prompt_set(session, chosen)
        if there is None:
            add_prompt_set(session, chosen, source, digest, read.prompts)
        elif there.sha256 != digest:
            raise BadPromptFile(f"A set {chosen!r} with other prompts exists. Choose another name with --name.")
        ids = {prompt.key: prompt.id for prompt in prompts_of(session, chosen)}
        added = sum(
            add_completion(session, ids[key], model, text, finish_reason="imported")
            for (key, model), text in read.completions.items()
        )
    return Imported(chosen, read.format, len(read.prompts), added, there is None)


def _read(what: str, format: str | None, hub: OnHub) -> tuple[PromptFile, str]:  # noqa: A002
    """The prompts and their source."""
    if what == STARTER and not Path(what).exists():
        return starter(), STARTER
    if is_hub_id(what):
        read = read_hub_prompts(what, hub.revision, hub.subset, hub.split, format)
        return read, f"{what}@{hub.revision}"
    return read_prompt_file(Path(what), format), what


def starter() -> PromptFile:
    """The prompts of the bundled set."""
    text = files("arena.prompt_sets").joinpath("starter", "prompts.jsonl").read_text(encoding="utf-8")
    return read_prompts(text, STARTER, "plain")


def _name_of(path: Path) -> str:
    """A folder or file's own name; `model_outputs.json` is named after its folder."""
    return path.parent.name if path.name == "model_outputs.json" else path.stem


def _digest(prompts: Sequence[NewPrompt]) -> str:
    content = json.dumps([asdict(prompt) for prompt in prompts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
