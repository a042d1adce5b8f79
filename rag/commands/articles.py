"""`dateline articles`: list, show or delete stored articles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rag import options
from rag.commands.running import DONE, FAILED, hint_if_empty, printing, run, warn
from rag.errors import NotFoundError

if TYPE_CHECKING:
    from rag.commands.running import Reached
    from rag.types import Article

PAGE = 500

app = typer.Typer(help="List, show or delete stored articles.", no_args_is_help=True)


@app.command(name="list", epilog="Example: dateline articles list --json")
def list_articles(as_json: options.Json = False) -> None:
    """List every stored article."""
    from api.encoders import article_json
    from rag.terminal import print_articles

    async def read(service: Reached) -> list[Article]:
        await hint_if_empty(service)
        found, after = await service.article_page(None, PAGE)
        while after:
            page, after = await service.article_page(after, PAGE)
            found += page
        return found

    def encode(found: list[Article]) -> object:
        return {"articles": [article_json(article, text=False) for article in found]}

    run(read, printing(as_json, encode, print_articles))


@app.command(epilog="Example: dateline articles show art_0123456789abcdef")
def show(
    article_id: Annotated[str, typer.Argument(help="The article's id.")],
    as_json: options.Json = False,
) -> None:
    """Print one article."""
    from api.encoders import article_json
    from rag.terminal import print_article

    run(lambda service: service.article(article_id), printing(as_json, article_json, print_article))


@app.command(epilog="Example: dateline articles delete ID ID")
def delete(
    article_ids: Annotated[list[str], typer.Argument(help="The articles' ids.")],
) -> None:
    """Delete articles with everything derived from them."""

    async def forget(service: Reached) -> int:
        deleted = 0
        for article_id in article_ids:
            try:
                await service.delete_article(article_id)
                deleted += 1
            except NotFoundError as error:
                warn(f"error: {error}")
        return deleted

    run(
        forget,
        lambda deleted: warn(f"Articles: {deleted} deleted."),
        lambda deleted: DONE if deleted == len(article_ids) else FAILED,
    )
