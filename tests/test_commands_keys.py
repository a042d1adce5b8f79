"""`dateline keys`, and where the service may listen."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from rag.cli import app
from rag.storage.holder import hold
from tests.processes import dateline, serving


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("DATELINE_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def listed() -> list[dict]:
    return json.loads(run("keys", "list", "--json").stdout)["keys"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--name"),
        (["--name", " "], "a name has"),
        (["--name", "x", "--scope", "all"], "ask, read, write, admin"),
        (["--name", "x", "--origin", "news.example"], "no web origin"),
        (["--name", "x", "--origin", "https://a.example", "--scope", "read"], "scope ask only"),
        (["--name", "x", "--expires", "soon"], "YYYY-MM-DD"),
        (["--name", "x", "--expires", "2020-02-30"], "YYYY-MM-DD"),
        (["--name", "x", "--expires", "9999-12-31"], "YYYY-MM-DD"),
        (["--name", "x", "--expires", "2020-02-20"], "future"),
        (["--name", "x", "--expires", "0"], "future"),
    ],
)
def test_wrong_usage_makes_no_key(arguments: list[str], told: str) -> None:
    done = run("keys", "create", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.split())
    assert not Path("data").exists()


def test_an_unknown_key_is_not_revoked() -> None:
    done = run("keys", "revoke", "key_0")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no key has the id 'key_0'")


def test_a_key_is_shown_once() -> None:
    done = run("keys", "create", "--name", "laptop", "--scope", "write", "--scope", "read")
    assert done.exit_code == 0
    token = done.stdout.removesuffix("\n")
    assert token.startswith("sk_")
    assert len(token.split()) == 1
    assert token not in done.stderr
    secret = token.split("_", 2)[2]
    for told in (run("keys", "list"), run("keys", "list", "--json")):
        assert secret not in told.output
    (key,) = listed()
    assert (key["name"], key["kind"], key["scopes"]) == ("laptop", "secret", ["read", "write"])
    assert (key["state"], key["expires_at"], key["last_used"]) == ("active", None, None)
    assert run("keys", "list").stdout == f"{key['id']}  active · read+write · laptop\n"


def test_a_publishable_key_is_made_for_its_origins() -> None:
    done = run(
        *("keys", "create", "--name", "site", "--expires", "9998-01-31", "--json"),
        *("--origin", "https://News.example/", "--origin", "http://localhost:3000"),
    )
    made = json.loads(done.stdout)
    assert made.pop("key").startswith("pk_")
    assert (made["kind"], made["scopes"]) == ("publishable", ["ask"])
    assert made["origins"] == ["https://news.example", "http://localhost:3000"]
    assert made["expires_at"] == "9998-02-01T00:00:00+00:00"  # good all through the last day
    assert listed() == [{**made, "state": "active"}]


def test_a_revoked_key_stays_listed() -> None:
    made = json.loads(run("keys", "create", "--name", "x", "--json").stdout)
    for _ in range(2):
        done = run("keys", "revoke", made["id"])
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr == f"Keys: {made['id']} revoked.\n"
    assert json.loads(run("keys", "revoke", made["id"], "--json").stdout)["revoked_at"]
    assert [key["state"] for key in listed()] == ["revoked"]


def test_keys_are_made_while_the_directory_is_in_use() -> None:
    run("keys", "list")
    with hold(Path("data"), "dateline serve"):
        assert run("keys", "create", "--name", "x").exit_code == 0
        assert len(listed()) == 1


def test_an_address_that_others_reach_is_taken_once_there_is_a_key_or_the_wish() -> None:
    def refusal(*more: str) -> str:
        return run("serve", "--host", "192.0.2.1", *more).stderr  # nobody has it: RFC 5737

    assert "dateline keys create" in refusal()
    assert "--allow-open" in refusal()
    assert "cannot listen on 192.0.2.1" in refusal("--allow-open")
    run("keys", "create", "--name", "x")
    assert "cannot listen on 192.0.2.1" in refusal()


@pytest.mark.slow
def test_a_server_honours_keys_that_are_made_and_revoked_beside_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as served, httpx.Client(base_url=served.url) as http:
        assert http.get("/v1/articles").status_code == 200
        made = dateline("keys", "create", "--name", "x", "--scope", "read", "--json", data=data)
        key = json.loads(made.stdout)
        headers = {"Authorization": f"Bearer {key['key']}"}
        assert http.get("/v1/articles").status_code == 401
        assert http.get("/v1/articles", headers=headers).status_code == 200
        assert dateline("keys", "revoke", key["id"], data=data).returncode == 0
        assert http.get("/v1/articles", headers=headers).status_code == 401
    assert key["key"] not in "".join(served.said)
