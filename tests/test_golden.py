"""Libraries of every schema that was released, made by the code of their time, open and migrate.

`python -m tests.test_golden` adds one of the present schema, which is done before it is released.
"""

import gzip
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.backup import LIBRARY, back_up, restore
from rag.chunking import chunk_article
from rag.errors import NotFoundError
from rag.library import SqliteLibrary
from rag.storage.archive import Archive
from rag.storage.integrity import Damage, inspect, schema_version
from rag.storage.keyring import Keyring
from rag.storage.keys import make_key
from rag.storage.receipts import Receipts, Repeatable
from rag.storage.schema import MIGRATIONS, digest
from rag.types import Article, Filters
from tests.fakes import FakeEmbedder, quotation

GOLDEN = Path(__file__).parent / "golden"
STORES = {int(path.name[1:].split(".")[0]): path for path in GOLDEN.glob("v*.db.gz")}
HISTORY = {
    1: "6b9fef78afef3720",
    2: "619b00d8467512f3",
    3: "e35c261c00bdb1eb",
    4: "43c2f294a432e3ac",
    5: "8d4537c68778ecfe",
    6: "3824b614eb7ae664",
    7: "f5db440aaa6bd1da",
}
"""The digests of the released steps, none of which may ever change."""

QUOTE = "The harbour bridge cost 84 million crowns in all."
TEXT = f"{QUOTE}\nRain fell on the market.\n"
ARTICLES = (
    Article(
        "bridge",
        TEXT,
        url="https://news.example/bridge",
        title="Bridge opens",
        outlet="The Daily",
        author="A. Writer",
        published_at="2025-08-21",
    ),
    Article(
        "copy",
        TEXT,
        outlet="ÖSTERREICH",
        published_at="2025-08-22T09:30:00+02:00",
        language="en",
        source="/news/copy.txt",
    ),
    Article("hindi", "“Zero tolerance” 🇮🇳 हिन्दी — said the minister on Tuesday.\n", title="Grüße"),
)
SINCE = {"answers": 4, "keys": 5, "receipts": 6}


def unpacked(version: int, directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / LIBRARY).write_bytes(gzip.decompress(STORES[version].read_bytes()))
    return directory / LIBRARY


def damages(path: Path) -> list[Damage]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        return inspect(db)


def assert_is_golden(path: Path, version: int) -> None:
    """All that was put in is there, can be searched, and is sound."""
    library = SqliteLibrary(path)
    stored = library.articles(["bridge", "copy", "hindi"])
    assert stored == {article.id: article for article in ARTICLES}
    chunks = {chunk.id: chunk for article in ARTICLES for chunk in chunk_article(article)}
    ids, vectors = library.vectors("fake")
    assert library.chunks(ids) == chunks
    for key, vector in zip(ids, vectors, strict=True):
        assert vector == pytest.approx(FakeEmbedder().encode_query(chunks[key].text))
    library.find_copies()
    copies = library.copies_of(["bridge"], Filters(), None)
    assert [copy.article_id for copy in copies["bridge"]] == ["bridge", "copy"]
    assert len(library.lexical(["crowns"], 9)) == 2
    archive = Archive(library.database, 36500)
    if version >= SINCE["answers"]:
        assert archive.answer("ans_golden").text == f"{QUOTE} [1]"
        assert [one.note for one in archive.feedback_page(None, 9)[0]] == ["thanks"]
    else:
        with pytest.raises(NotFoundError):
            archive.answer("ans_golden")
    names = ["golden"] if version >= SINCE["keys"] else []
    assert [key.name for key in Keyring(library.database).all()] == names
    library.close()
    assert damages(path) == []


def test_there_is_a_store_of_every_released_schema() -> None:
    assert sorted(STORES) == [1, *range(3, len(MIGRATIONS) + 1)], "2 came and went within a merge"


@pytest.mark.parametrize("version", sorted(STORES))
def test_a_store_of_every_schema_opens_and_migrates(version: int, tmp_path: Path) -> None:
    path = unpacked(version, tmp_path)
    with closing(sqlite3.connect(path)) as db:
        assert schema_version(db) == version
    assert damages(path) == [], "told as sound before it is migrated"
    for _ in range(2):
        assert_is_golden(path, version)
    with closing(sqlite3.connect(path)) as db:
        assert schema_version(db) == len(MIGRATIONS)


@pytest.mark.parametrize("version", sorted(STORES))
def test_a_backup_of_every_schema_is_made_and_restored(version: int, tmp_path: Path) -> None:
    unpacked(version, tmp_path / "old")
    snapshot = back_up(tmp_path / "old", tmp_path / "backup.db")
    assert (snapshot.schema, snapshot.articles) == (version, 3)
    assert restore(tmp_path / "new", tmp_path / "backup.db").sha256 == snapshot.sha256
    assert_is_golden(tmp_path / "new" / LIBRARY, version)


def test_no_released_step_was_edited() -> None:
    assert {number: digest(step)[:16] for number, step in enumerate(MIGRATIONS, 1)} == HISTORY


def write(path: Path) -> None:
    """The golden store of the present schema."""
    library = SqliteLibrary(path)
    embedder = FakeEmbedder()
    entries = [(article, chunk_article(article)) for article in ARTICLES]
    library.put(
        [(one, cut, embedder.encode_documents([c.text for c in cut])) for one, cut in entries],
        embedder.model,
    )
    archive = Archive(library.database, 36500)
    answer = quotation("What did the bridge cost?", ARTICLES[0], QUOTE)
    assert archive.keep(replace(answer, id="ans_golden"))
    archive.add_feedback("ans_golden", "up", "helpful", "thanks")
    key = make_key("golden", ["ask"], (), datetime(2025, 8, 21, tzinfo=UTC))
    Keyring(library.database).add(key)
    with Receipts(library.database).claim(Repeatable("", "golden", b"digest"), "bridge"):
        pass
    library.close()


if __name__ == "__main__":
    file = GOLDEN / "new.db"
    write(file)
    packed = GOLDEN / f"v{len(MIGRATIONS)}.db.gz"
    packed.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
    file.unlink()
