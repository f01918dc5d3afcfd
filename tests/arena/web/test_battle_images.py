"""A voter attaches an image on the page, and the models receive it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import answer, ask, chromium, finished, open_page
from tests.support.image_files import png
from tests.support.recording_server import Recorder, recording_server
from tests.support.server import Arena

pytestmark = pytest.mark.slow

MODEL = '[[models]]\nname = "eye-{name}"\nendpoint = "openai"\nurl = "{url}"\nimages = {images}\n'


def config(url: str, *images: str) -> str:
    return "".join(
        MODEL.format(name=name, url=url, images=reads) for name, reads in zip("ab", images, strict=True)
    )


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording_server() as one:
        yield one


@pytest.fixture
def page(request: pytest.FixtureRequest, recorder: Recorder, tmp_path: Path) -> Iterator[Page]:
    arena = Arena(tmp_path, config(recorder.url, *request.param))
    with chromium() as browser:
        yield open_page(browser, arena.url)
    arena.stop(signal.SIGKILL)


@pytest.mark.parametrize("page", [("true", "true")], indirect=True)
def test_an_image_is_attached_sent_and_shown(page, recorder, tmp_path):
    file = tmp_path / "cat.png"
    file.write_bytes(png(200, 100))
    expect(page.get_by_role("button", name="Add an image")).to_be_visible()
    page.locator("#file").set_input_files(file)
    expect(page.locator("#attached .thumb:not(.loading) img")).to_be_visible()
    ask(page, "What is this?")
    finished(page)
    for side in "ab":
        expect(answer(page, side)).to_contain_text("A red square.")
    expect(page.locator("#attached")).to_be_hidden()
    shown = page.get_by_role("img", name="Image 1 of the prompt")
    assert shown.evaluate("node => [node.naturalWidth, node.naturalHeight]") == [200, 100]
    page.screenshot(path=tmp_path / "image.png")
    contents = [body["messages"][0]["content"] for body in recorder.bodies]
    assert len(contents) == 2
    for text, image in contents:
        assert text == {"type": "text", "text": "What is this?"}
        assert image["image_url"]["url"].startswith("data:image/png;base64,")
    page.reload()
    expect(shown).to_be_visible()


@pytest.mark.parametrize("page", [("true", "true")], indirect=True)
def test_a_file_that_is_no_image_is_refused_in_words(page, tmp_path):
    file = tmp_path / "cat.png"
    file.write_bytes(b"<html><script>alert(1)</script>")
    page.locator("#file").set_input_files(file)
    told, said = page.locator("#told .notice"), page.locator("#said")
    expect(told).to_contain_text("This file is not an image that is read here.")
    expect(said).to_contain_text("This file is not an image that is read here.")
    page.locator("#prompt").fill("a change that draws every part again")
    expect(told).to_have_count(1)
    page.wait_for_timeout(2_100)  # it has been seen
    expect(told).to_have_count(1)
    page.locator("#prompt").press("x")
    expect(told).to_have_count(0)
    expect(page.locator("#attached")).to_be_hidden()


@pytest.mark.parametrize("page", [("true", "false")], indirect=True)
def test_one_model_that_reads_images_can_be_chosen_for_them(page, tmp_path, recorder):
    file = tmp_path / "cat.png"
    file.write_bytes(png())
    attach = page.get_by_role("button", name="Add an image")
    expect(attach).to_be_hidden()
    page.get_by_label("Mode", exact=True).select_option("single")
    expect(attach).to_be_visible()
    page.get_by_label("Model", exact=True).select_option("eye-b")
    expect(attach).to_be_hidden()
    page.get_by_label("Model", exact=True).select_option("eye-a")
    page.locator("#file").set_input_files(file)
    expect(page.locator("#attached .thumb:not(.loading) img")).to_be_visible()
    ask(page, "What is this?")
    expect(page.locator(".turn [data-side=a] .side-text")).to_contain_text("A red square.")
    assert [body["model"] for body in recorder.bodies] == ["eye-a"]
