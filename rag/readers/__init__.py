"""Files and folders → articles, one by one; what cannot be read is told, never raised.

A new format is one more function from bytes to fields, and its suffix in `_PARSERS`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.articles import (
    ArticleFields,
    decode_utf8,
    parse_fields,
    refuse_binary,
    to_article,
)
from rag.errors import ArticleError
from rag.readers.html import parse_html
from rag.readers.metadata import METADATA_BYTES, json_object, yaml_mapping
from rag.readers.text import parse_markdown, parse_text
from rag.types import Article, Skipped

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file in a folder that is no article format."""

    source: str


@dataclass(frozen=True, slots=True)
class _Limits:
    file_bytes: int
    article_chars: int


def read_articles(
    paths: Sequence[Path], *, max_file_bytes: int, max_article_chars: int
) -> Iterator[Article | Skipped | Ignored]:
    """Every article in the files and folders (searched in sorted order, hidden files left out).

    Each file is read once, and each article id taken once; a failure is yielded as `Skipped`,
    whose source is that of the article it stands for, and the others go on.
    """
    limits = _Limits(max_file_bytes, max_article_chars)
    sources: dict[str, str | None] = {}
    for found in _find(paths):
        for result in _read(found, limits) if isinstance(found, Path) else (found,):
            if isinstance(result, Article):
                first = sources.setdefault(result.id, result.source)
                if first != result.source:
                    yield Skipped(
                        result.source or result.id,
                        f"is the same article ({result.id}) as {first}, by its id or url; "
                        "remove one, or give each an id of its own",
                    )
                    continue
            yield result


def parse_document(data: bytes, suffix: str, source: str) -> ArticleFields:
    """The fields of what would be a file with that suffix, alone; raises `ArticleError`."""
    return parse_fields(source, _PARSERS[suffix](data, source))


def _find(paths: Sequence[Path]) -> Iterator[Path | Skipped | Ignored]:
    """Each file to read once, by its absolute path; sidecars go with their articles."""
    files: set[Path] = set()
    folders: set[str] = set()
    sidecars: list[Path] = []
    for given in paths:
        path = Path(os.path.abspath(given))
        if path.suffix.lower() in _SIDECARS and _article_of(path):
            sidecars.append(path)
            continue
        for found in _walk(path, folders) if os.path.isdir(path) else (path,):
            if not isinstance(found, Path):
                yield found
            elif found not in files:
                files.add(found)
                yield found
    for path in sidecars:
        article = _article_of(path)
        if article and article not in files:
            yield Skipped(_name(path), f"is the sidecar of {article.name}; give that file instead")


def _walk(folder: Path, visited: set[str]) -> Iterator[Path | Skipped | Ignored]:
    """The files of a folder; each real folder is entered once, so loops of links end."""
    errors: list[OSError] = []
    for root, folders, names in os.walk(folder, followlinks=True, onerror=errors.append):
        real = os.path.realpath(root)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        # Links last: a folder that is also linked to is known by its own path.
        folders[:] = sorted(_visible(folders), key=lambda name: (_is_link(root, name), name))
        for name in sorted(_visible(names)):
            path = Path(root, name)
            suffix = path.suffix.lower()
            if suffix in _SUPPORTED:
                yield path
            elif suffix not in _SIDECARS or not _article_of(path):
                yield Ignored(_name(path))
    for error in errors:
        yield Skipped(_name(error.filename), _os_problem(error))


def _visible(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith("."))


def _is_link(folder: str, name: str) -> bool:
    return os.path.islink(os.path.join(folder, name))


def _name(path: Path | str) -> str:
    """A path as text: file names are bytes, and need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _read(path: Path, limits: _Limits) -> Iterator[Article | Skipped]:
    source, suffix = _name(path), path.suffix.lower()
    try:
        _check(path, source, limits.file_bytes)
        if suffix in _LINES:
            yield from _read_lines(path, source, limits)
        else:
            yield _read_article(path, source, limits)
    except ArticleError as error:
        yield Skipped(error.source, error.reason)
    except OSError as error:
        yield Skipped(source, _os_problem(error))


def _check(path: Path, source: str, max_bytes: int) -> None:
    """Refuse by its directory entry what should not be opened; a pipe would block for ever."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ArticleError(source, "is not a regular file but a device, pipe or socket")
    if path.suffix.lower() not in _SUPPORTED:
        supported = ", ".join(_SUPPORTED)
        raise ArticleError(source, f"is in no format that can be read; these can: {supported}")
    if status.st_size == 0:
        raise ArticleError(source, "is empty")
    if status.st_size > max_bytes:
        raise ArticleError(
            source,
            f"has {status.st_size / MEGABYTE:,.1f} MB, and at most {max_bytes / MEGABYTE:,g} MB "
            "are taken in; split it, or raise DATELINE_MAX_FILE_MB",
        )


def _os_problem(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied; let this user read it"
    return f"cannot be read: {error.strerror}"


def _read_lines(path: Path, source: str, limits: _Limits) -> Iterator[Article | Skipped]:
    found = False
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if number == 1:
                refuse_binary(line, source)  # a whole file of another kind, told once
            if not line.strip():
                continue
            found = True
            place = f"{source}:{number}"
            try:
                fields = parse_fields(place, json_object(decode_utf8(line, place), place))
                yield to_article(
                    fields,
                    fallback=f"{source}#{number}",
                    source=place,
                    max_chars=limits.article_chars,
                )
            except ArticleError as error:
                yield Skipped(error.source, error.reason)
    if not found:
        raise ArticleError(source, "is blank: it needs one JSON object a line")


def _read_article(path: Path, source: str, limits: _Limits) -> Article:
    given = _PARSERS[path.suffix.lower()](path.read_bytes(), source)
    fields = parse_fields(source, given, _read_sidecar(path, source), {"text": given["text"]})
    return to_article(fields, fallback=source, source=source, max_chars=limits.article_chars)


def _read_sidecar(path: Path, source: str) -> dict[str, object]:
    sidecars = [path.with_suffix(suffix) for suffix in _SIDECARS]
    sidecars = [sidecar for sidecar in sidecars if os.path.isfile(sidecar)]
    if not sidecars:
        return {}
    what = " and ".join(sidecar.name for sidecar in sidecars)
    if len(sidecars) > 1:
        raise ArticleError(source, f"has several sidecars, {what}; keep one")
    what = f"sidecar {what}"
    try:
        with sidecars[0].open("rb") as file:
            data = file.read(METADATA_BYTES + 1)
    except OSError as error:
        raise ArticleError(source, f"{what} {_os_problem(error)}") from None
    if len(data) > METADATA_BYTES:
        raise ArticleError(source, f"{what} has more than {METADATA_BYTES // 1024} KB")
    try:
        text = decode_utf8(data, source)
        return _SIDECARS[sidecars[0].suffix](text, source)
    except ArticleError as error:
        raise ArticleError(source, f"{what} {error.reason}") from None


def _article_of(sidecar: Path) -> Path | None:
    """The article that lies beside a sidecar."""
    suffixes = (variant for suffix in _PARSERS for variant in (suffix, suffix.upper()))
    beside = (sidecar.with_suffix(suffix) for suffix in suffixes)
    return next((path for path in beside if os.path.isfile(path)), None)


_Parser = Callable[[bytes, str], dict[str, object]]
_PARSERS: dict[str, _Parser] = {
    ".txt": parse_text,
    ".md": parse_markdown,
    ".markdown": parse_markdown,
    ".html": parse_html,
    ".htm": parse_html,
}
_LINES = (".jsonl", ".ndjson")
_SUPPORTED = (*_PARSERS, *_LINES)
_SIDECARS: dict[str, Callable[[str, str], dict[str, object]]] = {
    ".yaml": yaml_mapping,
    ".yml": yaml_mapping,
    ".json": json_object,
}
