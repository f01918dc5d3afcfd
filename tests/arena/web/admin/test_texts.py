"""`/admin/prompts` and `/admin/terms`: what visitors are shown, and from which file."""

from __future__ import annotations

import hashlib
from html import unescape

from arena.config import Settings, WebSettings
from arena.rules.suggested_prompts import suggested_prompts
from arena.web.app import create_app
from arena.web.pages.admin.terms import visitor_texts
from tests.support.accounts import AdminBrowser, with_account
from tests.support.arenas import ready


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
