"""Serving the application with uvicorn over a service that it opens and closes."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import uvicorn
from sse_starlette.sse import AppStatus

from api import logs
from api.app import create_app, public_url
from api.ending import Ending
from api.middleware import is_loopback
from rag.bootstrap import open_held, open_keyring
from rag.errors import SettingsError
from rag.service import Service
from rag.settings import Settings
from rag.storage.holder import Door, hold

FAREWELL_S = 2
"""So long may the last of what was answered take to reach its clients."""


async def run_server(settings: Settings, host: str, port: int, *, allow_open: bool = False) -> int:
    """Serve until told to end by SIGINT or SIGTERM, then close in order; 0. Port 0 is any free one.

    Requests under way then have the settings' grace to end, until a second signal.
    Raises `SettingsError` for an address that is taken, or that others could reach while there is
    no key, unless `allow_open`.
    """
    if not (is_loopback(host) or allow_open):
        _require_key(settings, host)
    with _listen(host, port) as listener:
        address, port = listener.getsockname()[:2]
        door = Door.at(address, port)
        async with _opened(settings, door) as service:
            app = create_app(service, host=host, port=port, allow_open=allow_open, door=door)
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies,
                timeout_graceful_shutdown=FAREWELL_S,
            )
            # sse-starlette would cut streams off at the first signal, without their terminal event.
            AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
            logs.configure(settings.log_format, settings.log_level)
            service.warm_up()
            print(f"Dateline listens on {public_url(settings, host, port)}", file=sys.stderr)
            with _survive_signals():
                await _Server(config, app.state.ending, settings.shutdown_grace_s).serve(
                    sockets=[listener]
                )
    return 0


class _Server(uvicorn.Server):
    """uvicorn, which closes its socket only when the requests under way have ended.

    Until then `/readyz` tells load balancers, whose next look may take a while, where not to go.
    """

    def __init__(self, config: uvicorn.Config, ending: Ending, grace_s: float) -> None:
        super().__init__(config)
        self._ending = ending
        self._grace_s = grace_s
        self._since: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; at once, if that has begun before."""
        if self._ending.began:
            self._grace_s = 0
        else:
            self._ending.begin()
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether it is time to close, asked ten times a second."""
        if not await super().on_tick(counter):
            return False
        now = asyncio.get_running_loop().time()
        self._since = self._since or now
        if not self.server_state.tasks:
            return True
        if now < self._since + self._grace_s:
            return False
        self._ending.cut()
        return True


@asynccontextmanager
async def _opened(settings: Settings, door: Door) -> AsyncIterator[Service]:
    """The service, with its door open to this machine's commands. Those that come before it
    listens wait."""
    with hold(settings.data_dir) as held:
        held.announce(door)
        async with open_held(settings) as service:
            yield service


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
