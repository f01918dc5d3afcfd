"""The operator's pages: shipped texts, and files that replace them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from arena.web.locales import Languages
from arena.web.pages import information
from arena.web.rendering import templates


def _client(folder: Path | None) -> TestClient:
    app = FastAPI()
    app.include_router(information.routes(templates("Arena"), folder))
    app.add_middleware(Languages)
    return TestClient(app)


@pytest.mark.parametrize("name", information.PAGES)
def test_each_page_is_shipped_in_english_and_chinese(name: str) -> None:
    client = _client(None)
    english, chinese = (client.get(f"/{name}", headers={"accept-language": code}).text for code in ("en", "zh-CN"))
    for page in (english, chinese):
        assert page.count("<h1") == 1
        assert 'href="/privacy"' in page  # in the footer of every page
    assert english != chinese
    assert "竞技场" in chinese


def test_a_file_of_the_operator_replaces_the_page_in_every_language(tmp_path: Path) -> None:
    (tmp_path / "privacy.md").write_text("# Our privacy notice\n\n<script>alert(1)</script> Write to **us**.")
    client = _client(tmp_path)
    for code in ("en", "zh-CN"):
        page = client.get("/privacy", headers={"accept-language": code}).text
        assert "<title>Our privacy notice · Arena</title>" in page
        assert "<strong>us</strong>" in page
        assert "<script>alert" not in page
    assert "Our privacy notice" not in client.get("/terms").text


def test_a_file_for_one_language_is_preferred_there_and_used_where_there_is_no_other(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "terms.md").write_text("# 我们的条款", encoding="utf-8")
    assert "我们的条款" in information.visitor_text("terms", "en", tmp_path).text
    (tmp_path / "terms.md").write_text("# Our terms")
    assert information.visitor_text("terms", "en", tmp_path).text == "# Our terms"
    assert information.visitor_text("terms", "zh", tmp_path).text == "# 我们的条款"
