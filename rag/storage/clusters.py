"""Which articles of the library are near-duplicates of each other: they share a cluster.

Each function works within the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence

from rag.text.copies import THRESHOLD, band_keys, resemblance
from rag.types import Copy

BACKLOG = 64
"""Articles without a cluster that are given one together: some tenths of a second."""

_LOOKED_AT = 20  # oldest articles of a band: those of a mass-produced text would be thousands
_COMPARED = 3  # articles that share most bands


def assign_cluster(db: sqlite3.Connection, article_id: str, text: str) -> None:
    """Put a stored article into the cluster of the article that resembles it most, or into one of
    its own if none does enough."""
    keys = band_keys(text)
    cluster = _nearest_cluster(db, keys, text)
    if cluster is None:
        (cluster,) = db.execute("SELECT coalesce(max(cluster), 0) + 1 FROM clusters").fetchone()
    (rowid,) = db.execute("SELECT rowid FROM articles WHERE id = ?", [article_id]).fetchone()
    db.execute("INSERT INTO clusters VALUES (?, ?)", [rowid, cluster])
    db.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", [(key, rowid) for key in keys])


def assign_backlog(db: sqlite3.Connection) -> int:
    """Give up to `BACKLOG` articles a cluster that were stored before there were any; how many."""
    rows = db.execute(
        "SELECT a.id, a.text FROM articles a "
        "WHERE NOT EXISTS (SELECT 1 FROM clusters k WHERE k.article = a.rowid) "
        "ORDER BY a.rowid LIMIT ?",
        [BACKLOG],
    ).fetchall()
    for article_id, text in rows:
        assign_cluster(db, article_id, text)
    return len(rows)


def select_copies(
    db: sqlite3.Connection, ids: Collection[str], condition: str, values: Sequence[str]
) -> dict[str, tuple[Copy, ...]]:
    """The members of each article's cluster that fulfil the SQL `condition` over `articles a`,
    the original first; articles whose cluster has no two such members are left out."""
    clusters = dict(
        db.execute(
            "SELECT a.id, k.cluster FROM articles a JOIN clusters k ON k.article = a.rowid "
            "WHERE a.id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(ids))],
        )
    )
    rows = db.execute(
        "SELECT k.cluster, a.id, a.outlet FROM clusters k JOIN articles a ON a.rowid = k.article "
        f"WHERE k.cluster IN (SELECT value FROM json_each(?)) AND {condition or 'TRUE'} "
        "ORDER BY julianday(a.published_at) NULLS LAST, a.ingested_at, a.id",
        [json.dumps(sorted(set(clusters.values()))), *values],
    )
    members: dict[int, list[Copy]] = {}
    for cluster, article_id, outlet in rows:
        members.setdefault(cluster, []).append(Copy(article_id, outlet))
    return {
        article_id: tuple(members[cluster])
        for article_id, cluster in clusters.items()
        if len(members.get(cluster, ())) > 1
    }


def _nearest_cluster(db: sqlite3.Connection, keys: Sequence[int], text: str) -> int | None:
    shared = Counter(
        rowid
        for key in keys
        for (rowid,) in db.execute(
            "SELECT article FROM bands WHERE key = ? ORDER BY article LIMIT ?", [key, _LOOKED_AT]
        )
    )
    near = sorted(shared, key=lambda rowid: (-shared[rowid], rowid))[:_COMPARED]
    rows = db.execute(
        "SELECT k.cluster, a.text FROM clusters k JOIN articles a ON a.rowid = k.article "
        "WHERE a.rowid IN (SELECT value FROM json_each(?)) ORDER BY a.rowid",
        [json.dumps(near)],
    )
    similar = [(resemblance(text, other), cluster) for cluster, other in rows]
    best, cluster = max(similar, key=lambda pair: pair[0], default=(0.0, None))
    return cluster if best >= THRESHOLD else None
