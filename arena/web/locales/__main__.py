"""`python -m arena.web.locales [LANGUAGE …]`: update the catalogues from the sources; a new language gets a new one."""

from __future__ import annotations

import sys

from arena.web.locales.catalogues import FILE, FOLDER, read_catalogue
from arena.web.locales.extraction import extracted, write


def main(names: list[str]) -> None:
    """Update the catalogues of these languages, by default of all, and print what is untranslated."""
    texts = extracted()
    for name in names or sorted(path.name for path in FOLDER.iterdir() if (path / FILE).is_file()):
        write(name, texts)
        left = [message.id for message in read_catalogue(name) if message.id and not _is_complete(message.string)]
        print(f"{name}: {len(texts)} texts, {len(left)} untranslated", *left, sep="\n  ")  # noqa: T201


def _is_complete(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    main(sys.argv[1:])
