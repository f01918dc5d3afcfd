"""Names of judges that are one judge: `a+b` is the panel of a and b, and `a#text` a trial run, or another template, of a.

Boards that add judges up take one name of each judge, so that a second run over the same prompts is no second voter. The
rule needs nothing but the names, so that whoever has an export can follow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from arena.rules.votes import JUDGE

PANEL, TRIAL = "+", "#"


def judges_of(source: str) -> tuple[str, ...]:
    """The judges that a source stands for.

    >>> judges_of("judge:a#terse+b")
    ('a', 'b')
    """
    return tuple(name.split(TRIAL)[0] for name in source.removeprefix(JUDGE).split(PANEL))


def repeated_judges(sources: Iterable[str]) -> Mapping[str, str]:
    """The judges' sources that do not count where judges are added up, each with the source that counts in its place.

    A judge under its own name comes before its trial runs and templates, and these before panels; then by name.

    >>> dict(repeated_judges(["human", "judge:a+b", "judge:a", "judge:a#terse", "judge:c#1", "judge:c#2"]))
    {'judge:a#terse': 'judge:a', 'judge:c#2': 'judge:c#1', 'judge:a+b': 'judge:a'}
    """
    counted: dict[str, str] = {}
    repeated: dict[str, str] = {}
    judges = (source for source in sources if source.startswith(JUDGE))
    for source in sorted(judges, key=lambda source: (len(judges_of(source)), TRIAL in source, source)):
        names = judges_of(source)
        first = next((counted[name] for name in names if name in counted), None)
        if first is not None:
            repeated[source] = first
        else:
            counted |= dict.fromkeys(names, source)
    return repeated
