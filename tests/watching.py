"""A browser's page that is watched: whatever goes wrong in it is written down."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000
REFUSED = "Failed to load resource"
"""What the console says of a response that is an error: no fault of the page."""

_NOTE_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  violations.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
"""


@dataclass
class Watch:
    """What went wrong, and where requests went."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def elsewhere(self) -> list[str]:
        """The requests to other machines."""
        inside = ("127.0.0.1", "localhost")
        return [url for url in self.requests if urlsplit(url).hostname not in inside]

    def forget(self) -> None:
        """All that went wrong so far was wanted."""
        self.complaints.clear()
        self.requests.clear()

    def on_console(self, message: ConsoleMessage) -> None:
        """Write down an error or a warning."""
        if message.type in ("error", "warning") and not message.text.startswith(REFUSED):
            self.complaints.append(f"{message.type}: {message.text}")

    def on_dialog(self, dialog: Dialog) -> None:
        """Write down a dialog, and have it out of the way."""
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def on_request(self, request: Request) -> None:
        """Write down where a request goes."""
        self.requests.append(request.url)


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[tuple[Page, Watch]]:
    """A new page that shares nothing with others; it fails at its end if anything went wrong."""
    given = {"viewport": {"width": 1200, "height": 900}, "locale": "en-GB", **options}
    context = browser.new_context(**given)
    context.add_init_script(_NOTE_VIOLATIONS)
    watch = Watch()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    context.on("console", watch.on_console)
    context.on("request", watch.on_request)
    context.on("weberror", lambda error: watch.complaints.append(f"thrown: {error.error}"))
    context.on("dialog", watch.on_dialog)
    try:
        yield page, watch
        watch.complaints += page.evaluate("window.violations ?? []")
    finally:
        context.close()
    assert watch.complaints == []
    assert watch.elsewhere() == []
