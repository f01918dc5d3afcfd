"""Make the pictures of README and docs: battle.png, leaderboard.png and battle.webp, a short animated battle.

    python reproduce/pictures.py
    python reproduce/pictures.py --url http://127.0.0.1:7861   # of an arena that is running already

Starts an arena of its own with six scripted models, whose names and answers are made up, and 600 imported votes, drawn
from fixed strengths. Needs Chromium, playwright and Pillow (extra `dev`); takes about a minute. `--explanation why.html`
makes explanation.png from a file of `arena explain --format html` instead (README, Explanations).
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from reproduce.arena_process import LOG, fork, url_when_open  # noqa: E402

PICTURES = ROOT / "docs/pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
VIEW = {"width": 1280, "height": 740}
PROMPT = "Explain to a ten-year-old why the sky is blue."
FIRST = """Sunlight looks white, but it is made of **all the colours of the rainbow**.

When it enters the air, it bumps into tiny bits of gas:

- **Red** light has long, lazy waves. It passes almost straight through.
- **Blue** light has short, quick waves. It bounces off in every direction.

So wherever you look, some blue light is bouncing towards your eyes. That is why the whole sky looks blue!"""
SECOND = """The sky is blue because of Rayleigh scattering. The strength of the scattering depends on the wavelength:

$$I \\propto \\frac{1}{\\lambda^4}$$

Blue light has a wavelength of about 450 nm and red light of about 700 nm. Blue is therefore scattered roughly
$(700/450)^4 \\approx 6$ times as much, and it reaches the eye from all directions."""
# name, organisation, licence, parameters, price of a million tokens (prompt, completion), strength in logits
MODELS = (
    ("aurora-70b", "Aurora Labs", "Apache-2.0", "70B", 0.9, 1.8, 0.75),
    ("birch-medium", "Birch", "proprietary", "", 2.0, 6.0, 0.6),
    ("cobalt-32b", "Cobalt AI", "MIT", "32B", 0.4, 0.8, 0.25),
    ("delta-8b", "Delta", "Apache-2.0", "8B", 0.1, 0.2, -0.2),
    ("ember-4b", "Ember", "MIT", "4B", 0.05, 0.1, -0.5),
    ("fjord-1b", "Fjord", "Apache-2.0", "1B", 0.02, 0.04, -0.9),
)
VOTES = 600
WORD = 0.06  # seconds between two words
FRAME, SHOWN, WIDTH = 500, 250, 960  # milliseconds between two frames as taken and as shown; pixels
HELD = 2_500  # milliseconds for which the last frame stays
SETTLED = 1_500  # milliseconds: buttons have faded, plots are drawn
PATIENCE = 60_000  # milliseconds: two busy cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="address of a running arena; by default one is started")
    parser.add_argument("--explanation", type=Path, help="HTML file of `arena explain`")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        if options.explanation:
            explanation_picture(browser, options.explanation)
        elif options.url:
            arena_pictures(browser, options.url.rstrip("/"))
        else:
            with arena() as url:
                arena_pictures(browser, url)
        browser.close()


@contextmanager
def arena() -> Iterator[str]:
    """The address of an arena with the models and votes above."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "arena.toml").write_text(settings(), encoding="utf-8")
        (folder / "votes.csv").write_text(votes(), encoding="utf-8")
        subprocess.run([sys.executable, "-m", "arena", "import", "votes.csv"], cwd=folder, check=True)
        process = fork(folder, ["--port", "0"])
        try:
            yield url_when_open(folder / LOG, process.is_alive)
        finally:
            if process.pid:
                os.kill(process.pid, signal.SIGTERM)
            process.join(timeout=20)


def settings() -> str:
    """The models as TOML. Two of them are drawn: those whose answers the pictures show."""
    tables = ["[battles]\nundo_seconds = 2"]
    for number, (name, organisation, licence, size, prompt, completion, _) in enumerate(MODELS):
        reply = (FIRST, SECOND)[number % 2].replace("\\", "\\\\")
        tables.append(
            f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = {WORD}\nreplies = ["""{reply}"""]\n'
            f"enabled = {str(number < 2).lower()}\nprice = {{prompt = {prompt}, completion = {completion}}}\n"
            f'[models.facts]\norganisation = "{organisation}"\nlicence = "{licence}"\n'
            + (f'parameters = "{size}"\n' if size else "")
        )
    return "\n\n".join(tables)


def votes() -> str:
    """The votes as CSV, drawn from the models' strengths; every seventh is a tie."""
    random, text = Random(7), io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("model_a", "model_b", "winner", "voter", "timestamp"))
    for number in range(VOTES):
        a, b = random.sample(MODELS, 2)
        won = random.random() < 1 / (1 + math.exp(b[6] - a[6]))
        winner = "tie" if number % 7 == 0 else "model_a" if won else "model_b"
        day = f"2026-{9 + number * 2 // VOTES:02d}-{1 + number % 28:02d}T12:00:00+00:00"
        rows.writerow((a[0], b[0], winner, f"voter-{number % 40}", day))
    return text.getvalue()


def arena_pictures(browser: Browser, url: str) -> None:
    page = browser.new_page(viewport=VIEW)
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    frames = battle(page)
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=PICTURES / "battle.png")
    animate([*frames, page.screenshot()], PICTURES / "battle.webp")
    page.goto(f"{url}/leaderboard")
    page.locator("#board tbody tr").first.wait_for()
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=PICTURES / "leaderboard.png")


def battle(page: Page) -> list[bytes]:
    """Cast one vote; returns the screenshots on the way."""
    page.locator("#prompt").fill(PROMPT)
    page.locator("#send:not([disabled])").wait_for()
    frames = [page.screenshot()]
    page.locator("#send").click()
    while page.locator("#stop").is_visible() or not page.locator("[data-vote=tie]:not([disabled])").count():
        page.wait_for_timeout(FRAME)
        frames.append(page.screenshot())
    page.locator("[data-vote=model_a]:not([disabled])").press(
        "Enter"
    )  # a click too soon after a change is no vote
    page.locator("[data-vote=model_a][aria-pressed=true]").wait_for()
    frames.append(page.screenshot())
    page.locator("#reveal .cards").wait_for()
    return frames


def animate(frames: list[bytes], file: Path) -> None:
    """An animated WebP of screenshots; the last one stays longer."""
    pictures = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    size = (WIDTH, round(WIDTH * VIEW["height"] / VIEW["width"]))
    small = [picture.resize(size, Image.Resampling.LANCZOS) for picture in pictures]
    times = [SHOWN] * (len(small) - 2) + [HELD // 2, HELD]
    small[0].save(file, save_all=True, append_images=small[1:], duration=times, loop=0, quality=72, method=4)


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
