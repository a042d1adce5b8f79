"""Serving the application with uvicorn over a service that it opens and closes."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from api import logs
from api.app import create_app, public_url
from api.middleware import is_loopback
from rag.bootstrap import open_keyring, open_service
from rag.errors import SettingsError
from rag.settings import Settings

GRACE_S = 3
"""So long may a request under way go on once the service is told to end."""


async def run_server(settings: Settings, host: str, port: int, *, allow_open: bool = False) -> int:
    """Serve until told to end by SIGINT or SIGTERM, then close in order; 0. Port 0 is any free one.

    Raises `SettingsError` for an address that is taken, or that others could reach while there is
    no key, unless `allow_open`.
    """
    if not (is_loopback(host) or allow_open):
        _require_key(settings, host)
    with _listen(host, port) as listener:
        port = listener.getsockname()[1]
        async with open_service(settings) as service:
            config = uvicorn.Config(
                create_app(service, host=host, port=port, allow_open=allow_open),
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
            logs.configure(settings.log_format, settings.log_level)
            service.warm_up()
            print(f"Dateline listens on {public_url(settings, host, port)}", file=sys.stderr)
            with _survive_signals():
                await uvicorn.Server(config).serve(sockets=[listener])
    return 0


def _require_key(settings: Settings, host: str) -> None:
    with open_keyring(settings) as keys:
        if not keys.exist():
            raise SettingsError(
                f"--host {host}: without keys the service listens on loopback only; make one "
                "first (dateline keys create --name NAME), or serve everybody with --allow-open"
            )


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; requests that come before the service is open wait."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}, port {port}: {str(error.strerror).partition(' (')[0]}; "
            "end what listens there, or choose another with --port"
        ) from None


@contextmanager
def _survive_signals() -> Iterator[None]:
    """uvicorn raises the signal that ended it once more; that would end us before all is closed."""
    ending = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: None) for one in ending}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
