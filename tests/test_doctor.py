import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rag.backup import INDEX, LIBRARY, back_up
from rag.doctor import Finding, examine
from rag.errors import LibraryError
from rag.settings import Settings
from rag.storage.holder import hold
from rag.storage.integrity import inspect
from rag.types import Article, Question
from tests.fakes import FakeEmbedder
from tests.processes import dateline
from tests.test_backup import flip
from tests.wired import BRIDGE, wired

RAIN = Article("rain", "Rain fell on the market in Österreich.\n")


def examined(data: Path, embedder: FakeEmbedder | None = None) -> dict[str, Finding]:
    """What was found of each part; of several findings the worst."""
    settings = Settings(_env_file=None, data_dir=data, chroma_url=None)
    order = ["ok", "note", "repaired", "problem"]
    found = sorted(
        examine(settings, embedder or FakeEmbedder()), key=lambda one: order.index(one.state)
    )
    return {one.part: one for one in found}


def states(data: Path) -> dict[str, str]:
    return {part: one.state for part, one in examined(data).items()}


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A library of two articles, closed in order."""
    async with wired(tmp_path / "data", BRIDGE, RAIN):
        pass
    return tmp_path / "data"


def execute(data: Path, *statements: str) -> None:
    """Change the library as no user can: without its triggers."""
    with closing(sqlite3.connect(data / LIBRARY, isolation_level=None)) as db:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            (sql,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", [name]).fetchone()
            statements = (f"DROP TRIGGER {name}", *statements, sql)
        for statement in statements:
            db.execute(statement)


SOUND = {"directory": "ok", "library": "ok", "model": "ok", "index": "ok"}


def test_a_sound_directory_is_told_as_such(data: Path) -> None:
    assert states(data) == SOUND
    assert examined(data)["library"].detail == "2 articles in 2 chunks, as written"


def test_what_is_not_there_yet_is_no_problem_and_is_not_made(tmp_path: Path) -> None:
    assert states(tmp_path / "nowhere") == {"directory": "note"}
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "empty").mkdir()
    assert states(tmp_path / "empty") == {"directory": "ok", "library": "note"}


# What cannot be mended is named, and the backup offered


def test_a_damaged_article_is_named_and_the_newest_backup_offered(data: Path) -> None:
    text = BRIDGE.text.encode()
    flip(data / LIBRARY, text)
    found = examined(data)["library"]
    assert found.state == "problem"
    assert found.detail == "damaged: article bridge: its text or metadata"
    assert "none is known" in (found.remedy or "")
    assert "dateline articles delete bridge" in (found.remedy or "")
    flip(data / LIBRARY, bytes([text[0] ^ 1]) + text[1:])
    snapshot = back_up(data, data.parent / "backup.db")
    flip(data / LIBRARY, text)
    remedy = examined(data)["library"].remedy or ""
    assert f"dateline restore {data.parent}/backup.db --force" in remedy
    assert snapshot.created_at in remedy


async def test_other_damage_is_named(data: Path) -> None:
    async with wired(data) as service:
        async for event in service.answer(Question("What did the harbour bridge cost in all?")):
            last = event
        await service.add_feedback(last.answer.id, "up", None, "a note")  # type: ignore[union-attr]
    for statement, named in (
        ("UPDATE answers SET answer = replace(answer, '84', '48')", f"answer {last.answer.id}"),  # type: ignore[union-attr]
        ("UPDATE feedback SET note = 'another'", "feedback fb_"),
        ("UPDATE meta SET value = '9' WHERE key = 'revision'", "note of “revision”"),
        ("DELETE FROM feedback", "feedback 1 (lost)"),
        ("PRAGMA user_version = 5", "the steps to its schema version 5"),
        ("DROP INDEX articles_by_day", "the definition of articles_by_day"),
        ("DELETE FROM articles WHERE id = 'rain'", "has no row in articles"),
    ):
        copy = shutil.copytree(data, data.parent / "copy")
        execute(copy, statement)
        found = [one for one in examine_all(copy) if one.state == "problem"]
        assert any(named in one.detail for one in found), (statement, found)
        assert all("dateline restore" in (one.remedy or "") for one in found)
        shutil.rmtree(copy)


def examine_all(data: Path) -> list[Finding]:
    settings = Settings(_env_file=None, data_dir=data, chroma_url=None)
    return list(examine(settings, FakeEmbedder()))


@pytest.mark.parametrize("what", ["gone", "empty", "noise"])
async def test_a_library_that_cannot_be_opened_is_told_with_its_backup(
    data: Path, what: str
) -> None:
    file = data.parent / "backup.db"
    back_up(data, file)
    if what == "gone":
        (data / LIBRARY).unlink()
    else:
        (data / LIBRARY).write_bytes(b"" if what == "empty" else b"noise, no library" * 999)
    found = examined(data)["library"]
    assert found.state == "problem"
    assert f"dateline restore {file} --force" in (found.remedy or "")
    with pytest.raises(LibraryError):
        async with wired(data):
            pass
    assert (data / INDEX).is_dir()
    if what != "noise":
        assert "tell that there was one" in found.detail


# What can be mended is


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE chunks SET end = end - 3 WHERE id LIKE 'chk%'",
        "UPDATE vectors SET vector = zeroblob(64)",
        "DELETE FROM vectors",
        "UPDATE articles SET ingested_at = 'never'",
        "UPDATE words_data SET block = zeroblob(60) WHERE id > 10",
        "UPDATE words_content SET c1 = 'cricket'",
    ],
)
async def test_what_is_made_of_articles_is_made_anew(data: Path, statement: str) -> None:
    execute(data, statement)
    assert states(data)["library"] == "repaired"
    assert states(data) == SOUND
    async with wired(data) as service:
        found = await service.search(Question("What did the harbour bridge cost in all?"), 3)
        assert found.passages[0].text == BRIDGE.text.strip()
        assert found.path == "index"
        assert await service.article("bridge") == BRIDGE


def test_an_index_of_sqlite_s_own_is_made_anew(data: Path) -> None:
    with closing(sqlite3.connect(data / LIBRARY, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'published_day)', 'id)') "
            "WHERE name = 'articles_by_day'"
        )
    with closing(sqlite3.connect(data / LIBRARY, isolation_level=None)) as db:
        db.execute("REINDEX articles_by_day")
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, '(id)', '(published_day)') "
            "WHERE name = 'articles_by_day'"
        )
    with closing(sqlite3.connect(data / LIBRARY, isolation_level=None)) as db:
        assert " index articles_by_day" in inspect(db)[0].what
    assert states(data)["library"] == "repaired"
    assert states(data) == SOUND


@pytest.mark.slow
def test_a_damaged_index_is_built_anew(data: Path) -> None:
    for file in (data / INDEX).rglob("chroma.sqlite3"):
        file.write_bytes(b"damaged" * 1000)
    found = examined(data)["index"]
    assert found.state == "repaired"
    assert states(data) == SOUND


# Beside others, and where nothing can be written


def test_beside_a_process_that_holds_the_directory_it_looks_and_repairs_nothing(
    data: Path,
) -> None:
    with hold(data, "dateline serve"):
        assert states(data) == {"directory": "ok", "holder": "note", "library": "ok"}
        execute(data, "UPDATE vectors SET vector = zeroblob(64)")
        found = examined(data)
        assert found["library"].state == "problem"
        assert "while no process holds" in (found["library"].remedy or "")
    assert states(data)["library"] == "repaired"


def test_another_model_is_told(data: Path) -> None:
    found = examined(data, FakeEmbedder("other"))
    assert found["model"].state == "problem"
    assert "dateline reindex" in (found["model"].remedy or "")
    refused = examined(data, FakeEmbedder(refused="news"))
    assert refused["index"].state == "ok"


# The command


@pytest.mark.slow
def test_the_command_tells_and_exits_as_it_should(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = dateline("doctor", data=data)
    assert (done.returncode, done.stdout.split()[0]) == (0, "ok")
    (tmp_path / "news.txt").write_text(RAIN.text)
    assert dateline("ingest", tmp_path / "news.txt", data=data).returncode == 0
    done = dateline("doctor", "--json", data=data)
    told = json.loads(done.stdout)
    assert (done.returncode, told["healthy"]) == (0, True)
    assert {one["part"]: one["state"] for one in told["findings"]} == {"settings": "ok", **SOUND}
    flip(data / LIBRARY, RAIN.text.encode())
    done = dateline("doctor", data=data)
    assert done.returncode == 1
    assert "problem" in done.stdout
    done = dateline("doctor", data=data, DATELINE_MAX_FILE_MB="many")
    assert done.returncode == 1
    assert "DATELINE_MAX_FILE_MB" in done.stdout
