"""Import of prompt sets from files, the hub, or the bundled set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from pathlib import Path

from arena.prompt_sets.categories import read_categories
from arena.prompt_sets.files import PromptFile, read_prompt_file, read_prompts, with_references
from arena.prompt_sets.hub import is_hub_id, read_hub_prompts
from arena.prompt_sets.records import BadPromptFile
from arena.prompt_sets.run_formats import task_of
from arena.store import Database, Session
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
    """Which rows of a data set on the hub to import; `split` also chooses among the splits of a folder."""

    revision: str | None = None
    subset: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class HowToRead:
    """How the files are read. `mapping` names their fields; `references` are MT-bench answers; `categories` is a mapping."""

    format: str | None = None
    hub: OnHub = OnHub()
    references: Path | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    categories: Path | None = None


def import_prompts(
    database: Database,
    *sources: str,
    name: str | None = None,
    how: HowToRead = HowToRead(),
) -> list[Imported]:
    """Import each source (a file, a folder, the bundled set or a hub id) as a set: all of them, or none.

    The same content under the same name is not changed, and only new completions are added. Raises
    `BadPromptFile`.
    """
    if name is not None and len(sources) > 1:
        raise BadPromptFile("--name is for one set, and several files are several sets. Import them one by one.")
    read = [(name or (STARTER if what == STARTER else name_of(Path(what))), *_read(what, how)) for what in sources]
    with database.write() as session:
        return [_add(session, *one) for one in read]


def _add(session: Session, name: str, read: PromptFile, source: str) -> Imported:
    there = find_prompt_set(session, name)
    sha256 = digest(read.prompts)
    if there is None:
        add_prompt_set(session, name, source, sha256, read.prompts)
    elif there.sha256 != sha256:
        raise BadPromptFile(f"A set {name!r} with other prompts exists. Choose another name with --name.")
    ids = {prompt.key: prompt.id for prompt in prompts_of(session, name)}
    added = sum(
        add_completion(session, ids[key], model, text, finish_reason="imported")
        for (key, model), text in read.completions.items()
    )
    return Imported(name, read.format, len(read.prompts), added, there is None)


def _read(what: str, how: HowToRead) -> tuple[PromptFile, str]:
    """The prompts and their source."""
    hub = how.hub
    if what == STARTER and not Path(what).exists():
        read, source = starter(), STARTER
    elif is_hub_id(what):
        read = read_hub_prompts(what, hub.revision, hub.subset, hub.split, how.format, how.mapping)
        source = f"{what}@{hub.revision}"
    else:
        read, source = read_prompt_file(Path(what), how.format, how.mapping, hub.split), what
    if how.references:
        read = with_references(read, how.references)
    categories = read_categories(how.categories)
    return replace(read, prompts=[categories.prompt(prompt) for prompt in read.prompts]), source


def starter() -> PromptFile:
    """The prompts of the bundled set."""
    text = files("arena.prompt_sets").joinpath("starter", "prompts.jsonl").read_text(encoding="utf-8")
    return read_prompts(text, STARTER, "plain")


def name_of(path: Path) -> str:
    """A folder or file's own name; `model_outputs.json` is named after its folder, a file of samples after its task."""
    return path.parent.name if path.name == "model_outputs.json" else task_of(path)


def digest(prompts: Sequence[NewPrompt]) -> str:
    """Identifies the content of a set."""
    content = json.dumps([asdict(prompt) for prompt in prompts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
