"""`/admin/moderation`: rules are tried on texts before they are saved, and saved ones apply while the arena runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import select

from arena.config import AdminSettings, Settings
from arena.rules.roles import Role
from arena.store.audit import AuditFilter, entries
from arena.store.schema.moderation import TextRules
from arena.web.app import create_app
from tests.support.accounts import AdminBrowser, with_account
from tests.support.arenas import ready
from tests.support.moderation_server import ModerationServer, moderation_server
from tests.support.timing import until

PATH = "/admin/moderation"
LOOSE = '[prompt]\nviolence = "log"\n[completion]\n"*" = "warn"\n'
ADMIN = AdminSettings(logins_per_account=1000, logins_per_address=1000)


@pytest.fixture
def server() -> Iterator[ModerationServer]:
    with moderation_server() as one:
        yield one


@pytest.fixture
def app(sqlite, server):
    moderation = {"backend": "openai", "url": server.url, "prompt": {"violence": "block"}, "retries": 0}
    return create_app(Settings(admin=ADMIN, moderation=moderation), sqlite, ready())


@pytest.fixture
def browser(app, sqlite) -> Iterator[AdminBrowser]:
    with_account(sqlite)
    with AdminBrowser(app) as one:
        one.sign_in()
        yield one


def tried(browser: AdminBrowser, texts: str, rules: str = LOOSE, **more: str):
    return browser.post(
        f"{PATH}/try",
        data={"csrf": browser.token(PATH), "rules": rules, "texts": texts, **more},
        headers={"origin": "http://testserver"},
    )


def test_unsaved_rules_are_tried_on_each_line_and_nothing_is_saved(browser, server, sqlite):
    page = tried(browser, "a bomb\n\n  Name a tree. \nsomething lewd")
    assert page.status_code == 200
    assert server.texts == ["a bomb", "Name a tree.", "something lewd"]
    row = page.text[page.text.index("a bomb</td>") :].partition("</tr>")[0]
    assert "<strong>log</strong>" in row
    assert "now: block" in row
    assert "<strong>warn</strong>" in row
    assert "violence</bdi> 0.90" in row
    with sqlite.read() as session:
        assert session.exec(select(TextRules)).all() == []


def test_script_in_texts_and_rules_is_text(browser):
    page = tried(browser, "<script>alert(1)</script> bomb", LOOSE + "# </textarea><script>alert(2)</script>")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


def test_what_the_checker_cannot_check_is_said(browser, server):
    server.status, server.body = 500, "<script>alert(1)</script>"
    page = tried(browser, "a bomb")
    assert "not checked" in page.text
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    "rules", ["[prompt", '[prompt]\nx = "shoot"', "[other]\n", "[prompt]\nx = { threshold = 7 }"]
)
def test_wrong_rules_are_refused_in_words_and_change_nothing(browser, server, sqlite, rules):
    page = tried(browser, "a bomb", rules)
    assert (page.status_code, server.requests) == (422, [])
    assert 'role="alert"' in page.text
    assert browser.submit(f"{PATH}/save", rules=rules).status_code == 303
    with sqlite.read() as session:
        assert session.exec(select(TextRules)).all() == []


def test_saved_rules_apply_without_a_restart_and_can_be_taken_back(browser, app, sqlite):
    checks = app.state.battles.text_checks
    before = checks.version
    browser.submit(f"{PATH}/save", rules=LOOSE, reason="Too strict")
    with sqlite.read() as session:
        (entry,) = entries(session, AuditFilter(action="moderation.save"), 10)
    assert (entry.actor, entry.reason, entry.details["version"]) == ("ann", "Too strict", 1)
    until(lambda: checks.version != before)
    assert checks.checks("completion")
    assert "version 1, saved" in browser.get(PATH).text
    browser.submit(f"{PATH}/save", rules=" ")
    until(lambda: checks.version == before)
    assert "of arena.toml" in browser.get(PATH).text


def test_recent_prompts_can_be_tried(browser, app, server):
    async def ask() -> None:
        await app.state.battles.begin("voter", "A prompt of a voter")

    browser.portal.call(ask)
    page = tried(browser, "", recent="5")
    assert "A prompt of a voter" in page.text


def test_a_reviewer_may_not_open_it(app, sqlite):
    with_account(sqlite, "bob", Role.REVIEWER)
    with AdminBrowser(app) as browser:
        browser.sign_in("bob")
        assert browser.get(PATH).status_code == 403
        assert browser.submit(f"{PATH}/save", rules=LOOSE).status_code == 403


def test_without_a_backend_the_page_says_what_to_set(sqlite):
    with_account(sqlite)
    with AdminBrowser(create_app(Settings(admin=ADMIN), sqlite, ready())) as browser:
        browser.sign_in()
        assert "Set moderation.backend" in browser.get(PATH).text
        assert "<textarea" not in browser.get(PATH).text


def test_rules_are_written_as_they_are_read():
    from arena.moderation.rules_text import read_rules, written

    rules = read_rules(
        '[prompt]\n"sexual/minors" = { action = "block", threshold = 0.2 }\n"a \\"b\\"" = "warn"\n[completion]\n'
    )
    assert read_rules(written(rules)) == rules
