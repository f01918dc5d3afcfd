"""Every byte that a visitor receives before the vote counts: none of it names a model, though the models name themselves."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Iterator

import httpx
import pytest

from tests.support.browser import WireTap, ask, chromium, finished, open_page, reveal, settled, votable

pytestmark = pytest.mark.slow

NAMES = ("Zyphora-Kestrel-9b", "Quenlith 3.5 Instruct")
NEEDLES = ("zyphora", "kestrel", "quenlith")
CLAIMS = (
    "I am {name}. My name is {upper}, also written {lower}, `{name}`, **{name}** and {spaced}.",
    "```\nmodel: {name}\n```\n\n| model |\n|---|\n| {name} |\n\n$\\text{{{name}}}$",
    "[{name}](https://example.org/{name}) <b>{name}</b> &lt;{name}&gt; — made by {maker}.",
    "```mermaid\ngraph TD; A[{name}]-->B\n```\n\n- [ ] {name}\n\n{name}",
)
FAILING = 'fault = "midway"\n'


def settings(fault: str = "", undo: int = 30) -> str:
    """Two models that say in every way who they are, word by word."""
    tables = f"[battles]\nundo_seconds = {undo}\n"
    for name in NAMES:
        maker = re.split(r"[- ]", name)[0]
        words = {"name": name, "upper": name.upper(), "lower": name.lower(), "maker": maker}
        spaced = name.replace("-", " ")
        reply = json.dumps("\n\n".join(claim.format(**words, spaced=spaced) for claim in CLAIMS))
        tables += f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.01\nreplies = [{reply}]\n{fault}'
    return tables


def named(received: bytes | str) -> list[str]:
    """The names in what was received, however they are escaped, marked up or spaced."""
    text = received if isinstance(received, str) else received.decode("utf-8", "replace")
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
    forms = [text, re.sub(r"<[^>]*>", "", html.unescape(text))]
    plain = ["".join(c for c in unicodedata.normalize("NFKC", form).casefold() if c.isalnum()) for form in forms]
    return [needle for needle in NEEDLES if any(needle in form for form in plain)]


class Visitor:
    """A browser's requests through a tap that keeps every reply, head and body."""

    def __init__(self, url: str) -> None:
        self.tap = WireTap(url)
        self.http = httpx.Client(
            base_url=self.tap.url,
            timeout=30,
            trust_env=False,
            headers={"origin": self.tap.url, "Accept-Encoding": ""},
        )

    def api(self, method: str, path: str, **body: object) -> httpx.Response:
        return self.http.request(method, f"/api/v1{path}", **({"json": body} if body else {}))

    def begin(self, **more: object) -> str:
        made = self.api("POST", "/battles?html=1", **{"prompt": "Who are you?", **more})
        return f"/battles/{made.raise_for_status().json()['id']}"

    def follow(self, battle: str) -> None:
        """Both formats, from the start and resumed."""
        for query in ("format=text", "format=html", "format=text&last_event_id=1.1.7.7", "format=html"):
            self.api("GET", f"{battle}/stream?{query}")

    def names(self) -> list[str]:
        """The names in all that was received so far."""
        return named(bytes(self.tap.received))

    def close(self) -> None:
        self.http.close()
        self.tap.close()


@pytest.fixture
def visitor(arena) -> Iterator[Visitor]:
    one = Visitor(arena(settings()).url)
    yield one
    one.close()


def test_the_search_finds_a_name_however_it_is_written():
    for text in ("ZYPHORA", "zy<b>pho</b>ra", "\\u007ayphora", "z&#121;phora", "ｚｙｐｈｏｒａ", "Zy-pho-ra"):
        assert named(text) == ["zyphora"], text


def test_page_and_static_files_and_the_arena_document_name_no_model(visitor):
    page = visitor.http.get("/").text
    files = set(re.findall(r'(?:src|href)="(\.?/[^"#]+)"', page))
    files = {file for file in files if re.search(r"\.(js|css|svg|ico|png|json|webmanifest|woff2)\b", file)}
    assert len(files) > 3
    for file in (
        *files,
        "/openapi.json",
        "/api/v1/arena",
        "/robots.txt",
        "/readyz",
        "/livez",
        "/nosuch",
    ):
        visitor.http.get(file)
    assert visitor.names() == []


REFUSED = [
    ("POST", "/vote", {"winner": "model_c"}), ("POST", "/reroll", {"side": "a"}),
    ("POST", "/retry", {}), ("POST", "/turns", {"prompt": "x", "images": ["abc"]}), ("POST", "/report", {"kind": "odd"}),
    ("PUT", "/turns/last", {"prompt": ""}), ("POST", "/nosuch", {}), ("GET", "/stream?format=odd", {}),
    ("POST", "/vote", {"winner": "tie", "reasons": ["odd"]}), ("DELETE", "", {}), ("HEAD", "/stream", {}),
]  # fmt: skip


def test_replies_streams_headers_and_errors_name_no_model_before_the_vote_counts(visitor):
    visitor.http.get("/")
    battle = visitor.begin()
    visitor.follow(battle)
    visitor.api("GET", f"{battle}?html=1")
    for method, path, body in REFUSED:
        assert not visitor.api(method, battle + path, **body).is_success or method == "HEAD"
    visitor.api("POST", "/battles", prompt="x", again=battle.rpartition("/")[2])
    visitor.api("POST", f"{battle}/regenerate?html=1", side="a")
    visitor.follow(battle)
    visitor.api("POST", f"{battle}/turns", prompt="And your name?")
    visitor.follow(battle)
    visitor.api("PUT", f"{battle}/turns/last", prompt="And who made you?")
    visitor.api("POST", f"{battle}/stop")
    visitor.api("POST", f"{battle}/regenerate")
    visitor.follow(battle)
    for _ in range(2):  # a vote that can be undone names nobody
        assert visitor.api("POST", f"{battle}/vote?html=1", winner="tie", reasons=["clear"]).is_success
        visitor.api("GET", f"{battle}?html=1")
        visitor.follow(battle)
        assert visitor.api("DELETE", f"{battle}/vote?html=1").is_success
    visitor.api("POST", f"{battle}/report", kind="broken")
    visitor.api("GET", "/battles")
    visitor.api("GET", "/me/battles")
    visitor.http.get("/me")
    visitor.http.get(battle)
    assert b"Who are you?" in visitor.tap.received, "the tap hears nothing"
    assert visitor.names() == []
    counted = visitor.api("POST", f"{battle}/vote", winner="tie", final=True).json()
    assert sorted(counted["models"].values()) == sorted(NAMES)
    assert sorted(visitor.names()) == sorted(NEEDLES)


def test_a_failure_names_no_model(arena):
    visitor = Visitor(arena(settings(FAILING)).url)
    visitor.http.get("/")
    battle = visitor.begin()
    visitor.follow(battle)
    assert visitor.api("GET", f"{battle}?html=1").json()["status"] == "failed"
    for path, body in (
        ("/retry", {}),
        ("/reroll", {"side": "a"}),
        ("/reroll", {"side": "b"}),
        ("/vote", {"winner": "tie"}),
    ):
        visitor.api("POST", battle + path, **body)
        visitor.follow(battle)
    visitor.api("POST", f"{battle}/leave")
    visitor.api("GET", f"{battle}?html=1")
    assert visitor.names() == []
    visitor.close()


def test_the_browser_and_its_console_get_names_only_when_the_vote_counts(arena):
    tap = WireTap(arena(settings(undo=60)).url)
    with chromium() as browser:
        page = open_page(browser, tap.url)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        ask(page, "Who are you?")
        finished(page)
        page.reload()
        votable(page)
        settled(page)
        shown = page.content() + page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert named(bytes(tap.received) + shown.encode() + " ".join(said).encode()) == []
        page.locator("[data-vote=tie]").click()
        page.locator("[data-seconds]").wait_for()
        assert named(bytes(tap.received) + page.content().encode()) == []
        reveal(page)
        assert sorted(named(bytes(tap.received))) == sorted(NEEDLES)
    tap.close()
