"""Embedded content for other pages: a badge, a table, and a feed of changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any
from xml.etree import ElementTree as Xml  # writes only  # nosec B405

from arena.leaderboards.leaderboard import Published
from arena.rules.seals import Seal
from arena.rules.signed_heads import Signer, head_of
from arena.web.locales import current_language, ngettext
from arena.web.locales import gettext as _
from arena.web.names import category_name, source_name

LETTER = 7.0  # pixels, about, of a letter of the badge's font at 11 px
ATOM = "http://www.w3.org/2005/Atom"
MEDIA_SVG, MEDIA_ATOM = "image/svg+xml", "application/atom+xml"
# an embedded table runs no script, loads nothing and may be framed by any page
TABLE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors *; base-uri 'none'; form-action 'none'"
)
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """body{margin:0;font:14px/1.4 system-ui,sans-serif;color:#17201f;background:#fff}
table{border-collapse:collapse;width:100%}caption{text-align:left;padding:4px 8px;color:#53605d}
th,td{padding:4px 8px;text-align:right;border-bottom:1px solid #dfe4e2}
th:nth-child(2),td:nth-child(2){text-align:left}
@media(prefers-color-scheme:dark){body{color:#e7ecea;background:#15191a}caption{color:#a5b1ae}
th,td{border-color:#343d3f}}"""


def badge(title: str, row: Mapping[str, Any] | None) -> str:
    """A badge such as `Arena | #2 · 1043 ± 12`; a model without a place on the leaderboard has no rank."""
    right = "not rated" if row is None else _rank_and_rating(row)
    widths = [LETTER * len(text) + 12 for text in (title, right)]
    total = sum(widths)
    whole = f"{title}: {right}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total:g}" height="20" role="img" '
        f'aria-label="{escape(whole, quote=True)}"><title>{escape(whole)}</title>'
        f'<rect width="{total:g}" height="20" rx="3" fill="#2b3331"/>'
        f'<path d="M{widths[0]:g} 0h{widths[1] - 3:g}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{widths[1] - 3:g}z" '
        'fill="#0c6661"/><g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{widths[0] / 2:g}" y="14">{escape(title)}</text>'
        f'<text x="{widths[0] + widths[1] / 2:g}" y="14">{escape(right)}</text></g></svg>'
    )


def _rank_and_rating(row: Mapping[str, Any]) -> str:
    if row["rating"] is None:
        return "not rated"
    half = (row["upper"] - row["lower"]) / 2 if row["upper"] is not None and row["lower"] is not None else None
    width = "" if half is None else f" ± {half:.0f}"
    place = "" if row["rank"] is None else f"#{row['rank']} · "
    return f"{place}{row['rating']:.0f}{width}" + (" provisional" if row["provisional"] else "")


def table(title: str, published: Published, top: int, home: str) -> str:
    """The first rows of a leaderboard as a page for an iframe, without scripts and external resources."""
    plain, language = published.to_dict(), current_language()
    rows: Any = plain["models"]
    lines = "".join(map(_line, rows[:top]))
    votes = ngettext("{count} vote", "{count} votes", published.board.battles)
    names = source_name(published.choice.source), category_name(published.choice.category)
    caption = " · ".join((votes, *names, str(plain["as_of"])))
    heads = (_("Rank"), _("Model"), _("Rating"), _("95% interval"), _("Votes"))
    return (
        f'<!doctype html><html lang="{language.code}" dir="{language.direction}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><table><caption>"
        f'<a href="{escape(home, quote=True)}" target="_blank" rel="noopener">{escape(title)}</a> · '
        f"{escape(caption)}"
        f"</caption><thead><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{lines}</tbody></table></html>"
    )


def _line(row: Mapping[str, Any]) -> str:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.0f}"

    interval = f"{number(row['lower'])} – {number(row['upper'])}"
    provisional = _("provisional")
    name = escape(str(row["model"])) + (f" ({escape(provisional)})" if row["provisional"] else "")
    place = "–" if row["rank"] is None else str(row["rank"])
    cells = (place, name, number(row["rating"]), interval, f"{row['battles']:,}")
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def feed(title: str, home: str, chain: Sequence[Seal], signer: Signer | None = None) -> bytes:
    """An Atom feed (RFC 4287) with one entry for each seal that changes the leaderboard of people, or the only one.

    The subtitle is the newest head and each entry has its own, so that whoever keeps a feed keeps heads.
    """
    Xml.register_namespace("", ATOM)
    root = Xml.Element(f"{{{ATOM}}}feed")
    _add(root, "title", f"{title}: changes of the leaderboard")
    if chain:
        _add(root, "subtitle", head_line(chain[-1], signer))
    _add(root, "id", f"{home}/api/v1/feed.atom")
    _add(root, "updated", chain[-1].sealed_at if chain else "1970-01-01T00:00:00Z")
    for rel, path in (("self", "/api/v1/feed.atom"), ("alternate", "/leaderboard")):
        Xml.SubElement(root, f"{{{ATOM}}}link", rel=rel, href=home + path)
    _add(Xml.SubElement(root, f"{{{ATOM}}}author"), "name", title)
    before: Seal | None = None
    entries = []
    for seal in chain:
        if changes := list(board_changes(before, seal)):
            entries.append((seal, changes))
        before = seal
    for seal, changes in reversed(entries):
        entry = Xml.SubElement(root, f"{{{ATOM}}}entry")
        _add(entry, "id", f"urn:sha256:{seal.sha256}")
        _add(
            entry,
            "title",
            changes[0] if len(changes) == 1 else f"{changes[0]}, and {len(changes) - 1} more changes",
        )
        _add(entry, "updated", seal.sealed_at)
        Xml.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", href=f"{home}/leaderboard")
        _add(entry, "content", "\n".join((*changes, head_line(seal, signer))))
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def head_line(seal: Seal, signer: Signer | None) -> str:
    """A head in words: the seal, its hash, and who signed it."""
    head = head_of(seal, signer)
    signature = f", signature {head['signature']} by {head['public_key']}" if signer else ""
    return f"seal {head['seal']}: {head['sha256']}{signature}"


def board_changes(before: Seal | None, after: Seal) -> Iterator[str]:
    """The changes between two seals in words: new models, ranks, filter."""
    old = {row["model"]: row for row in _rows(before)}
    if before is not None and before.filter != after.filter:
        yield f"filter {after.filter} in place of {before.filter}"
    for row in _rows(after):
        previous = old.get(row["model"])
        rating = "" if row["rating"] is None else f", {row['rating']:.0f}"
        if previous is None or (previous["battles"] == 0 and row["battles"] > 0):
            if row["battles"] > 0:
                yield f"{row['model']} is on the board: {_place(row)}{rating}"
        elif previous["rank"] != row["rank"] and None in (previous["rank"], row["rank"]):
            yield f"{row['model']} has {_place(row)} now{rating}"
        elif previous["rank"] != row["rank"]:
            way = "up" if row["rank"] < previous["rank"] else "down"
            yield f"{row['model']} goes {way}, from rank {previous['rank']} to {row['rank']}{rating}"


def _place(row: Mapping[str, Any]) -> str:
    return "no rank" if row["rank"] is None else f"rank {row['rank']}"


def _rows(seal: Seal | None) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = seal.boards[0]["models"] if seal and seal.boards else ()
    return rows


def _add(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, f"{{{ATOM}}}{name}").text = "".join(c for c in text if c.isprintable() or c == "\n")
