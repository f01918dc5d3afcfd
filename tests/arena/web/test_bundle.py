"""The modules of the battle page as one script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arena.web import bundle as bundling
from arena.web.bundle import bundle


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Writes modules into a folder that is bundled."""
    monkeypatch.setattr(bundling, "files", lambda _package: tmp_path)

    def write(**modules: str) -> str:
        (tmp_path / "static" / "x").mkdir(parents=True)
        for name, text in modules.items():
            (tmp_path / "static" / "x" / f"{name}.js").write_text(text)
        return bundle("x")

    return write


def test_a_module_stands_after_those_that_it_imports_and_once(folder):
    text = folder(
        main='import { a } from "./a.js";\nimport { b } from "./b.js";\na(b);\n',
        a='import { b } from "./b.js";\nexport const a = () => b;\n',
        b="// a comment\nexport const b = 1;\n",
    )
    assert text == "const b = 1;\nconst a = () => b;\na(b);\n"


def test_two_modules_that_declare_one_name_are_an_error(folder):
    with pytest.raises(ValueError, match="both declare draw"):
        folder(main='import { a } from "./a.js";\nfunction draw() {}\n', a="const draw = 1, a = 2;\n")


def test_modules_that_import_each_other_are_bundled(folder):
    text = folder(
        main='import { a } from "./a.js";\nexport function b() { a(); }\n',
        a='import { b } from "./main.js";\nexport function a() { b(); }\n',
    )
    assert text.count("function") == 2


STATIC = Path(bundling.__file__).parent / "static"
SCRIPTS = sorted(path for path in STATIC.rglob("*.js") if path.parent.name != "vendor")
IMPORTED = re.compile(r'^import \{([^}]*)\} from "([^"]*)";\n', re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_uses_what_it_imports_and_others_use_what_it_exports(path):
    text = path.read_text()
    body, imports = re.sub(r"^import .*\n", "", text, flags=re.MULTILINE), IMPORTED.findall(text)
    names = {name.strip() for given, _ in imports for name in given.split(",")}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", body)] == []
    assert len({module for _, module in imports}) == len(imports)
    others = "\n".join(other.read_text() for other in SCRIPTS if other != path)
    assert [name for name in EXPORTED.findall(text) if not re.search(rf"\b{name}\b", others)] == []


def test_text_is_copied_in_one_place():
    assert [path.name for path in SCRIPTS if "clipboard.writeText" in path.read_text()] == ["copy.js"]


def test_the_battle_page_has_small_modules_without_eval_and_with_one_place_for_html():
    text = bundle("battle")
    assert not re.search(r"\beval\(|new Function|document\.write|insertAdjacentHTML|outerHTML", text)
    assert text.count("innerHTML") == 1
    root = bundling.files("arena.web") / "static" / "battle"
    sizes = {path.name: path.read_text().count("\n") for path in root.iterdir()}
    assert max(sizes.values()) <= 250, sizes
