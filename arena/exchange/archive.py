"""An export as a folder, which may have come in an archive.

An archive can hold other files for another program that unpacks it: a name twice, names that differ in case, a backslash,
files beside the folder. Nothing of it is read then.
"""

from __future__ import annotations

import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arena.config.given_files import plain_file
from arena.exchange.files import MANIFEST, BadExport

# An archive may unpack to this many bytes, and to this many times its own: conversations shrink about 5 times, and the
# most alike that people write about 20 times; a bomb unpacks to 1,000 times its size.
UNPACKED_ALWAYS = 1 << 24
UNPACKED_TIMES = 100
MOST_FILES = 1_000  # an export has fewer than 20


@contextmanager
def opened_export(path: Path) -> Iterator[Path]:
    """The folder of an export, unpacked to a temporary one if it is an archive. Raises `BadExport`."""
    if path.is_dir():
        yield path
        return
    try:
        with zipfile.ZipFile(plain_file(path)) as archive, tempfile.TemporaryDirectory() as made:
            _unpack(path, archive, made)
            yield _only_folder(path, Path(made))
    except FileNotFoundError:
        raise BadExport(
            f"{path} not found. Run `arena export --out FOLDER`, or give another folder or archive."
        ) from None
    except (zipfile.BadZipFile, OSError) as problem:
        raise BadExport(
            f"{path} is not a folder or a zip archive ({problem}). Give what `arena export` wrote."
        ) from problem


def _unpack(path: Path, archive: zipfile.ZipFile, folder: str) -> None:
    """Unpack the archive. Raises `BadExport` for one that is too large, and `BadZipFile`."""
    _check_sizes(path, archive)
    _check_names(path, archive)
    try:
        archive.extractall(folder)  # zipfile keeps names inside, and reads no more than the sizes that it names
    except (zlib.error, EOFError, RuntimeError) as problem:  # a wrong stream, its end, a password
        raise zipfile.BadZipFile(str(problem)) from problem


def _only_folder(path: Path, made: Path) -> Path:
    """The folder of an unpacked export. Raises `BadExport` if there is none, or anything beside it.

    After unpacking, other files of the archive would be read in its place, unchecked.
    """
    manifest = next(iter(sorted(made.rglob(MANIFEST), key=lambda found: len(found.parts))), None)
    if manifest is None:
        raise BadExport(f"{path} contains no {MANIFEST}. Give a folder or archive that `arena export` wrote.")
    if other := next(
        (file for file in made.rglob("*") if file.is_file() and file.parent != manifest.parent), None
    ):
        raise BadExport(
            f"{path} contains {str(other.relative_to(made))[:80]!r}, which is no part of the export. "
            "Give what `arena export` wrote."
        )
    return manifest.parent


def _check_names(path: Path, archive: zipfile.ZipFile) -> None:
    """Raises `BadExport` for names that programs unpack to different files: twice, absolute, or with `..` or a backslash."""
    seen: set[str] = set()
    for file in archive.infolist():
        same = unicodedata.normalize("NFC", file.filename).casefold()
        if same in seen or same.startswith("/") or "\\" in same or ".." in same.split("/"):
            raise BadExport(
                f"{path} contains {file.filename[:80]!r} twice, or it is no plain name. Give what `arena export` wrote."
            )
        seen.add(same)


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Raises `BadExport` for an archive that unpacks to more than an export of its size does."""
    files = archive.infolist()
    unpacked, most = sum(file.file_size for file in files), UNPACKED_ALWAYS + UNPACKED_TIMES * path.stat().st_size
    if unpacked > most or len(files) > MOST_FILES:
        raise BadExport(
            f"{path} would unpack to {unpacked:,} bytes in {len(files):,} files, more than an export has. "
            "Give what `arena export` wrote, or unpack it yourself and give the folder."
        )
