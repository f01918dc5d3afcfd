"""Multiple choice about images: where they stand in a request, and which rows are refused."""

from __future__ import annotations

import base64

import pytest

from benchmarks.choice import lettered
from benchmarks.data import read_file
from benchmarks.errors import BadData
from benchmarks.image_choice import MOST_BYTES, ImageChoice, own_image_choice
from benchmarks.known_files import own
from benchmarks.task import RequestType

PNG, JPEG = b"\x89PNG\r\n\x1a\nred", b"\xff\xd8\xff\xe0blue"
WEB = "https://example.org/c.webp"
TASK = ImageChoice(
    name="cards", dimension="knowledge", licence="mine", read=own_image_choice, prompt=lettered,
    sources={"test": [own("cards.jsonl", "question", "choices", "answer")]},
)  # fmt: skip


@pytest.fixture
def row(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.jpg").write_bytes(JPEG)

    def made(question, images=(), choices=("one", "two"), answer=0):
        return {
            "id": "s", "question": question, "choices": list(choices), "answer": answer, "images": list(images),
            "_path": str(tmp_path / "cards.jsonl"), "_line": 3,
        }  # fmt: skip

    return made


def url(data, kind):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def parts(sample, shots=(), request_type=RequestType.FIRST_TOKEN):
    [body] = TASK.requests(sample, shots, request_type)
    [message] = body["messages"]
    return [part["text"] if part["type"] == "text" else part["image_url"]["url"] for part in message["content"]]


def test_images_without_a_place_come_before_the_question(row):
    sample = own_image_choice(row("How many?", ["a.png", "b.jpg"]))
    assert parts(sample) == [url(PNG, "png"), url(JPEG, "jpeg"), "How many?\nA. one\nB. two\nAnswer:"]


def test_places_in_question_and_choices_hold_their_images(row):
    sample = own_image_choice(row("Like <image 2>?", ["a.png", WEB], ("<image 1>", "none")))
    assert parts(sample) == ["Like ", WEB, "?\nA. ", url(PNG, "png"), "\nB. none\nAnswer:"]


def test_solved_examples_have_their_own_images(row):
    example = own_image_choice(row("What is <image 1>?", [WEB], answer=1))
    sample = own_image_choice(row("And <image 1>?", ["a.png"]))
    assert parts(sample, [example]) == [
        "What is ", WEB, "?\nA. one\nB. two\nAnswer: B\n\nAnd ", url(PNG, "png"), "?\nA. one\nB. two\nAnswer:",
    ]  # fmt: skip
    generated = parts(sample, [example], RequestType.GENERATE)
    assert generated[1::2] == [WEB, url(PNG, "png")]
    assert 'End with a line "Answer: X"' in generated[0]


def test_a_question_without_images_is_text_alone(row):
    assert parts(own_image_choice(row("How many?"))) == ["How many?\nA. one\nB. two\nAnswer:"]


def test_no_log_likelihood_is_offered():
    assert TASK.request_types == (RequestType.FIRST_TOKEN, RequestType.GENERATE)


@pytest.mark.parametrize(
    ("question", "images", "reason"),
    [
        ("<image 2>?", ["a.png"], "<image 2> is none of its 1 images"),
        ("?", ["../a.png"], "outside the folder"),
        ("?", ["/etc/passwd"], "outside the folder"),
        ("?", ["missing.png"], "cannot be read"),
        ("?", ["cards.txt"], "No PNG, JPEG, GIF or WebP image"),
        ("?", ["large.png"], "more than 20 MiB"),
        ("?", [7], "an image is int, no text"),
        ("?", [WEB] * 17, "no list of up to 16 images"),
    ],
)
def test_an_image_that_cannot_be_sent_is_named_with_its_row(row, tmp_path, question, images, reason):
    (tmp_path / "cards.txt").write_text("no image")
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(BadData, match=reason):
        own_image_choice(row(question, images))


def test_a_link_out_of_the_folder_is_not_followed(row, tmp_path):
    inside = tmp_path / "task"
    inside.mkdir()
    (inside / "link.png").symlink_to(tmp_path / "a.png")
    given = {**row("?", ["link.png"]), "_path": str(inside / "cards.jsonl")}
    with pytest.raises(BadData, match="outside the folder"):
        own_image_choice(given)


def test_rows_of_a_file_know_their_folder(row, tmp_path):
    (tmp_path / "cards.jsonl").write_text(
        '{"question": "?", "choices": ["x", "y"], "answer": "B", "images": ["a.png"]}\n'
    )
    [read] = read_file(tmp_path / "cards.jsonl")
    sample = own_image_choice(read)
    assert (sample.fields["images"], sample.target) == ((url(PNG, "png"),), 1)
