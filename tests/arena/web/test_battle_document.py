"""The document of the battle page: Gradio's index page with the parts of the arena."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from arena.config import Settings
from arena.web.app import create_app
from arena.web.battle_document import Parts, document
from arena.web.pages.battle import PARTS
from tests.support.arenas import new_file, ready

INDEX = """<!doctype html><html lang="en" style="x"><head><meta property="og:image" content="https://other.example/x.png">
<script>window.gradio_config = {"title": "\\u003cscript>"};</script><script>const a = "iframeResizer.contentWindow";</script>
<link rel="manifest" href="/manifest.json" /><script type="module" crossorigin src="./assets/index-1.js"></script>
<link rel="stylesheet" crossorigin href="./assets/index-2.css"></head>
<body style="y"><gradio-app></gradio-app></body></html>"""


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[TestClient]:

    database = new_file(tmp_path_factory.mktemp("document") / "arena.db")
    with TestClient(create_app(Settings(), database, ready())) as one:
        yield one
    database.close()


def test_the_parts_stand_before_gradio_whose_scripts_wait_in_a_template():
    text = document(INDEX, Parts("<link ours>", "<main>ours</main>", "zh-Hans", "ltr"), "n0nce")
    assert '<html lang="zh-Hans" dir="ltr"' in text
    assert text.index("<main>ours") < text.index("<gradio-app>")
    aside = re.search(r'<template id="gradio-shell">(.*?)</template>', text, re.DOTALL)
    assert aside
    assert "index-1.js" in aside[1]
    assert "index-2.css" in aside[1]
    assert text.count("index-1.js") == text.count("index-2.css") == 1


def test_every_script_of_the_document_has_the_nonce_and_no_other_host_is_named():
    text = document(INDEX, Parts("<script>1</script>", ""), "n0nce")
    assert text.count("<script") == 2 + text.count("src=")
    assert '<script nonce="n0nce">window.gradio_config' in text
    assert "other.example" not in text
    assert "manifest" not in text
    assert "iframeResizer" not in text


def test_an_unknown_index_page_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="Install the release"):
        document("<html></html>", Parts("", ""), "x")


def test_the_served_page_has_each_part_and_works_without_gradio(client):
    reply = client.get("/")
    for part in PARTS:
        assert f'data-live="{part}"' in reply.text
        assert f'data-part=\\"{part}\\"'.replace("<", "\\u003c") in reply.text
    assert "<noscript>" in reply.text
    assert reply.text.index("data-live") < reply.text.index("<gradio-app")
    nonce = re.search(r"'nonce-([\w-]+)'", reply.headers["content-security-policy"])
    assert nonce
    scripts = re.findall(r"<script[^>]*>", reply.text.partition('<template id="gradio-shell">')[0])
    assert all(nonce[1] in tag or "src=" in tag or "application/json" in tag for tag in scripts), scripts


def test_the_document_brings_its_facts_and_styles_so_that_only_the_script_is_asked_for(client):
    text = client.get("/").text.partition('<template id="gradio-shell">')[0]
    facts = re.search(
        r'<script type="application/json" id="facts">(.*?)</script>', client.get("/").text, re.DOTALL
    )
    assert facts
    assert json.loads(facts[1]) == client.get("/api/v1/arena").json()
    assert '<link rel="stylesheet"' not in text
    assert [src for src in re.findall(r'<script[^>]* src="([^"]+)"', text) if "battle.js" not in src] == []


def test_styles_that_name_other_tags_move_nothing():
    text = document(INDEX, Parts("<style>/* rows of <body> */</style>", "<main>ours</main>"), "n0nce")
    assert text.index("</style>") < text.index("</head>") < text.index("<main>ours")


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Which model answers better?"), ("zh-CN", "哪个模型回答得更好？")]
)
def test_the_page_speaks_the_language_of_the_browser(client, language, title):
    text = client.get("/", headers={"accept-language": language}).text
    assert title in text
    assert f'<html lang="{"en" if language == "en" else "zh-Hans"}" dir="ltr"' in text


def test_gradios_styles_are_in_a_layer_that_loses_against_ours(client):
    address = re.search(r'href="\./(assets/[^"]+\.css)"', client.get("/").text)
    assert address
    for headers in ({"accept-encoding": "gzip"}, {"accept-encoding": "identity"}):
        assert client.get(f"/{address[1]}", headers=headers).text.startswith("@layer gradio{")
    assert client.get("/theme.css").text.startswith("@layer gradio{")


@pytest.mark.parametrize("path", ["/", "/theme.css"])
def test_a_client_without_gzip_gets_plain_text(client, path):
    plain = client.get(path, headers={"accept-encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in plain.headers
    assert client.get(path, headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_gradio_has_no_event_and_no_queue(client):
    config = re.search(r"window\.gradio_config = (\{.*?\});?</script>", client.get("/").text)
    assert config
    assert json.loads(config[1])["dependencies"] == []
    for address in ("/gradio_api/queue/join", "/gradio_api/queue/data", "/gradio_api/call/send"):
        assert client.post(address, json={}).status_code == 404
        assert client.get(address).status_code == 404


def test_an_idle_server_does_not_wake_for_gradios_queue(client):
    """Gradio looks for events a thousand times a second, and nothing comes to its queue."""

    async def running() -> set[str]:
        return {task.get_coro().__qualname__ for task in asyncio.all_tasks()}

    found = client.portal.call(running)
    assert "Periodic.run" in found
    assert not [name for name in found if name.startswith("Queue.")]
