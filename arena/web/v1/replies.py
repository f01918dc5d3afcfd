"""Rows as JSON, CSV or Parquet, whichever is asked for; entity tags, and links to the next page."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import HTTPException, Query, Request, Response

from arena import __version__
from arena.rules.csv_table import RFC_4180, csv_table

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
FORMATS = {"json": JSON, "csv": CSV, "parquet": PARQUET}
# a reader may keep a reply, and asks whether it is still good before using it again
CACHE = "public, no-cache"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """Rows, and where the next page begins; `about` is what JSON says beside them under its own names.

    `table` are other rows for CSV and Parquet, where those of JSON are not the main thing.
    """

    rows: Sequence[Row]
    name: str
    about: Mapping[str, Any] | None = None
    next_after: str | None = None
    table: Sequence[Row] | None = None


def reply(request: Request, media: str, state: str, make: Callable[[], Page]) -> Response:
    """The page in the format asked for, or 304 when the reader has it. `state` changes whenever the page might."""
    tag = entity_tag(request, state, media)
    headers = {"ETag": tag, "Cache-Control": CACHE, "Vary": "Accept", "Access-Control-Allow-Origin": "*"}
    if _has(request, tag):
        return Response(status_code=304, headers=headers)
    page = make()
    if links := _links(request, page):
        headers["Link"] = links
    return Response(_body(page, media), media_type=media, headers=headers)


def wanted(
    request: Request,
    format: Annotated[  # noqa: A002  (the parameter's name)
        str | None, Query(description="json, csv or parquet; goes before the header Accept")
    ] = None,
) -> str:
    """The media type of `?format=`, or the most liked one of Accept. Raises 406 with what there is."""
    if format is not None:
        if format not in FORMATS:
            raise HTTPException(406, f"format {format!r} is unknown; use one of: {', '.join(FORMATS)}")
        return FORMATS[format]
    liked = sorted(_accepted(request.headers.get("accept", "*/*")), key=lambda one: -one[1])
    for media, quality in liked:
        if quality > 0:
            for known in FORMATS.values():
                if media in ("*/*", known, known.partition("/")[0] + "/*"):
                    return known
    raise HTTPException(406, f"Accept names none of: {', '.join(FORMATS.values())}")


def entity_tag(request: Request, state: str, media: str) -> str:
    """Weak: the same content may be written in other words, such as the second it was made."""
    known = "\n".join((__version__, request.url.path, request.url.query, media, state))
    return f'W/"{hashlib.sha256(known.encode()).hexdigest()[:24]}"'


def _has(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    plain = tag.removeprefix("W/")
    return given.strip() == "*" or any(one.strip().removeprefix("W/") == plain for one in given.split(","))


def _accepted(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.split(","):
        media, *options = (piece.strip() for piece in part.split(";"))
        quality = next((option[2:] for option in options if option.startswith("q=")), "1")
        try:
            found.append((media.lower(), float(quality)))
        except ValueError:
            raise HTTPException(406, f"Accept: {part.strip()!r} has a quality that is no number") from None
    return found


def _links(request: Request, page: Page) -> str:
    if page.next_after is None:
        return ""
    first = {key: value for key, value in request.query_params.items() if key != "after"}
    base = str(request.url.replace(query=""))
    ways = {"first": first, "next": {**first, "after": page.next_after}}
    return ", ".join(
        f'<{base}{"?" + urlencode(words) if words else ""}>; rel="{rel}"' for rel, words in ways.items()
    )


def _body(page: Page, media: str) -> bytes:
    flat = page.rows if page.table is None else page.table
    if media == CSV:
        return _csv(flat)
    if media == PARQUET:
        return _parquet(flat)
    following = {"next_after": page.next_after} if page.about is None else {}
    value = {**(page.about or {}), page.name: list(page.rows), **following}
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _csv(rows: Sequence[Row]) -> bytes:
    cells = [{name: _cell(value) for name, value in row.items()} for row in rows]
    return csv_table(cells, line_ending=RFC_4180).encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | tuple) else value


def _parquet(rows: Sequence[Row]) -> bytes:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise HTTPException(406, "Parquet needs pyarrow on the server: pip install 'arena[parquet]'") from None
    out = io.BytesIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pyarrow.Table.from_pylist([{name: _flat(row.get(name)) for name in names} for row in rows])
    pyarrow.parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


def _flat(value: Any) -> Any:
    """Empty objects have no Parquet type, and mixed ones none either: those are written as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
