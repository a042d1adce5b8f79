"""Vectors as rows of the library's database, and the model that they are of.

Each function works within the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence

import numpy as np

from rag.errors import LibraryError, ModelMismatchError
from rag.ports import Rows, Vectors

_DTYPE = np.dtype("<f4")
_BATCH = 1000  # rows read at a time
_MODEL = "embedding_model"  # the key in `meta` of the model that is searched by


def claim_model(db: sqlite3.Connection, model: str) -> None:
    """Write down the model of a library's first vectors; raises as `require_model` later."""
    require_model(db, model)
    db.execute("REPLACE INTO meta VALUES (?, ?)", [_MODEL, model])


def require_model(db: sqlite3.Connection, model: str) -> None:
    """Raises `ModelMismatchError` if the library is searched by another model."""
    row = db.execute(
        "SELECT value FROM meta WHERE key = ? AND EXISTS (SELECT 1 FROM vectors)", [_MODEL]
    ).fetchone()
    if row and row[0] != model:
        raise ModelMismatchError(
            f"the library was embedded with {row[0]}, and the model in use is {model}: run "
            "`dateline reindex` to embed it anew, or set DATELINE_EMBEDDING_MODEL back"
        )


def switch_model(db: sqlite3.Connection, model: str) -> int:
    """Search by `model` from now on and drop all other vectors, unless chunks are left that it
    has not embedded; how many these are."""
    (missing,) = db.execute(
        "SELECT count(*) FROM chunks c WHERE NOT EXISTS "
        "(SELECT 1 FROM vectors v WHERE v.chunk = c.rowid AND v.model = ?)",
        [model],
    ).fetchone()
    if not missing:
        db.execute("DELETE FROM vectors WHERE model <> ?", [model])
        db.execute("REPLACE INTO meta VALUES (?, ?)", [_MODEL, model])
    return int(missing)


def insert_vectors(
    db: sqlite3.Connection, ids: Sequence[str], vectors: Vectors, model: str
) -> None:
    """Store one vector a chunk id; ids that are not stored are left out.

    Raises `ModelMismatchError` for vectors of another length than the stored ones of the model.
    """
    stored = db.execute("SELECT length(vector) FROM vectors WHERE model = ? LIMIT 1", [model])
    sizes = {size for (size,) in stored} | {len(vector) * _DTYPE.itemsize for vector in vectors}
    if len(sizes) > 1:
        lengths = " and ".join(str(size // _DTYPE.itemsize) for size in sorted(sizes))
        raise ModelMismatchError(
            f"the model {model} gives vectors of different lengths ({lengths}): it was changed "
            "in place; set it back, or ingest into another DATELINE_DATA_DIR"
        )
    db.executemany(
        "INSERT OR REPLACE INTO vectors (chunk, model, vector) "
        "SELECT rowid, ?, ? FROM chunks WHERE id = ?",
        [
            (model, vector.astype(_DTYPE).tobytes(), chunk_id)
            for chunk_id, vector in zip(ids, vectors, strict=True)
        ],
    )


def select_dimension(db: sqlite3.Connection, model: str) -> int | None:
    """How many numbers the stored vectors of a model have, None where there are none."""
    row = db.execute("SELECT length(vector) FROM vectors WHERE model = ? LIMIT 1", [model])
    return next((int(size) // _DTYPE.itemsize for (size,) in row), None)


def select_vectors(
    db: sqlite3.Connection, model: str, ids: Collection[str] | None = None
) -> tuple[list[str], Vectors]:
    """Chunk ids (those among `ids`, if given) and their vectors, shape (n, dimension), in the
    order in which they were stored."""
    among = "" if ids is None else "c.id IN (SELECT value FROM json_each(?)) AND"
    values = [] if ids is None else [json.dumps(list(ids))]
    rest = (
        f"chunks c JOIN vectors v ON v.chunk = c.rowid WHERE {among} v.model = ? ORDER BY c.rowid"
    )
    return _select(db, rest, [*values, model])[1:]


def select_vectors_at(
    db: sqlite3.Connection, model: str, rows: Rows | None
) -> tuple[Rows, list[str], Vectors]:
    """Row numbers, chunk ids and vectors of the chunks among `rows`, or of all: these by outlet
    and day, so that what a filter lets through stands together."""
    if rows is not None:
        among = "c.rowid IN (SELECT value FROM json_each(?))"
        rest = f"chunks c JOIN vectors v ON v.chunk = c.rowid WHERE {among} AND v.model = ?"
        return _select(db, rest, [json.dumps(rows.tolist()), model])
    joined = (
        "articles a CROSS JOIN chunks c ON c.article = a.rowid JOIN vectors v ON v.chunk = c.rowid"
    )
    rest = f"{joined} WHERE v.model = ? ORDER BY a.outlet_key, a.published_day"
    return _select(db, rest, [model])


def _select(
    db: sqlite3.Connection, rest: str, values: Sequence[str]
) -> tuple[Rows, list[str], Vectors]:
    found = db.execute(f"SELECT c.rowid, c.id, v.vector FROM {rest}", values)
    rows: list[int] = []
    ids: list[str] = []
    parts = [np.empty((0, 0), dtype=np.float32)]
    try:
        while some := found.fetchmany(_BATCH):
            rows += [row for row, _, _ in some]
            ids += [chunk_id for _, chunk_id, _ in some]
            blobs = b"".join(blob for _, _, blob in some)
            parts.append(np.frombuffer(blobs, dtype=_DTYPE).reshape(len(some), -1))
        # One array of NumPy's own: it lies in large pages, and is read a third faster for it.
        return np.array(rows, dtype=np.int64), ids, np.concatenate(parts[1:] or parts)
    except ValueError:
        raise LibraryError(
            "stored vectors are damaged: restore the library from a backup"
        ) from None
