"""Commands on the library as a whole: `dateline doctor` and `dateline reindex`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from rag import options
from rag.commands.running import DONE, FAILED, exit_with, print_json, read_settings, run_alone
from rag.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.doctor import Finding
    from rag.service import Service

app = typer.Typer()


@app.command(epilog="Example: DATELINE_EMBEDDING_MODEL=intfloat/e5-small-v2 dateline reindex")
def reindex() -> None:
    """Encode the library anew under the embedding model of the settings."""
    from rag.terminal import progress, stderr

    async def encode(service: Service) -> None:
        with progress("Reindexing", stderr()) as tell:
            await service.reindex(tell)

    run_alone(encode, lambda _: None)


@app.command(epilog="Example: dateline doctor --json")
def doctor(as_json: options.Json = False) -> None:
    """Tell what state settings, library, index and model are in, and mend what can be.

    Exits 0 if all is well, be it by now. Nothing that you put in is ever deleted.
    """

    async def told() -> int:
        from rag.terminal import print_findings, stdout

        findings = []
        for finding in _findings():
            findings.append(finding)
            if not as_json:
                print_findings([finding], stdout())
        healthy = all(finding.state != "problem" for finding in findings)
        if as_json:
            print_json({"healthy": healthy, "findings": [asdict(one) for one in findings]})
        return DONE if healthy else FAILED

    exit_with(told())


def _findings() -> Iterator[Finding]:
    from rag.doctor import Finding, examine
    from rag.terminal import progress, stderr

    try:
        settings = read_settings()
    except SettingsError as error:
        yield Finding("settings", "problem", str(error), "set it right in the environment or .env")
        return
    yield Finding("settings", "ok", "can be used")
    with progress("Mending", stderr()) as tell:
        yield from examine(settings, progress=tell)
