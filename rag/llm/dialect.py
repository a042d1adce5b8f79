"""The parameters that an endpoint takes: there are as many dialects as there are servers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Dialect:
    """The parameters an endpoint takes; one that it rejects by name is not sent again."""

    length: str
    swapped: bool = False
    usage: bool = True
    temperature: bool = True

    def request(
        self, model: str, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> dict[str, Any]:
        """What the client is to send."""
        chat = [{"role": role, "content": content} for role, content in messages]
        request = {"model": model, "messages": chat, "stream": True, self.length: max_tokens}
        if self.temperature:
            request["temperature"] = 0
        if self.usage:
            request["stream_options"] = {"include_usage": True}
        return request

    def adapted(self, error: Exception) -> Dialect | None:
        """The dialect without what the endpoint complains of; None if that is something else."""
        from openai import APIStatusError

        if not isinstance(error, APIStatusError) or error.status_code not in (400, 422):
            return None
        complaint = str(error.body or error.message)
        if self.usage and re.search("stream_options|include_usage", complaint):
            return replace(self, usage=False)
        if not self.swapped and self.length in complaint:
            other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
            return replace(self, length=other[self.length], swapped=True)
        if self.temperature and "temperature" in complaint:
            return replace(self, temperature=False)
        return None


def dialect_of(base_url: str) -> Dialect:
    """OpenAI's newer models reject max_tokens; other servers may ignore max_completion_tokens."""
    host = urlsplit(base_url).hostname or ""
    return Dialect("max_completion_tokens" if host.endswith("openai.com") else "max_tokens")
