"""Commands on the library as a whole: `dateline reindex`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rag.commands.running import run_alone

if TYPE_CHECKING:
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
