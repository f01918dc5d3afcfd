"""Which language a request gets: `?lang=`, the cookie, `Accept-Language`, else English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from babel.core import get_global

from arena.web.locales.catalogues import ENGLISH, Language, languages

LONGEST = 35  # characters of a language tag (RFC 5646, section 4.4.1)
MOST = 20  # languages of one header


def chosen(address: str, cookie: str, accepted: str) -> Language:
    """The language of a request, from its parameter, its cookie and its header, each empty if it has none."""
    for tag in (address, cookie, *_preferred(accepted)):
        if language := find(tag):
            return language
    return ENGLISH


def find(tag: str) -> Language | None:
    """The language of a tag: the same, else one in the same script, else the same language in another script.

    Traditional Chinese gets Simplified Chinese while there is no catalogue of its own: its readers can read it, and
    English would be a foreign language.

    >>> [find(tag).code for tag in ("zh", "zh-CN", "zh_SG", "zh-TW", "en-GB")]
    ['zh-Hans', 'zh-Hans', 'zh-Hans', 'zh-Hans', 'en']
    >>> find("tlh")
    """
    served, wanted = languages(), _subtags(tag)
    if not wanted:
        return None
    return _first(served, wanted[:2]) or _first(served, wanted[:1])


def _first(served: Mapping[str, Language], subtags: list[str]) -> Language | None:
    """The first language that begins with these subtags."""
    return next((each for code, each in served.items() if _subtags(code)[: len(subtags)] == subtags), None)


def _subtags(tag: str) -> list[str]:
    """Language, script and territory of a tag, the missing ones by CLDR's likely subtags; none for an invalid tag."""
    parts = tag.strip().replace("-", "_").split("_") if len(tag) <= LONGEST else []
    if not parts or not all(part.isascii() and part.isalnum() for part in parts):
        return []
    parts = [parts[0].lower(), *(part.title() if len(part) == 4 else part.upper() for part in parts[1:])]
    likely = get_global("likely_subtags")
    for name in ("_".join(parts), "_".join(parts[:2]), parts[0]):
        if name in likely:
            whole: list[str] = likely[name].split("_")
            given_script = [part for part in parts[1:2] if len(part) == 4]
            return [whole[0], *(given_script or whole[1:2]), *whole[2:]]
    return parts


def _preferred(accepted: str) -> Iterable[str]:
    """The tags of an `Accept-Language` header (RFC 9110, section 12.5.4), the preferred first."""
    weighted = [_weighted(part) for part in accepted.split(",")[:MOST]]
    return [tag for tag, weight in sorted(weighted, key=lambda each: -each[1]) if tag and weight > 0]


def _weighted(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    weight = parameter.strip().removeprefix("q=")
    try:
        return tag.strip(), float(weight) if weight else 1.0
    except ValueError:
        return tag.strip(), 0.0
