"""`/admin/prompts` and `/admin/terms`: what visitors are shown, changes without a restart, and their history."""

from __future__ import annotations

import hashlib
import re
from html import unescape

import pytest
from sqlmodel import select

from arena.config import AdminSettings, Settings, WebSettings
from arena.rules.prompt_edits import CATEGORIES, LONGEST, as_json
from arena.rules.roles import Role
from arena.rules.suggested_prompts import suggested_prompts
from arena.store.audit import AuditFilter, entries
from arena.store.schema.battles import Battle
from arena.store.site_texts import PROMPTS, is_suggested, save, versions
from arena.web.app import create_app
from arena.web.pages.admin.terms import visitor_texts
from tests.support.accounts import OWN, AdminBrowser, with_account
from tests.support.arenas import ready, settled

SCRIPT = "<script>alert(1)</script>"
SHIPPED = suggested_prompts()["coding"]
SETTINGS = Settings(admin=AdminSettings(logins_per_account=1000, logins_per_address=1000))


def signed_in(database, settings=SETTINGS) -> AdminBrowser:
    browser = AdminBrowser(create_app(settings, database, ready()))
    assert browser.sign_in().status_code == 303
    return browser


@pytest.fixture
def ann(database):
    """An operator's browser, on both databases."""
    with_account(database)
    browser = signed_in(database)
    with browser:
        yield browser


def shown(browser, language="en", topic="coding") -> list[str]:
    """What the battle page suggests."""
    return browser.get("/api/v1/arena", headers={"accept-language": language}).json()["prompts"].get(topic, [])


def edit(browser, action, **form):
    """Send a form of `/admin/prompts` as the page has it now; returns the notice of the next page."""
    page = browser.get("/admin/prompts").text
    language = form.setdefault("language", "en")
    seen = re.search(rf'name="language" value="{language}"><input type="hidden" name="seen" value="(\d+)"', page)[
        1
    ]
    data = {"csrf": browser.token(), "seen": seen, "category": "coding", **form}
    reply = browser.post(
        f"/admin/prompts/{action}", data=data, headers={**OWN, "referer": "http://testserver/admin/prompts"}
    )
    assert reply.status_code == 303, reply.text
    return re.search(r'<div class="notice (\w+)"[^>]*>([^<]*)', browser.get("/admin/prompts").text).groups()


def trail(database, prefix):
    with database.read() as session:
        rows = entries(session, AuditFilter(), 100)
        return [
            (row.actor, row.action, row.target, row.reason, row.details)
            for row in reversed(rows)
            if row.action.startswith(prefix)
        ]


def test_an_operators_own_text_is_named_with_its_version(tmp_path):
    (tmp_path / "terms.md").write_text("# Our terms\n\nBe kind.", encoding="utf-8")
    texts = {(text.page, text.language): text for text in visitor_texts(tmp_path)}
    own, shipped = texts["terms", "zh-Hans"], texts["privacy", "en"]
    assert (own.heading, own.own, own.file) == ("Our terms", True, "terms.md")
    assert own.version == hashlib.sha256(b"# Our terms\n\nBe kind.").hexdigest()[:16]
    assert (shipped.own, shipped.file) == (False, "privacy.md")
    assert not any(text.own for text in visitor_texts(None))


def test_the_pages_show_prompts_and_texts_in_every_language(sqlite, tmp_path):
    (tmp_path / "terms.md").write_text("# <script>alert(1)</script>", encoding="utf-8")
    with_account(sqlite)
    with AdminBrowser(create_app(Settings(web=WebSettings(pages_dir=tmp_path)), sqlite, ready())) as browser:
        browser.sign_in()
        page = unescape(browser.get("/admin/prompts").text)
        for language in ("en", "zh-Hans"):
            assert all(prompts[0] in page for prompts in suggested_prompts(language).values())
        terms = browser.get("/admin/terms").text
    assert "<script>alert" not in terms
    assert "web.pages_dir" in terms


def test_prompts_are_added_changed_moved_and_retired_without_a_restart(ann, database):
    assert shown(ann) == list(SHIPPED)
    chinese = shown(ann, "zh-CN")
    kind, text = edit(ann, "add", text=f"  Explain\r\n{SCRIPT} ", reason="new")
    assert (kind, text) == ("success", "Version 1 of the prompts is shown from now on.")
    assert shown(ann) == [*SHIPPED, f"Explain\n{SCRIPT}"]
    assert SCRIPT not in ann.get("/admin/prompts").text
    edit(ann, "change", place="0", text="Say hello in COBOL.", reason="shorter")
    edit(ann, "move", place=str(len(SHIPPED)), to="up")
    edit(ann, "retire", place="1", reason="too easy")
    left = ["Say hello in COBOL.", *SHIPPED[2:-1], f"Explain\n{SCRIPT}", SHIPPED[-1]]
    assert shown(ann) == left
    assert shown(ann, "zh-CN") == chinese, "each language for itself"
    assert [row[:4] for row in trail(database, "prompt.")] == [
        ("ann", "prompt.add", "en coding", "new"),
        ("ann", "prompt.change", "en coding", "shorter"),
        ("ann", "prompt.move", "en coding", ""),
        ("ann", "prompt.retire", "en coding", "too easy"),
    ]
    assert [row[4]["version"] for row in trail(database, "prompt.")] == [1, 2, 3, 4]
    assert trail(database, "prompt.")[3][4]["before"] == SHIPPED[1]
    with database.read() as session:
        history = versions(session, PROMPTS, "en")
        assert [(row.number, row.saved_by, row.action, row.reason) for row in history] == [
            (4, "ann", "retire", "too easy"),
            (3, "ann", "move", ""),
            (2, "ann", "change", "shorter"),
            (1, "ann", "add", "new"),
        ]
        assert is_suggested(session, "say  hello in cobol.")
        assert is_suggested(session, SHIPPED[1]), "a retired prompt stays known"
        assert not is_suggested(session, "Say hello in Ada.")


async def test_a_battle_on_a_prompt_of_the_operator_is_marked_also_after_it_is_retired(battles, sqlite):
    who = {"reason": "", "by": "x"}
    prompts = dict(suggested_prompts())
    with sqlite.write() as session:
        text = as_json({**prompts, "coding": (*SHIPPED, "Name three birds.")})
        save(session, PROMPTS, "en", text, seen=0, action="add", **who)
        save(session, PROMPTS, "en", as_json(prompts), seen=1, action="retire", **who)
    for prompt, marked in (("Name  THREE birds.", True), ("Name three trees.", False)):
        view = await battles.begin(prompt, prompt)
        await settled(battles, prompt, view.public_id)
        with sqlite.read() as session:
            row = session.exec(select(Battle).where(Battle.public_id == view.public_id)).one()
            assert row.suggested == marked, prompt


def test_an_earlier_version_and_the_shipped_prompts_come_back(ann, database):
    edit(ann, "add", text="Name three birds.")
    edit(ann, "add", text="Name three trees.")
    edit(ann, "restore", version="1", reason="birds only")
    assert shown(ann)[-1] == "Name three birds."
    edit(ann, "restore", version="0")
    assert shown(ann) == list(SHIPPED)
    assert [row[4]["restored"] for row in trail(database, "prompt.restore")] == [1, 0]
    page = ann.get("/admin/prompts").text
    assert page.count("Name three trees.") == 1, "it stays in the history"
    kind, text = edit(ann, "restore", version="9")
    assert (kind, text) == ("danger", "There is no version 9. Choose one of the list.")


@pytest.mark.parametrize(
    ("action", "form", "problem"),
    [
        ("add", {"text": " "}, "1 to 2,000 characters"),
        ("add", {"text": "x" * (LONGEST + 1)}, "1 to 2,000 characters"),
        ("add", {"text": "bell \a"}, "control characters"),
        ("add", {"text": SHIPPED[0].upper()}, "suggested already"),
        ("add", {"text": "x", "category": SCRIPT}, "There is no topic"),
        ("change", {"text": "x", "place": "99"}, "no prompt at this place"),
        ("move", {"place": "0", "to": "up"}, "no prompt at this place"),
        ("retire", {"place": "99"}, "no prompt at this place"),
        ("add", {"text": "x", "seen": "7"}, "Somebody else has changed"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(sqlite, action, form, problem):
    with_account(sqlite)
    ann = signed_in(sqlite)
    kind, text = edit(ann, action, **form)
    assert kind == "danger"
    assert problem in unescape(text)
    assert shown(ann) == list(SHIPPED)
    assert trail(sqlite, "prompt.") == []
    form = {"csrf": ann.token(), "seen": "0", "language": "xx", "category": "coding", "text": "x"}
    assert ann.post("/admin/prompts/add", data=form, headers=OWN).status_code == 303
    with sqlite.read() as session:
        assert versions(session, PROMPTS, "xx") == []


def test_another_server_shows_what_was_saved_here_and_so_does_a_restart(ann, database):
    edit(ann, "add", text="Name three birds.")
    with AdminBrowser(create_app(SETTINGS, database, ready())) as other:
        assert shown(other)[-1] == "Name three birds.", "at once after a start"
        edit(ann, "add", text="Name three trees.")
        other.app.state.admin.site_texts.read()  # what the background job does every other second
        assert shown(other)[-1] == "Name three trees."


def test_a_topic_without_prompts_is_not_shown(ann):
    for _ in SHIPPED:
        edit(ann, "retire", place="0")
    assert "coding" not in ann.get("/api/v1/arena").json()["prompts"]
    assert "No prompt; the page does not show this topic." in ann.get("/admin/prompts").text


def send(browser, page, action, language="en", **form):
    """Send a form of `/admin/terms`, as its page has it now."""
    place = f"/admin/terms/{page}/{language}"
    seen = re.search(r'name="seen" value="(\d+)"', browser.get(place).text)[1]
    data = {"csrf": browser.token(), "seen": seen, **form}
    headers = {**OWN, "referer": f"http://testserver{place}"}
    return browser.post(f"{place}/{action}", data=data, headers=headers)


def test_terms_are_changed_without_a_restart_with_their_history(ann, database):
    before = ann.get("/terms").text
    preview = send(ann, "terms", "preview", text=f"# Ours\n\nBe **kind**. {SCRIPT}")
    assert "<strong>kind</strong>" in preview.text
    assert SCRIPT not in preview.text
    assert ann.get("/terms").text == before, "a preview saves nothing"
    first, second = "# Our terms\n\nBe kind.", f"# Our terms\n\nBe kind. {SCRIPT}"
    assert send(ann, "terms", "save", text=first, reason="lawyer").status_code == 303
    send(ann, "terms", "save", text=second, reason="b")
    page = ann.get("/terms").text
    assert SCRIPT not in page
    assert "Version 2 of" in page
    assert "Our terms" in ann.get("/terms", headers={"accept-language": "zh-CN"}).text, "in every language"
    assert "Our terms" not in ann.get("/privacy").text
    send(ann, "terms", "save", "zh-Hans", text="# 我们的条款")
    assert "我们的条款" in ann.get("/terms", headers={"accept-language": "zh-CN"}).text
    send(ann, "terms", "restore", version="1")
    assert "alert(1)" not in ann.get("/terms").text
    send(ann, "terms", "restore", version="0")
    send(ann, "terms", "restore", "zh-Hans", version="0")
    assert ann.get("/terms").text == before
    with database.read() as session:
        history = versions(session, "terms", "en")
    assert [(row.number, row.text, row.reason) for row in history] == [
        (4, None, ""),
        (3, first, ""),
        (2, second, "b"),
        (1, first, "lawyer"),
    ]
    assert [(row[1], row[2]) for row in trail(database, "text.")] == [
        ("text.save", "terms en"),
        ("text.save", "terms en"),
        ("text.save", "terms zh-Hans"),
        ("text.restore", "terms en"),
        ("text.restore", "terms en"),
        ("text.restore", "terms zh-Hans"),
    ]
    assert trail(database, "text.")[0][4] == {"version": 1, "sha256": hashlib.sha256(first.encode()).hexdigest()}
    assert SCRIPT not in ann.get("/admin/terms/terms/en").text


def test_a_saved_text_wins_over_the_file_and_that_one_over_the_shipped_text(sqlite, tmp_path):
    (tmp_path / "terms.md").write_text("# Of the file", encoding="utf-8")
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "terms.md").write_text("# 文件", encoding="utf-8")
    with_account(sqlite)
    with signed_in(sqlite, SETTINGS.model_copy(update={"web": WebSettings(pages_dir=tmp_path)})) as ann:
        assert "Of the file" in ann.get("/terms").text
        send(ann, "terms", "save", text="# Saved")
        assert "Saved" in ann.get("/terms").text
        assert "文件" in ann.get("/terms", headers={"accept-language": "zh-CN"}).text, "its own language first"
        listed = ann.get("/admin/terms").text
        assert "version 1, saved" in listed
        assert "zh/terms.md" in listed
        send(ann, "terms", "restore", version="0")
        assert "Of the file" in ann.get("/terms").text


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "1 to 100,000"), ("no heading", "no heading"), ("# x\n\a", "control characters")],
)
def test_a_text_that_cannot_be_shown_is_refused(sqlite, text, problem):
    with_account(sqlite)
    ann = signed_in(sqlite)
    assert send(ann, "terms", "save", text=text).headers["location"] == "/admin/terms/terms/en"
    assert problem in ann.get("/admin/terms/terms/en").text
    preview = send(ann, "terms", "preview", text=text)
    assert preview.status_code == 422
    assert problem in preview.text
    assert trail(sqlite, "text.") == []


def test_an_older_form_does_not_overwrite_a_newer_text(sqlite):
    with_account(sqlite)
    ann = signed_in(sqlite)
    send(ann, "terms", "save", text="# One")
    send(ann, "terms", "save", text="# Two", seen="0")
    assert "Somebody else has changed this text" in ann.get("/admin/terms/terms/en").text
    assert "One" in ann.get("/terms").text


def test_texts_that_do_not_exist_and_readers_without_the_role(sqlite):
    with_account(sqlite)
    with_account(sqlite, "rita", Role.REVIEWER)
    ann = signed_in(sqlite)
    for place in ("imprint/en", "terms/xx"):
        assert ann.get(f"/admin/terms/{place}").status_code == 404
        assert ann.submit(f"/admin/terms/{place}/save", text="# x", seen="0").status_code == 404
        assert ann.submit(f"/admin/terms/{place}/restore", version="0", seen="0").status_code == 404
        assert ann.submit(f"/admin/terms/{place}/preview", text="# x").status_code == 404
    rita = AdminBrowser(ann.app)
    rita.sign_in("rita")
    assert rita.get("/admin/prompts").status_code == 403
    assert rita.get("/admin/terms/terms/en").status_code == 403


def test_two_operators_cannot_save_the_same_version(database):
    prompts = as_json(dict.fromkeys(CATEGORIES, ()))
    who = {"action": "save", "reason": "", "by": "x"}
    with database.write() as session:
        assert save(session, PROMPTS, "en", prompts, seen=0, **who).number == 1
    with pytest.raises(Exception, match="Somebody else"), database.write() as session:
        save(session, PROMPTS, "en", prompts, seen=0, **who)
    with database.write() as session:
        assert save(session, PROMPTS, "zh-Hans", prompts, seen=0, **who).number == 1
