"""Replies in JSON, CSV or Parquet, with entity tags and links to the next page."""

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
# a client may store a reply, and must validate it before using it again
CACHE = "public, no-cache"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """Rows, and the key of the next page; `about` are further fields of the JSON.

    `table` are other rows for CSV and Parquet, if those of the JSON are not the main content.
    """

    rows: Sequence[Row]
    name: str
    about: Mapping[str, Any] | None = None
    next_after: str | None = None
    table: Sequence[Row] | None = None


def reply(request: Request, media: str, state: str, make: Callable[[], Page]) -> Response:
    """The page in a media type, or 304 if the client has it. `state` changes whenever the page may change."""
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
        str | None, Query(description="json, csv or parquet; overrides the header Accept")
    ] = None,
) -> str:
    """The media type of `?format=`, or the preferred one of Accept. Raises 406 with the supported ones."""
    if format is not None:
        if format not in FORMATS:
            raise HTTPException(406, f"Format {format!r} is unknown. Use one of: {', '.join(FORMATS)}.")
        return FORMATS[format]
    accepted = sorted(_accepted(request.headers.get("accept", "*/*")), key=lambda entry: -entry[1])
    for media, quality in accepted:
        if quality > 0:
            for supported in FORMATS.values():
                if media in ("*/*", supported, supported.partition("/")[0] + "/*"):
                    return supported
    raise HTTPException(406, f"Accept names no supported format. Use one of: {', '.join(FORMATS.values())}.")


def entity_tag(request: Request, state: str, media: str) -> str:
    """A weak entity tag: the same content may differ in the time it was computed."""
    identity = "\n".join((__version__, request.url.path, request.url.query, media, state))
    return f'W/"{hashlib.sha256(identity.encode()).hexdigest()[:24]}"'


def _has(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    plain = tag.removeprefix("W/")
    return given.strip() == "*" or any(tag.strip().removeprefix("W/") == plain for tag in given.split(","))


def _accepted(header: str) -> list[tuple[str, float]]:
    accepted = []
    for part in header.split(","):
        media, *options = (piece.strip() for piece in part.split(";"))
        quality = next((option[2:] for option in options if option.startswith("q=")), "1")
        try:
            accepted.append((media.lower(), float(quality)))
        except ValueError:
            raise HTTPException(
                406, f"Accept: the quality of {part.strip()!r} is not a number. Write it as q=0.5."
            ) from None
    return accepted


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
        raise HTTPException(
            406, "Parquet needs pyarrow on the server. Use json or csv, or run there: pip install 'arena[parquet]'"
        ) from None
    out = io.BytesIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pyarrow.Table.from_pylist([{name: _flat(row.get(name)) for name in names} for row in rows])
    pyarrow.parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


def _flat(value: Any) -> Any:
    """Objects as JSON: empty and mixed ones have no Parquet type."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
