"""Languages of the pages: which one a request gets, and that no text is missing in any."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from fastapi.testclient import TestClient
from markupsafe import Markup

import arena
import arena.web
import interp
from arena.config import ScriptedSettings, Settings
from arena.rules.messages import TranslatableError, gettext_noop
from arena.web.app import create_app
from arena.web.locales import (
    COOKIE,
    current_language,
    day,
    gettext,
    languages,
    ngettext,
    number,
    speaking,
    text_of,
)
from arena.web.locales.catalogues import _of_scripts, read_catalogue
from arena.web.locales.extraction import KEYWORDS, extracted, updated
from arena.web.locales.negotiation import chosen
from arena.web.plots.catalogue import PLOTS
from arena.web.rendering import templates
from tests.support.arenas import ready
from tests.support.populated import names_of, populated_file, settings_of
from tests.support.untranslated import english, unwrapped

PACKAGES = [Path(package.__file__).parent for package in (arena, interp)]
TEMPLATES = sorted(path for package in PACKAGES for path in package.rglob("templates/*.*"))
TRANSLATED = [code.replace("-", "_") for code in languages() if code != "en"]
PLACEHOLDER = re.compile(r"\{\w+[^}]*\}|%\(\w+\)[sd]|%%|</?[a-z]+")
CHINESE = languages()["zh-Hans"]


@cache
def texts() -> Catalog:
    return extracted()


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    database, names = populated_file(tmp_path_factory.mktemp("languages") / "arena.db", 6, 60)
    serving = ready(*(ScriptedSettings(name=name, endpoint="scripted", delay=0) for name in names))
    with TestClient(create_app(Settings(**tomllib.loads(settings_of(names))), database, serving)) as client:
        yield client
    database.close()


# Catalogues


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_text_of_the_sources_has_a_translation_that_is_neither_empty_nor_fuzzy(name):
    catalogue = read_catalogue(name)
    lacking = []
    for message in texts():
        entry = catalogue.get(message.id, message.context)
        if message.id and (entry is None or entry.fuzzy or not all(forms(entry.string))):
            lacking.append(message.id)
    assert not lacking, "run `python -m arena.web.locales` and translate these"


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_has_the_placeholders_and_tags_of_its_text(name):
    different = [
        message.id
        for message in read_catalogue(name)
        if message.id
        for form in forms(message.string)
        if form and sorted(PLACEHOLDER.findall(form)) != sorted(PLACEHOLDER.findall(forms(message.id)[-1]))
    ]
    assert not different


HALF_WIDTH = re.compile(r"[\u4e00-\u9fff”）}][,:;?!](?![\w/])|[,:;?!][\u4e00-\u9fff“]|\([^()]*[\u4e00-\u9fff]")


def test_a_chinese_text_has_chinese_punctuation():
    strings = [form for message in read_catalogue("zh_Hans") for form in forms(message.string) if message.id]
    assert [text for text in strings if HALF_WIDTH.search(text)] == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_catalogue_is_as_the_command_writes_it_and_a_second_run_changes_nothing(name):
    once = updated(name, texts())
    assert b"fuzzy" not in once
    assert once == updated(name, texts())


def test_no_mark_is_where_the_extraction_does_not_look_such_as_in_an_f_string():
    known = {form for message in texts() for form in forms(message.id)}
    lost = []
    for path in (path for package in PACKAGES for path in package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            text = (
                getattr(node.args[0], "value", "") if name in KEYWORDS and node.args and name != "pgettext" else ""
            )
            if isinstance(text, str) and text and text not in known:
                lost.append((path.name, text))
            if name in KEYWORDS and node.args and isinstance(node.args[0], ast.JoinedStr):
                lost.append((path.name, ast.unparse(node.args[0])))
    assert lost == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_text_without_a_mark(path):
    assert unwrapped(templates("Arena"), path) == []


def test_the_check_of_templates_finds_texts_attributes_and_strings_of_expressions(tmp_path):
    template = tmp_path / "page.html"
    template.write_text(
        '<p title="Left out">Plain {{ _("wrapped") }}</p>{{ "Bare" if x else _("also wrapped") }}'
        '{% trans %}In <a href="/">a block</a>{% endtrans %}<style>.Not { color: Text }</style>{{ "%.2f"|format(1) }}'
        '{{ ngettext("{count} vote", "{count} Votes", n) }}{{ _("outer {x}", x=f("Inner")) }}'
    )
    assert unwrapped(templates("Arena"), template) == ["Left out", f"Plain {chr(0xFFFC)}", "Bare"]


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


# Texts


def test_a_text_is_english_outside_a_request_and_chinese_where_chinese_is_spoken():
    assert gettext("Leaderboard") == "Leaderboard"
    with speaking(CHINESE):
        assert (gettext("Leaderboard"), current_language().direction) == ("排行榜", "ltr")


def test_values_are_filled_in_and_escaped_only_next_to_markup():
    assert gettext("{x} < 3", x="<b>") == "<b> < 3"
    assert gettext("{x} < {y}", x=Markup("<b>"), y="<i>") == Markup("<b> &lt; &lt;i&gt;")
    assert gettext("braces {} stay without values") == "braces {} stay without values"


def test_numbers_dates_and_plurals_are_those_of_the_language():
    assert ngettext("{count} apple", "{count} apples", 1) == "1 apple"
    assert ngettext("{count} apple", "{count} apples", 1234) == "1,234 apples"
    assert number(1234.567, 1) == "1,234.6"
    with speaking(CHINESE):
        assert day(date(2026, 11, 27)) == "2026年11月27日"


def test_an_error_is_translated_with_its_values_and_prints_in_english():
    problem = TranslatableError("{title}: changes", title="Arena {1}")
    assert str(problem) == "Arena {1}: changes"
    with speaking(CHINESE):
        assert text_of(problem) == "Arena {1}：变动"
        assert text_of(gettext_noop("Leaderboard")) == "排行榜"


# The language of a request


@pytest.mark.parametrize(
    ("address", "cookie", "header", "code"),
    [
        ("", "", "", "en"),
        ("", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("", "", "en;q=0.8, zh-SG", "zh-Hans"),
        ("", "", "fr, en;q=0.5, zh;q=0.4", "en"),
        ("", "", "zh-TW, zh-Hant;q=0.9", "zh-Hans"),  # readers of Traditional Chinese can read Simplified
        ("", "", "zh;q=0, de", "en"),
        ("", "", "*;q=x, ;;;,zh", "zh-Hans"),
        ("", "zh-Hans", "en", "zh-Hans"),
        ("en", "zh-Hans", "zh", "en"),
        ("tlh", "", "zh", "zh-Hans"),
        ("../../etc", "<script>", "zh_Hans_CN", "zh-Hans"),
    ],
)
def test_the_language_is_that_of_the_address_then_the_cookie_then_the_header_then_english(
    address, cookie, header, code
):
    assert chosen(address, cookie, header).code == code


@pytest.mark.slow
def test_a_page_has_the_language_its_direction_and_headers_that_caches_need(reader):
    page = reader.get("/battles", headers={"accept-language": "zh-CN"})
    assert '<html lang="zh-Hans" dir="ltr">' in page.text
    assert page.headers["content-language"] == "zh-Hans"
    assert {"Accept-Language", "Cookie"} <= set(page.headers["vary"].split(", "))
    assert '<html lang="en" dir="ltr">' in reader.get("/battles").text


def test_the_switch_leads_to_the_same_page_and_is_remembered(reader):
    page = reader.get("/battles?q=a%26b&page=1")
    link = re.search(r'<a href="([^"]*)" lang="zh-Hans"', page.text)[1].replace("&amp;", "&")
    assert link == "/battles?q=a%26b&page=1&lang=zh-Hans"
    switched = reader.get(link)
    cookie = switched.headers["set-cookie"]
    assert f"{COOKIE}=zh-Hans; Path=/; Max-Age=" in cookie
    assert 'value="a&amp;b"' in switched.text
    reader.cookies.set(COOKIE, "zh-Hans")
    try:
        assert '<html lang="zh-Hans"' in reader.get("/battles").text
        assert COOKIE not in reader.get("/battles?lang=zh").headers.get("set-cookie", "")
        assert f"{COOKIE}=en" in reader.get("/battles?lang=en").headers["set-cookie"]
    finally:
        reader.cookies.clear()


def test_an_unknown_language_of_the_address_is_ignored_and_no_cookie_comes_from_the_api(reader):
    assert COOKIE not in reader.get("/battles?lang=xx").headers.get("set-cookie", "")
    assert COOKIE not in reader.get("/api/v1/table.html?lang=zh").headers.get("set-cookie", "")


def test_a_file_that_no_language_changes_does_not_vary_by_it(reader):
    reply = reader.get("/reading/texts.js", headers={"accept-language": "zh"})
    assert "content-language" not in reply.headers
    assert "Accept-Language" not in reply.headers.get("vary", "")


# Pages

FILES = {"JSON", "CSV", "Parquet", "API", "README", "Markdown", "Accept", "Link", "Cookie", "JavaScript", "Atom"}
FIELD = {"Elo", "Bradley–Terry", "Davidson", "token", "tokens", "UTC", "USD", "Wh", "OpenAPI"}
DATA = {  # of the populated arena: judges, organisations, licences, tasks, metrics, endpoint
    "north", "south", "Labs", "Apache-2.0", "MIT", "proprietary", "arc-easy", "bbq", "accuracy", "first", "scripted",
    "Arena", "English",  # the switch to the other language
    "Why is the sky blue?",
}  # fmt: skip
PAGES = (
    "/", "/leaderboard", "/leaderboard?style=on&beside=judges", "/leaderboard?at=1999-01-01",
    "/leaderboard/compare?models={model}&models={other}", "/leaderboard/moved", "/leaderboard/moved?model={model}",
    "/leaderboard/fragility", "/models/{model}", "/models/nothing", "/battles", "/battles?q=nothing", "/battles/{battle}",
    "/explain/{battle}", "/benchmarks", "/benchmarks/0", "/nothing", "/api/v1", "/api/v1/table.html", "/how-it-works",
    "/privacy", "/terms",
)  # fmt: skip


@pytest.fixture(scope="module")
def places(reader):
    """The names in the addresses of pages: a battle and two models."""
    battle = re.search(r'href="/battles/([\w-]+)"', reader.get("/battles").text)[1]
    model, other, *_ = re.findall(r'data-model="([^"]+)"', reader.get("/leaderboard").text)
    return {"battle": battle, "model": model, "other": other}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_in_chinese_has_no_english_but_names_and_terms(reader, places, path):
    page = reader.get(path.format(**places), headers={"accept-language": "zh-CN", "accept": "text/html"})
    names = {*names_of(6), *(name.split("-")[0].capitalize() for name in names_of(6))}
    assert '<html lang="zh-Hans" dir="ltr"' in page.text
    assert list(english(page.text, {*FILES, *FIELD, *DATA, *names, "nothing", "every-1"})) == []


@pytest.mark.parametrize("name", [plot.name for plot in PLOTS])
def test_a_plot_in_chinese_has_no_english_title(reader, name):
    figure = reader.get(f"/plots/{name}.json", headers={"accept-language": "zh"}).json()
    axes = [figure.get("layout", {}).get(axis, {}).get("title", {}).get("text", "") for axis in ("xaxis", "yaxis")]
    texts = [figure.get("notice", ""), figure.get("note", ""), *axes]
    known = re.compile(r"\b(Elo|token|br|sub|arc-easy|bbq)\b")
    assert [text for text in texts if re.search(r"[A-Za-z]{3,}", known.sub("", text))] == []


def test_a_refused_parameter_is_explained_in_the_language_of_the_request_with_the_same_fields(reader):
    english_, chinese = (
        reader.get("/api/v1/leaderboard?source=nobody", headers={"accept-language": tag}) for tag in ("en", "zh")
    )
    assert english_.json()["detail"].startswith("Source 'nobody' is unknown.")
    assert chinese.json()["detail"].startswith("未知的投票来源 'nobody'")
    assert english_.json().keys() == chinese.json().keys()
    assert chinese.headers["content-language"] == "zh-Hans"


def test_a_catalogue_comes_with_an_installed_package():
    package_data = tomllib.loads((Path(arena.__file__).parents[1] / "pyproject.toml").read_text())["tool"][
        "setuptools"
    ]
    assert "arena.web.locales" in package_data["packages"]
    assert package_data["package-data"]["arena.web.locales"] == ["*/LC_MESSAGES/*.po"]


def test_a_plural_of_a_script_has_a_form_for_each_category_of_a_browser():
    catalogue = Catalog(locale="pl")
    catalogue.add(
        ("{n} vote", "{n} votes"), ("{n} głos", "{n} głosy", "{n} głosów"), locations=[("web/static/a.js", 1)]
    )
    assert _of_scripts(catalogue)["a.js"]["{n} vote"] == {
        "one": "{n} głos",
        "few": "{n} głosy",
        "many": "{n} głosów",
    }
    rank = CHINESE.scripts["reveal.js"]["{rank}, from {battles} battle"]
    assert rank == {"other": "第 {rank} 名，共 {battles} 场对战"}
