"""The scripts of a folder of `arena/web/static` as one file, so that a page loads them with one request."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable

IMPORT = re.compile(r'^import [^"]*"\./([\w-]+\.js)";\n', re.MULTILINE)
NAME = re.compile(r"^(?:async )?(?:const|let|function|class) (?:\{[^}]*\}|(\w+))", re.MULTILINE)
COMMENT = re.compile(r"^ *(?://.*|/\*\*.*\*/)\n", re.MULTILINE)


def bundle(folder: str, entry: str = "main.js") -> str:
    """The modules that `entry` imports, each after those that it imports, without imports and exports.

    All of them share one scope: raises ValueError for a name that two modules declare. Modules that import each other
    may use each other's names inside functions only.
    """
    root = files("arena.web") / "static" / folder
    modules: dict[str, str] = {}
    _collect(root, entry, modules, set())
    names = [(name, module) for module, text in modules.items() for name in NAME.findall(text) if name]
    owner = dict(reversed(names))
    for name, module in names:
        if owner[name] != module:
            raise ValueError(f"{owner[name]} and {module} both declare {name}. Rename one of them.")
    return "\n".join(COMMENT.sub("", text).strip() for text in modules.values()) + "\n"


def _collect(root: Traversable, name: str, modules: dict[str, str], seen: set[str]) -> None:
    """Add the module and what it imports to `modules`, in the order of their execution."""
    if name in seen:
        return
    seen.add(name)
    text = (root / name).read_text(encoding="utf-8")
    for imported in IMPORT.findall(text):
        _collect(root, imported, modules, seen)
    modules[name] = re.sub(r"^export ", "", IMPORT.sub("", text), flags=re.MULTILINE)
