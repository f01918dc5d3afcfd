"""A headless Chromium, and a wire tap between it and the arena."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as Late

from tests.support.timing import until

expect.set_options(timeout=60_000)  # as PATIENCE, below
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
# Each part with the time of its last drawing has stayed as it is for longer than `SETTLED` of battle/guard.js.
SETTLED = """() => [...document.querySelectorAll("[data-live], [data-live] [data-changed]")].every(
    (part) => performance.now() - Number(part.dataset.changed ?? -1000) > 550)"""
PATIENCE = 60_000  # milliseconds: a loaded machine is slow, not wrong


@contextmanager
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


def open_page(browser: Browser, url: str, width: int = 1280, height: int = 800, dark: bool = False) -> Page:
    """A page of a new voter, ready to be asked."""
    scheme = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    ready(page)
    return page


def open_adopted(browser: Browser, url: str, **options: object) -> Page:
    """A page of a new voter in a browser with these options, which Gradio's shell has taken in."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    ready(page)
    page.locator("[data-part=composer] #composer").wait_for()
    return page


def ready(page: Page) -> None:
    """The scripts of the page run, so its buttons do something."""
    page.locator("#send:not([disabled])").wait_for()


def ask(page: Page, prompt: str) -> None:
    page.locator("#prompt").fill(prompt)
    page.locator("#send").click()


def answer(page: Page, side: str) -> Locator:
    """The text of one side in the last turn."""
    return page.locator(f".turn.last [data-side={side}] .side-text")


def votable(page: Page) -> None:
    page.locator("[data-vote=tie]:not([disabled])").wait_for()


def finished(page: Page, patience: float = PATIENCE) -> None:
    """Both models have answered."""
    page.locator("#status").get_by_text("Both answers are complete").wait_for(state="attached", timeout=patience)


def run_again(page: Page, attempt: int, turn: int = 1) -> None:
    """The page has the answers of this attempt, or their beginnings: until then it shows the end of the one before."""
    page.locator(f".turn.last [data-attempt='{turn} {attempt}']").first.wait_for(state="attached")


def watch_text(element: Locator) -> None:
    """Keep every text that an element shows from now on: one that stays for two seconds, a slow machine may miss."""
    element.evaluate(
        """node => { node.shown = [node.textContent];
        new MutationObserver(() => node.shown.push(node.textContent))
          .observe(node, { subtree: true, childList: true, characterData: true }); }"""
    )


def has_shown(element: Locator, text: str) -> None:
    """An element that is watched has shown this text, now or before."""
    until(lambda: text in element.evaluate("node => node.shown"))


def settled(page: Page) -> None:
    """The vote bar, its line, the reveal and the notices take a press: the guard against second clicks lets it pass."""
    page.wait_for_function(SETTLED)


def copied(page: Page, beginning: str) -> str:
    """The text of the clipboard, once it begins so."""
    found = ""

    def there() -> bool:
        nonlocal found
        found = page.evaluate("navigator.clipboard.readText()")
        return found.startswith(beginning)

    until(there)
    return found


def vote(page: Page, winner: str) -> None:
    """Press a vote button, once the guard against second clicks allows it."""
    votable(page)
    button = page.locator(f"[data-vote={winner}]")
    for _ in range(3):  # a slow machine may draw the bar later than it is pressed
        settled(page)
        button.click()
        with suppress(Late):
            page.locator(f"[data-vote={winner}][aria-pressed=true]").wait_for(timeout=PATIENCE / 6)
            return


def reveal(page: Page) -> str:
    """Give up the time to undo, so that the vote counts; returns as `revealed` does."""
    button = page.locator("[data-focus=now]")
    button.wait_for()
    settled(page)
    button.click()
    return revealed(page)


def revealed(page: Page) -> str:
    """The cards that name the models, when the vote counts."""
    cards = page.locator("#reveal .cards")
    cards.wait_for()
    return cards.inner_text()


class WireTap:
    """Forwards to `url` and keeps every byte that goes to the browser, uncompressed."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname or "", target.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.received = bytearray()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            arena = socket.create_connection(self._target)
            threading.Thread(target=self._pump, args=(browser, arena, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(arena, browser, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, keep: bool) -> None:
        try:
            while data := source.recv(65536):
                if keep:
                    self.received += data
                else:
                    data = data.replace(b"ccept-Encoding:", b"ccept-Enc0ding:")
                sink.sendall(data)
        except OSError:
            pass  # a browser closes its streams when it likes
        finally:
            for end in (source, sink):
                end.close()

    def close(self) -> None:
        self._listener.close()
