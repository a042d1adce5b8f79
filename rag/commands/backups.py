"""`dateline backup` and `dateline restore`: the library in one file, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag import options
from rag.commands.running import DONE, exit_with, print_json, read_settings, warn

if TYPE_CHECKING:
    from rag.backup import Snapshot
    from rag.ports import Progress

Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]

app = typer.Typer()


@app.command(epilog="Example: dateline backup /backups/dateline-2031-01-01.db")
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Save the whole library to a file, also while a server uses it, and check what was saved."""

    def save(directory: Path, tell: Progress) -> Snapshot:
        from rag.backup import back_up

        return back_up(directory, file, force=force, progress=tell)

    _run("Saving", save, as_json, "saved to")


@app.command(epilog="Example: dateline restore /backups/dateline-2031-01-01.db --force")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `dateline backup` wrote.")],
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Put a backup in the place of the library, once it is checked. The index is built anew."""

    def put_back(directory: Path, tell: Progress) -> Snapshot:
        from rag.backup import restore

        return restore(directory, file, force=force, progress=tell)

    _run("Restoring", put_back, as_json, "restored from")


def _run(label: str, work: Callable[[Path, Progress], Snapshot], as_json: bool, done: str) -> None:
    """Do the work on the settings' data directory, and tell what it did."""

    async def told() -> int:
        from rag.terminal import progress, stderr

        settings = read_settings()
        with progress(label, stderr()) as tell:
            snapshot = work(settings.data_dir, tell)
        if as_json:
            print_json(asdict(snapshot))
        size = snapshot.bytes / 1_000_000
        warn(
            f"Articles: {snapshot.articles} in {snapshot.chunks} chunks, {size:.1f} MB, "
            f"{done} {snapshot.file} (SHA-256 {snapshot.sha256})."
        )
        return DONE

    exit_with(told())
