"""Serving the application with uvicorn over a service that it opens and closes."""

from __future__ import annotations

import sys

import uvicorn

from api.app import create_app, public_url
from api.middleware import is_loopback
from rag.bootstrap import open_service
from rag.errors import SettingsError
from rag.settings import Settings


async def run_server(settings: Settings, host: str, port: int) -> int:
    """Serve until interrupted; 0 when it ended in order, 1 when it could not start.

    Raises `SettingsError` for an address that others could reach: nothing is protected by a key.
    """
    if not is_loopback(host):
        raise SettingsError(
            f"--host {host}: without keys the service listens on loopback only; "
            "serve on 127.0.0.1 and put a proxy that asks for credentials in front"
        )
    async with open_service(settings) as service:
        app = create_app(service, host=host, port=port)
        server = uvicorn.Server(
            uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False)
        )
        print(f"Dateline listens on {public_url(settings, host, port)}", file=sys.stderr)
        await server.serve()
        return 0 if server.started else 1
