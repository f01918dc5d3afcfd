"""Make docs/pictures/battle.png and leaderboard.png from the pages of a running `arena demo`.

    arena demo --port 7861 &
    python reproduce/pictures.py http://127.0.0.1:7861

A voter casts a dozen votes between the two bundled models, in the order of `BATTLES`; the picture of the battle shows
the last one. Needs Chromium and playwright (extra `dev`), and an arena without votes. `--explanation why.html` makes
explanation.png from a file of `arena explain --format html` instead (README, Explanations).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).resolve().parents[1] / "docs/pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
BATTLES = (
    ("What is the capital of Italy?", "model_a"),
    ("Name a fruit that is yellow.", "model_b"),
    ("How many days has a week?", "tie"),
    ("What do bees make?", "model_a"),
    ("Write one sentence about rain.", "model_b"),
    ("Which planet is closest to the sun?", "both_bad"),
    ("What colour is grass?", "model_a"),
    ("Name an animal that can fly.", "tie"),
    ("What is the opposite of hot?", "model_b"),
    ("Who wrote Hamlet?", "model_b"),
    ("What do you call frozen water?", "model_a"),
    ("Name two rivers in France.", "tie"),
)
SETTLED = 2000  # milliseconds: the buttons have faded
PATIENCE = 120_000  # milliseconds: two models on two busy cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="address of a running `arena demo`")
    parser.add_argument("--explanation", type=Path, help="HTML file of `arena explain`")
    options = parser.parse_args()
    if options.url is None and options.explanation is None:
        parser.error("Name the address of an arena, --explanation, or both.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        if options.url:
            arena_pictures(browser, options.url.rstrip("/"))
        if options.explanation:
            explanation_picture(browser, options.explanation)
        browser.close()


def arena_pictures(browser: Browser, url: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 740})
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    for number, (prompt, winner) in enumerate(BATTLES):
        if number:
            page.get_by_role("button", name="New battle").click()
        battle(page, prompt, winner)
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=PICTURES / "battle.png")
    page.goto(f"{url}/leaderboard")
    page.get_by_text("gemma-3-270m").first.wait_for()
    page.get_by_text("Votes to swap").first.wait_for()
    page.screenshot(path=PICTURES / "leaderboard.png")


def battle(page: Page, prompt: str, winner: str) -> None:
    page.locator("#send:not([disabled])").wait_for()
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#send").click()
    page.get_by_text("You can vote, or continue the conversation").wait_for()
    page.locator(f"#vote-{winner}").click()
    page.locator("#notice .reveal").wait_for()


def explanation_picture(browser: Browser, file: Path) -> None:
    """The upper part of the document, down to the end of the two columns."""
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.goto(file.resolve().as_uri())
    columns = page.locator(".sides").bounding_box()
    height = columns["y"] + columns["height"] + 10
    page.screenshot(
        path=PICTURES / "explanation.png", full_page=True, clip={"x": 0, "y": 0, "width": 1200, "height": height}
    )


if __name__ == "__main__":
    main()
