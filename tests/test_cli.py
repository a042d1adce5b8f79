import asyncio
import codecs
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from api.encoders import answer_json
from rag.bootstrap import open_service
from rag.cli import app
from rag.settings import load_settings
from rag.storage.holder import hold
from tests.conftest import SEEDS, CopyOfSeeded
from tests.processes import COMMAND, ROOT, dateline, environment

COMMANDS = [
    ["ingest"],
    ["ask"],
    ["chat"],
    ["search"],
    ["serve"],
    ["eval"],
    ["reindex"],
    ["doctor"],
    ["backup"],
    ["restore"],
    ["feedback"],
    ["articles", "list"],
    ["articles", "show"],
    ["articles", "delete"],
    ["keys", "create"],
    ["keys", "list"],
    ["keys", "revoke"],
]
IDS = [" ".join(command) for command in COMMANDS]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("DATELINE_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Missing argument"),
        (["  "], "should not be blank"),
        (["x" * 2001], "at most 2000 characters"),
        (["x", "--from", "yesterday"], "--from: should be a date as YYYY-MM-DD"),
        (["x", "--to", "2025-13-01"], "--to: "),
        (["x", "--as-of", "2025-1-1"], "--as-of: should be a date as YYYY-MM-DD"),
        (["x", "--outlet", ""], "--outlet: "),
        (["x", "--from", "2025-02-02", "--to", "2025-01-01"], "should not be after"),
        (["x", "--form", "2025-02-02"], "No such option: --form"),
    ],
)
def test_wrong_usage_is_told_by_its_option(command: str, arguments: list[str], told: str) -> None:
    done = run(command, *arguments)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert not Path("data").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest"],
        ["search", "x", "--limit", "0"],
        ["serve", "--port", "70000"],
        ["eval", "--limit", "0"],
        ["eval", "--compare", "one.json"],
        ["eval", "seed", "--compare", "one.json", "other.json"],
        ["articles", "show"],
        ["articles", "delete"],
        ["backup"],
        ["restore"],
        ["anything"],
    ],
)
def test_other_wrong_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Error: " in done.stderr
    assert done.stdout == ""


def test_a_setting_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_MAX_FILE_MB", "many")
    for command in (["ask", "x"], ["serve"], ["articles", "list"], ["ingest", "x"], ["reindex"]):
        done = run(*command)
        assert done.exit_code == 1
        assert done.stderr.startswith("error: a setting cannot be used: DATELINE_MAX_FILE_MB=")
        assert "Traceback" not in done.output


def test_an_unknown_setting_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_DATADIR", "elsewhere")
    done = run("articles", "list", "--json")
    assert done.exit_code == 0
    assert "did you mean DATELINE_DATA_DIR?" in done.stderr
    assert json.loads(done.stdout) == {"articles": []}


def test_a_missing_path_fails_with_its_reason(tmp_path: Path) -> None:
    done = run("ingest", "nope.txt")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"not taken in {tmp_path}/nope.txt: does not exist\nArticles: 1 failed.\n"
    )


def test_an_ingest_s_report_as_json(tmp_path: Path) -> None:
    Path("empty.txt").touch()
    done = run("ingest", "--json", "empty.txt")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert report["failed"] == [{"source": f"{tmp_path}/empty.txt", "reason": "is empty"}]
    assert report["added"] == 0
    assert "Articles: 1 failed." in done.stderr


def test_an_unknown_article_fails_and_says_where_to_look() -> None:
    done = run("articles", "show", "nope")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no article has the id 'nope'")
    done = run("articles", "delete", "nope", "neither")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "Articles: 0 deleted."
    assert done.stderr.count("error: no article has the id") == 2


def test_an_empty_library_says_what_to_do() -> None:
    done = run("articles", "list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "the library is empty; take in articles first: dateline ingest PATH\n"


def test_without_feedback_it_says_where_it_comes_from() -> None:
    done = run("feedback")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "there is no feedback yet; clients give it by POST /v1/feedback\n"
    assert json.loads(run("feedback", "--json").stdout) == {"feedback": []}


def test_an_address_that_others_reach_is_refused() -> None:
    for host in ("0.0.0.0", "192.168.1.5", "::"):
        done = run("serve", "--host", host)
        assert done.exit_code == 1
        assert f"error: --host {host}: without keys" in done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=IDS)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    for flag in ("--help", "-h"):
        done = run(*command, flag)
        assert done.exit_code == 0
        assert "Example: " in done.stdout
        example = " ".join(done.stdout[done.stdout.index("Example: ") :].split())
        assert f"dateline {' '.join(command)}" in example
        assert done.stderr == ""


def test_every_command_is_tested() -> None:
    def names(group: typer.core.TyperGroup) -> list[list[str]]:
        return [
            [name, *deeper]
            for name, command in group.commands.items()
            for deeper in (names(command) if hasattr(command, "commands") else [[]])
        ]

    assert sorted(names(typer.main.get_command(app))) == sorted(COMMANDS)


def test_without_a_command_the_help_is_shown() -> None:
    done = run()
    assert done.exit_code == 2
    for command in COMMANDS:
        assert re.search(rf"^  {command[0]} ", done.output, re.MULTILINE)


def test_the_installed_command_is_this_one() -> None:
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="dateline")
    assert script.value == "rag.cli:main"


def test_help_and_wrong_usage_import_nothing_heavy() -> None:
    code = (
        "import sys, runpy\n"
        "def run(*arguments):\n"
        "    sys.argv = ['dateline', *arguments]\n"
        "    try: runpy.run_module('rag', run_name='__main__')\n"
        "    except SystemExit as end: return end.code\n"
        f"for command in {COMMANDS}:\n"
        "    assert run(*command, '--help') == 0\n"
        "assert run('ask', 'x', '--from', 'yesterday') == 2\n"
        "heavy = {'torch', 'sentence_transformers', 'chromadb', 'spacy', 'openai', 'fastapi',\n"
        "         'trafilatura', 'lxml', 'numpy'}\n"
        "print(*heavy & sys.modules.keys(), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stderr.splitlines()[-1] == ""


def test_a_directory_in_use_is_told_with_its_holder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with hold(data, "dateline serve"):
        for command in (["ask", "x"], ["ingest", SEEDS]):
            done = dateline(*command, data=data)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith(f"error: the data directory {data} is in use")
            assert f"`dateline serve` (process {os.getpid()}" in done.stderr


def test_a_reader_that_goes_away_is_no_failure_of_ours(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "articles", "list", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path / "data"),
    )
    assert process.stdout
    process.stdout.close()
    _, told = process.communicate()
    assert "Traceback" not in told


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_json_is_whole_in_every_encoding(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    told = "“Grüße” 🇮🇳"
    Path(f"{told}.txt").touch()
    done = subprocess.run(
        [*COMMAND, "ingest", "--json", f"{told}.txt"],
        capture_output=True,
        cwd=tmp_path,
        env=environment(tmp_path / "data"),
        check=False,
    )
    assert done.returncode == 1
    report = json.loads(codecs.decode(done.stdout, encoding))
    assert report["failed"][0]["source"] == f"{tmp_path}/{told}.txt"
    assert b"Traceback" not in done.stderr


def test_an_unreadable_page_is_told_once_and_in_our_words(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("just words")
    done = dateline("ingest", page, data=tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr == (
        f"not taken in {page}: has no article text that can be told from the rest; "
        "save its text as .txt\nArticles: 1 failed.\n"
    )


@pytest.mark.slow
def test_a_ctrl_c_ends_it_at_once_and_nothing_is_broken(tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(
        [*COMMAND, "ingest", str(SEEDS)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(data),
    )
    while not (data / "holder.json").exists():  # from then on it loads the model, for seconds
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=2)
    assert (process.returncode, told) == (130, "interrupted\n")
    assert dateline("articles", "list", data=data).returncode == 0


@pytest.mark.slow
def test_a_second_ingest_changes_nothing_and_says_so(copy_of_seeded: CopyOfSeeded) -> None:
    data = copy_of_seeded()
    done = dateline("ingest", SEEDS, data=data)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Articles: 1 unchanged.\n"


@pytest.mark.slow
def test_articles_are_listed_shown_and_deleted(
    copy_of_seeded: CopyOfSeeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATELINE_DATA_DIR", str(copy_of_seeded()))
    listed = run("articles", "list")
    article_id, rest = listed.stdout.rstrip("\n").split("  ", 1)
    assert rest.startswith("2025-08-21 · India and Russia")
    (article,) = json.loads(run("articles", "list", "--json").stdout)["articles"]
    assert article["id"] == article_id
    assert "text" not in article
    (seed,) = SEEDS.glob("*.txt")
    shown = json.loads(run("articles", "show", article_id, "--json").stdout)
    assert shown == {**article, "text": seed.read_text(encoding="utf-8")}
    assert seed.read_text(encoding="utf-8") in run("articles", "show", article_id).stdout
    deleted = run("articles", "delete", article_id, "nope")
    assert deleted.exit_code == 1
    assert deleted.stderr.splitlines()[-1] == "Articles: 1 deleted."
    assert json.loads(run("articles", "list", "--json").stdout) == {"articles": []}


@pytest.mark.slow
def test_an_answer_is_kept_and_its_feedback_printed(
    copy_of_seeded: CopyOfSeeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATELINE_DATA_DIR", str(copy_of_seeded()))
    question = "what did India say about terrorism?"
    answer = json.loads(run("ask", question, "--json").stdout)

    async def rate() -> object:
        async with open_service(load_settings()) as service:
            for number in range(501):  # more than a page
                await service.add_feedback(answer["id"], "down", "wrong", f"No.\n{number}\x1b[2J")
            return answer_json(await service.stored_answer(answer["id"]))

    assert asyncio.run(rate()) == answer
    feedback = json.loads(run("feedback", "--json").stdout)["feedback"]
    assert [one["note"] for one in feedback] == [f"No.\n{n}\x1b[2J" for n in range(500, -1, -1)]
    assert {one["question"] for one in feedback} == {question}
    printed = run("feedback").stdout.splitlines()
    assert printed[0].startswith("down ")
    assert printed[0].endswith(f" · {answer['id']} · {question}")
    assert printed[1:4] == ["     wrong", "     No.", "     500\N{REPLACEMENT CHARACTER}[2J"]


@pytest.mark.slow
def test_an_explained_search_has_the_contract_s_document_and_more(
    copy_of_seeded: CopyOfSeeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATELINE_DATA_DIR", str(copy_of_seeded()))
    plain = json.loads(run("search", "terrorism", "--limit", "1", "--json").stdout)
    explained = json.loads(run("search", "terrorism", "--limit", "1", "--json", "--explain").stdout)
    assert set(plain) == {"passages", "understood"}
    assert "understanding" in explained
    (passage,) = explained["passages"]
    assert isinstance(passage["explained"], dict)
    contract = {key: value for key, value in passage.items() if key != "explained"}
    assert plain["passages"] == [contract]
    assert " score " not in run("search", "terrorism", "--limit", "1").stdout
    told = run("search", "terrorism", "--limit", "1", "--explain", "--from", "2025-01-01").stdout
    assert told.startswith("published: from 2025-01-01\n")
    assert " score " in told


def test_saved_runs_are_compared_without_opening_a_library() -> None:
    done = run("eval", "--compare", "one.json", "other.json")
    assert done.exit_code == 1
    assert "error: one.json: cannot be read" in done.stderr
    assert not Path("data").exists()


def test_an_unknown_baseline_is_told_before_anything_is_taken_in() -> None:
    done = run("eval", "--baseline", "tfidf")
    assert done.exit_code == 1
    assert "known: bm25, dense, rrf" in done.stderr
    assert not Path("data").exists()
