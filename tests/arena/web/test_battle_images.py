"""A voter attaches an image on the page, and the models receive it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import answer, ask, finished, open_adopted, open_page
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
def page(request: pytest.FixtureRequest, browser: Browser, recorder: Recorder, tmp_path: Path) -> Iterator[Page]:
    arena = Arena(tmp_path, config(recorder.url, *request.param))
    one = open_page(browser, arena.url)
    yield one
    one.context.close()
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
    told = page.locator("#told .notice")
    expect(told).to_contain_text("This file is not an image that is read here.")
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


@pytest.mark.parametrize("page", [("true", "true")], indirect=True)
def test_an_image_is_attached_and_removed_by_keyboard_alone_and_both_are_spoken(page, tmp_path):
    file = tmp_path / "cat.png"
    file.write_bytes(png())
    page.on(
        "filechooser", lambda _chooser: None
    )  # before the key: the browser is told without waiting for its reply
    page.locator("#prompt").focus()
    page.keyboard.press("Shift+Tab")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file)
    expect(page.locator("#said")).to_contain_text("cat.png is attached.")
    page.get_by_role("button", name="Remove cat.png").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#attached")).to_be_hidden()
    expect(page.locator("#said")).to_contain_text("cat.png is removed.")
    expect(page.locator("#prompt")).to_be_focused()


@pytest.mark.parametrize("page", [("true", "true")], indirect=True)
def test_a_photo_larger_than_the_arena_takes_is_scaled_on_a_phone(page, recorder, tmp_path):
    """It was refused, and a phone offers no way to make a photo smaller."""
    noise = Image.frombytes("RGB", (2600, 1300), Random(0).randbytes(3 * 2600 * 1300))
    file = tmp_path / "photo.png"
    noise.save(file, compress_level=1)
    assert file.stat().st_size > 5_000_000
    phone = open_adopted(
        page.context.browser, page.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    phone.on("filechooser", lambda _chooser: None)  # as above
    expect(phone.get_by_role("button", name="Add an image")).to_be_visible()
    with phone.expect_file_chooser() as chooser:
        phone.get_by_role("button", name="Add an image").tap()
    chooser.value.set_files(file)
    expect(phone.locator("#attached .thumb:not(.loading) img")).to_be_visible()
    assert phone.locator("#prompt").evaluate("field => document.activeElement !== field")  # no keyboard opens
    phone.locator("#prompt").fill("What is this?")
    phone.locator("#send").tap()
    finished(phone)
    shown = phone.get_by_role("img", name="Image 1 of the prompt")
    assert shown.evaluate("node => [node.naturalWidth, node.naturalHeight]") == [2048, 1024]
    phone.context.close()


@pytest.mark.parametrize("page", [("true", "true")], indirect=True)
def test_a_dropped_file_that_is_no_image_is_refused_in_words(page, tmp_path):
    file = tmp_path / "text.pdf"
    file.write_bytes(b"%PDF-1.7")
    page.locator("#file").set_input_files(file)
    expect(page.locator("#told")).to_contain_text("Choose a PNG, JPEG, WebP or GIF file.")
