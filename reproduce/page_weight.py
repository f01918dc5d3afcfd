"""Print what the battle page loads on a phone, and when a visitor can first use it.

    python reproduce/page_weight.py [URL]

Chromium with a slow connection (1.6 Mbit/s, 150 ms) and a processor four times slower loads the page of a new arena,
or of the one at URL, with an empty cache. Gradio's shell is counted apart: it arrives after the page works. Bytes are
those on the wire.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from playwright.sync_api import Browser, sync_playwright

from reproduce.attacks.target import target

LATENCY, BYTES_A_SECOND, SLOWDOWN = 150, 1_600_000 / 8, 4  # milliseconds; 1.6 Mbit/s; times
PHONE = {"width": 390, "height": 844}
LOADS = 5
GRADIO = (
    "/assets/",
    "/theme.css",
    "/static/",
)


@dataclass
class Load:
    """One load of the page."""

    first_paint: float = 0.0  # milliseconds
    interactive: float = 0.0  # milliseconds until a prompt can be typed and sent
    adopted: float = 0.0  # milliseconds until Gradio's components hold the page
    sizes: dict[str, int] = field(default_factory=dict)  # address -> bytes

    def total(self, gradio: bool) -> tuple[int, int]:
        """Requests and bytes of Gradio's shell, or of the rest."""
        sizes = [size for path, size in self.sizes.items() if path.startswith(GRADIO) == gradio]
        return len(sizes), sum(sizes)


def load(browser: Browser, url: str) -> Load:
    """Load the page with an empty cache."""
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True)  # type: ignore[arg-type]
    page, result = context.new_page(), Load()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY,
            "downloadThroughput": BYTES_A_SECOND,
            "uploadThroughput": BYTES_A_SECOND,
        },
    )
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    addresses: dict[str, str] = {}

    def began(event: dict[str, Any]) -> None:
        addresses[event["requestId"]] = urlsplit(event["response"]["url"]).path

    def ended(event: dict[str, Any]) -> None:
        if path := addresses.get(event["requestId"]):
            result.sizes[path] = int(event["encodedDataLength"])

    devtools.on("Network.responseReceived", began)
    devtools.on("Network.loadingFinished", ended)
    page.goto(url, wait_until="commit")
    page.locator("#send:not([disabled])").wait_for(timeout=60_000)
    page.locator("[data-part=composer] #composer").wait_for(timeout=120_000)
    page.wait_for_timeout(1500)  # what comes after it
    result.interactive = page.evaluate("performance.getEntriesByName('arena-interactive')[0].startTime")
    result.first_paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    result.adopted = page.evaluate("performance.getEntriesByName('arena-adopted')[0]?.startTime ?? 0")
    context.close()
    return result


@contextmanager
def arena_url() -> Iterator[str]:
    """The address in the command line; else that of a new arena."""
    if len(sys.argv) > 1:
        yield sys.argv[1]
        return
    with target() as arena:
        yield arena.url


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("Chromium not found. Install it, such as by apt-get install chromium.")
    with arena_url() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        loads = [load(browser, url) for _ in range(LOADS + 1)][1:]  # the first one fills the server's caches
        browser.close()
    (own, own_bytes), (shell, shell_bytes) = loads[-1].total(False), loads[-1].total(True)
    print("| what | value |\n| --- | --- |")
    print(f"| the page: requests | {own} |\n| the page: bytes | {own_bytes / 1000:.1f} kB |")
    print(f"| Gradio's shell: requests | {shell} |\n| Gradio's shell: bytes | {shell_bytes / 1000:.1f} kB |")
    for name in ("first_paint", "interactive", "adopted"):
        values = sorted(getattr(one, name) for one in loads)
        shown = f"{statistics.median(values):.0f} ms, {values[-1]:.0f} ms"
        print(f"| {name.replace('_', ' ')}: median of {LOADS}, longest | {shown} |")
    for path, size in sorted(loads[-1].sizes.items(), key=lambda item: -item[1]):
        if not path.startswith(GRADIO):
            print(f"| `{path}` | {size / 1000:.1f} kB |")


if __name__ == "__main__":
    main()
