"""Libraries as older Datelines wrote them, of what a present one holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import chain
from pathlib import Path

from rag.library import SqliteLibrary
from rag.storage.schema import MIGRATIONS


def age(path: Path, version: int) -> None:
    """Make a library, if there is one, what it would be had a Dateline of that schema written it.
    What that schema has no place for is lost."""
    if not path.exists():
        return
    SqliteLibrary(path).close()  # so that no WAL is beside it
    aged = path.parent.with_name("aged.db")
    aged.unlink(missing_ok=True)
    with closing(sqlite3.connect(aged, isolation_level=None)) as db:
        db.execute("ATTACH ? AS new", [str(path)])
        db.execute("BEGIN")
        for statement in chain.from_iterable(MIGRATIONS[:version]):
            db.execute(statement)
        made = db.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type != 'shadow'"
        )
        for (name,) in made.fetchall():
            if not name.startswith("sqlite_"):
                columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({name})"))
                rowid = "rowid, " if name == "words" else ""
                db.execute(
                    f"INSERT OR REPLACE INTO main.{name} ({rowid}{columns}) "
                    f"SELECT {rowid}{columns} FROM new.{name}"
                )
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    aged.replace(path)
