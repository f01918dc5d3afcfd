"""Links open another tab and give the page no credit. Images are links too: a remote one would report each reader."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

SCHEMES = ("http", "https", "mailto")
# An address in running text, up to white space, a quotation mark, or the punctuation of Chinese and Japanese.
BARE = re.compile(r"https?://[^\s<>\"'`|\\\u3000-\u303f\uff00-\uffef]{1,2000}")
PUNCTUATION = ".,;:!?*_~"


def add_links(parser: MarkdownIt) -> None:
    parser.validateLink = _is_allowed  # type: ignore[assignment, method-assign]
    parser.core.ruler.push("links", _links)


def _is_allowed(address: str) -> bool:
    try:
        return urlsplit(address.strip()).scheme.lower() in SCHEMES
    except ValueError:
        return False


def _links(state: StateCore) -> None:
    for token in state.tokens:
        if token.children:
            token.children = list(_with_links(token.children))


def _with_links(tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens of a line, with bare addresses and images as links, unless they are in a link already."""
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "link_open":
            _mark(token)
        if token.type == "image":
            yield from _image(token, linked=depth > 0)
        elif token.type == "text" and not depth and "://" in token.content:
            yield from _text(token)
        else:
            yield token


def _mark(link: Token) -> None:
    link.attrs["rel"] = "noopener noreferrer nofollow ugc"
    link.attrs["target"] = "_blank"


def _image(image: Token, linked: bool) -> Iterator[Token]:
    text = "".join(part.content for part in image.children or []) or str(image.attrs.get("src", ""))
    if linked or not image.attrs.get("src"):
        yield _plain(text)
    else:
        yield from _link(str(image.attrs["src"]), text, "image-link")


def _text(token: Token) -> Iterator[Token]:
    end = 0
    for match in BARE.finditer(token.content):
        address = _without_punctuation(match[0])
        if not _host(address):
            continue
        yield _plain(token.content[end : match.start()])
        yield from _link(address, address)
        end = match.start() + len(address)
    yield _plain(token.content[end:])


def _host(address: str) -> str | None:
    """The host of an address, or None where it has none or is malformed."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _without_punctuation(address: str) -> str:
    """The address without the punctuation of the sentence: `.`, and a closing bracket that it did not open."""
    while address:
        if address[-1] in PUNCTUATION or (address[-1] in ")]}" and _is_surplus(address)):
            address = address[:-1]
        else:
            break
    return address


def _is_surplus(address: str) -> bool:
    closing = address[-1]
    return address.count(closing) > address.count("([{"[")]}".index(closing)])


def _link(address: str, text: str, kind: str = "") -> Iterator[Token]:
    opening = Token("link_open", "a", 1, attrs={"href": address})
    if kind:
        opening.attrs["class"] = kind
    _mark(opening)
    yield opening
    yield _plain(text)
    yield Token("link_close", "a", -1)


def _plain(text: str) -> Token:
    return Token("text", "", 0, content=text)
