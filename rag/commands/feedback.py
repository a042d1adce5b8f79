"""`dateline feedback`: what readers said of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rag import options
from rag.commands.running import printing, run, warn

if TYPE_CHECKING:
    from rag.commands.running import Reached
    from rag.storage.feedback import Feedback

PAGE = 500

app = typer.Typer()


@app.command(epilog="Example: dateline feedback --json")
def feedback(as_json: options.Json = False) -> None:
    """Print what readers said of answers, the newest first."""
    from api.encoders import feedback_json
    from rag.terminal import print_feedback

    async def read(service: Reached) -> list[Feedback]:
        found, after = await service.feedback_page(None, PAGE)
        while after:
            page, after = await service.feedback_page(after, PAGE)
            found += page
        if not found:
            warn("there is no feedback yet; clients give it by POST /v1/feedback")
        return found

    def encode(found: list[Feedback]) -> object:
        return {"feedback": [feedback_json(one) for one in found]}

    run(read, printing(as_json, encode, print_feedback))
