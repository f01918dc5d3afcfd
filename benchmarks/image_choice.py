"""Multiple choice about images, which go with the question as parts of its message (`image_url`).

A row is that of `own_choice` with `images`: up to 16 files in the folder of the rows' own file, `data:image/…;base64,…`
or `https://…`. `<image 1>` in the question or a choice is the place of the first one, as in MMMU (arXiv:2311.16502); images
without a place come before the question.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.choice import MultipleChoice, own_choice
from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.task import Request, RequestType, Row, Sample

PLACE = re.compile(r"<image (\d{1,2})>")
MARK = re.compile("\ue000(\\d+)\ue001")  # the place of an image among all images of a request
MOST, MOST_BYTES = 16, 20 << 20  # images of a sample; bytes of a file
SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}
GIVEN = ("data:image/", "https://", "http://")


@dataclass(frozen=True, kw_only=True)
class ImageChoice(MultipleChoice):
    """`MultipleChoice` whose samples have `images` among their fields: addresses that servers read, in order."""

    request_types: Sequence[RequestType] = (RequestType.FIRST_TOKEN, RequestType.GENERATE)
    needs_images: bool = True

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        """The request of `MultipleChoice`, with the images of the solved examples and the question in their places."""
        images: list[str] = []
        marked = []
        for each in (*shots, sample):
            marked.append(_marked(each, len(images)))
            images += each.fields["images"]
        [body] = super().requests(marked[-1], marked[:-1], request_type)
        [message] = body["messages"]
        return [{**body, "messages": [{**message, "content": list(_parts(message["content"], images))}]}]


def own_image_choice(row: Row) -> Sample:
    """The sample of a row, with its images as addresses. Raises `BadData` for an image that cannot be read."""
    given = row.get("images") or ()
    if not isinstance(given, list | tuple) or len(given) > MOST:
        raise BadData(f"{location(row)}: `images` is no list of up to {MOST} images. Give their paths in a list.")
    sample = own_choice(row)
    images = tuple(_address(image, row) for image in given)
    for text in (str(row["question"]), *sample.choices):
        for number in PLACE.findall(text):
            if not 1 <= int(number) <= len(images):
                raise BadData(
                    f"{location(row)}: <image {number}> is none of its {len(images)} images. Count from 1."
                )
    return replace(sample, fields={**sample.fields, "images": images})


def _address(image: Any, row: Row) -> str:
    if not isinstance(image, str):
        raise BadData(f"{location(row)}: an image is {type(image).__name__}, no text. Give the path of a file.")
    if image.startswith(GIVEN):
        return image
    folder = Path(str(row.get("_path", ""))).parent.resolve()
    path = (folder / image).resolve()
    if not path.is_relative_to(folder):
        raise BadData(f"{location(row)}: {image} is outside the folder of the task's file. Move it there.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadData(f"{path}: The image has more than {MOST_BYTES >> 20} MiB. Make it smaller.")
        data = path.read_bytes()
    except OSError as error:
        raise BadData(f"{path}: The image cannot be read ({error.strerror}). Check the path.") from error
    kind = next((kind for start, kind in SIGNATURES.items() if data.startswith(start)), None)
    if kind is None and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "webp"
    if kind is None:
        raise BadData(f"{path}: No PNG, JPEG, GIF or WebP image. Convert it.")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _marked(sample: Sample, before: int) -> Sample:
    """The sample with marks where its images belong; `before` images of the request come earlier."""
    texts = [str(sample.fields["question"]), *sample.choices]
    placed = {int(number) for text in texts for number in PLACE.findall(text)}
    first = "".join(
        _mark(before + number) for number in range(1, len(sample.fields["images"]) + 1) if number not in placed
    )

    def marks(text: str) -> str:
        return PLACE.sub(lambda place: _mark(before + int(place[1])), text)

    fields: Mapping[str, Any] = {**sample.fields, "question": first + marks(texts[0])}
    return replace(sample, fields=fields, choices=tuple(marks(choice) for choice in sample.choices))


def _mark(number: int) -> str:
    return f"\ue000{number - 1}\ue001"


def _parts(text: str, images: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The parts of a message: texts, and images in place of their marks."""
    for place, piece in enumerate(MARK.split(text)):
        if place % 2:
            yield {"type": "image_url", "image_url": {"url": images[int(piece)]}}
        elif piece.strip():
            yield {"type": "text", "text": piece}
