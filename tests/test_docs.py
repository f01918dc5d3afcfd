"""README, CONTRIBUTING and docs/ name files, modules, commands and options that exist, and their links resolve."""

from __future__ import annotations

import csv
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import typer
import yaml

from arena.cli import PANELS, app
from ratings import leaderboard

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
PACKAGES = "arena|ratings|judges|benchmarks|interp"
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
FENCED = re.compile(r"```(?:\w+)?\n(.*?)```", re.DOTALL)
PATH = re.compile(rf"(?<![\w./-])(?:{PACKAGES}|tests|docs|reproduce|\.ci)/[\w./*-]*\w[\w./*-]*")
MODULE = re.compile(rf"(?<![\w./-])(?:{PACKAGES})(?:\.[A-Za-z_]\w*)+(?![\w/-])")
NOT_MODULES = {"arena.toml", "arena.db", "arena.example", "arena.example.org"}
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code(page: Path) -> str:
    return "\n".join(CODE.findall(page.read_text(encoding="utf-8")))


@every_page
def test_every_file_that_is_named_exists(page):
    named = {path.rstrip("/.") for path in PATH.findall(code(page)) if not is_example(path)}
    assert [path for path in sorted(named) if not any(ROOT.glob(path))] == []


def test_every_file_in_the_diagrams_of_the_architecture_exists():
    diagrams = set(re.findall(r"(?<![\w./-])\w+(?:/\w+)+\.py", code(DOCS / "architecture.md")))
    assert len(diagrams) > 30
    assert [
        path for path in sorted(diagrams) if not (ROOT / path).exists() and not (ROOT / "arena" / path).exists()
    ] == []


def test_every_folder_stands_in_the_tree_of_the_architecture():
    tree = FENCED.findall((DOCS / "architecture.md").read_text(encoding="utf-8"))[0]
    folders = {
        file.parent.name for package in PACKAGES.split("|") for file in (ROOT / package).glob("*/__init__.py")
    }
    assert [folder for folder in sorted(folders) if f"{folder}/" not in tree] == []


def test_every_command_stands_in_the_file_of_its_name():
    exceptions = {"import": "import_"}
    misplaced = [
        name
        for panel in PANELS.values()
        for name, command in panel.items()
        if exceptions.get(name, name.replace("-", "_")) not in modules_of(command)
    ]
    assert misplaced == []


def modules_of(command: typer.Typer | Callable[..., None]) -> list[str]:
    """The modules of `arena.cli` that hold a command, or in which a group of commands stands."""
    if not isinstance(command, typer.Typer):
        return [command.__module__.removeprefix("arena.cli.")]
    return [
        name.removeprefix("arena.cli.")
        for name, module in sys.modules.items()
        if name.startswith("arena.cli.") and getattr(module, "app", None) is command
    ]


def is_example(path: str) -> bool:
    """Files that CONTRIBUTING tells the reader to create are called after the wombat."""
    return "wombat" in path.lower()


@every_page
def test_every_module_and_name_that_is_named_exists(page):
    named = set(MODULE.findall(code(page))) - NOT_MODULES
    assert [name for name in sorted(named) if not is_example(name) and not exists(name)] == []


@every_page
def test_every_name_that_a_snippet_imports_exists(page):
    imports = re.findall(rf"^from ((?:{PACKAGES})[\w.]*) import ([\w, ]+)$", code(page), re.MULTILINE)
    named = [f"{module}.{name.split(' as ')[0].strip()}" for module, names in imports for name in names.split(",")]
    assert [name for name in named if not is_example(name) and not exists(name)] == []


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(value, part) and part not in getattr(value, "__dataclass_fields__", {}):
                return False
            value = getattr(value, part, None)
        return True
    return False


@every_page
def test_every_command_and_option_that_is_named_exists(page):
    assert [problem for line in command_lines(page) if (problem := mistake(line))] == []


def command_lines(page: Path) -> list[str]:
    """Lines `arena ...` of code blocks, continued lines joined, and of inline code."""
    text = page.read_text(encoding="utf-8") if page.name != "cli.md" else ""
    blocks = [re.sub(r"(\\\n|(?<=&&)\n)\s*", " ", block) for block in FENCED.findall(text)]
    inline = re.findall(r"`([^`\n]+)`", FENCED.sub("", text))
    lines = [line for block in blocks for line in block.splitlines()] + inline
    parts = [part.strip() for line in lines for part in re.split(r"&&|;|\s\|\s|\s#|\$\(|^\$ ", line)]
    return [part for part in parts if re.match(r"(\w+=\S+ )*arena [a-z]", part) and not is_example(part)]


@cache
def commands() -> typer.core.TyperGroup:
    return typer.main.get_command(app)


def mistake(line: str) -> str:
    """What is wrong with a command line; empty if nothing is. `a|b` are alternatives, `[...]` is optional."""
    words = shlex.split(re.sub(r"[\[\]…]|\.\.\.", " ", line.replace("'", "")))
    words = words[words.index("arena") + 1 :]
    groups, options = [commands()], {"--help"}
    for word in words:
        found = [
            group.commands[name] for group in groups for name in word.split("|") if name in subcommands(group)
        ]
        if found:
            groups = found
        elif any(map(subcommands, groups)) and not word.startswith("-"):
            return f"{line}: no command {word!r}"
        elif word.startswith("--"):
            options = {"--help"} | {name for group in groups for name in options_of(group)}
            unknown = [
                name for name in word.partition("=")[0].split("|") if name.startswith("--") and name not in options
            ]
            if unknown:
                return f"{line}: no option {unknown[0]}"
    return ""


def subcommands(command: object) -> dict[str, object]:
    return getattr(command, "commands", {})


def options_of(command: object) -> list[str]:
    return [name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)]


def test_a_command_that_does_not_exist_is_noticed():
    assert mistake("arena rate battles.csv --method bt") == ""
    assert mistake("arena judge single|pairwise --prompts N [--order both]") == ""
    assert "no command 'rates'" in mistake("arena rates battles.csv")
    assert "no command 'everything'" in mistake("arena judge everything --judge J")
    assert "no option --canaries" in mistake("arena judge pairwise --canaries 3")


@every_page
def test_every_link_leads_to_a_page_and_a_heading(page):
    assert [
        link for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))) if not leads(page, link)
    ] == []


def leads(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    path, _, anchor = link.partition("#")
    target = page if not path else page.parent / path
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip()) for heading in headings}


def navigation(entries: list[object]) -> list[str]:
    """Pages of mkdocs' navigation, in order."""
    pages: list[str] = []
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            pages += [value] if isinstance(value, str) else navigation(value)
    return pages


def test_every_page_is_in_the_navigation_and_in_llms_txt():
    pages = navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(pages) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
    index = (DOCS / "llms.txt").read_text(encoding="utf-8")
    assert re.match(r"# Arena\n\n> .+\n", index)
    assert sorted(LINK.findall(index)) == sorted(page for page in pages if page != "index.md")


def test_the_votes_of_the_read_tutorial_are_those_of_its_script_and_give_its_board():
    script = [sys.executable, ROOT / "reproduce/tutorial_votes.py"]
    votes = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert (DOCS / "tutorials/battles.csv").read_text(encoding="utf-8") == votes
    rows = list(csv.DictReader(votes.splitlines()))
    columns = [[row[name] for row in rows] for name in ("model_a", "model_b", "winner")]
    shown = (DOCS / "tutorials/read.md").read_text(encoding="utf-8")
    for row in leaderboard(*columns).rows:
        assert f"{row.model} │ {row.rating:>6.0f} │ {f'{row.lower:.0f} – {row.upper:.0f}':>13} │" in shown


def test_the_command_reference_is_the_one_that_the_commands_give():
    spec = importlib.util.spec_from_file_location("generate_cli", DOCS / "generate_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.generate(), "Run `python docs/generate_cli.py`."


@pytest.mark.slow
def test_a_stale_command_reference_fails_the_check(tmp_path):
    copy = tmp_path / "docs" / "generate_cli.py"
    copy.parent.mkdir()
    copy.write_text((DOCS / "generate_cli.py").read_text(encoding="utf-8"), encoding="utf-8")
    copy.with_name("cli.md").write_text("old", encoding="utf-8")
    run = subprocess.run([sys.executable, copy, "--check"], capture_output=True, text=True)
    assert run.returncode == 1
    assert "docs/cli.md is stale. Run `python docs/generate_cli.py`." in run.stderr


def test_the_table_of_architectures_has_every_one_that_is_tested():
    from reproduce.tiny_networks import CLASSIFIER, CLASSIFIERS, DECODERS, ENCODER_DECODERS

    text = (ROOT / "docs/attribution.md").read_text()
    for each in (*DECODERS, *ENCODER_DECODERS, *CLASSIFIERS):
        name = each.model_type + (", classifier" if each.kind == CLASSIFIER else "")
        assert f"| {name} | {each.known_as} | " in text
    assert (
        f"{len(DECODERS) + len(ENCODER_DECODERS) + len(CLASSIFIERS)} architectures"
        in (ROOT / "reproduce/README.md").read_text()
    )
