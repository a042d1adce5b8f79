"""The only reader of the environment: every setting, its meaning and its default."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError
from rag.origins import web_origins

PREFIX = "DATELINE_"
ENV_FILE = ".env"
NO_LIMIT = "none"


def _rate(value: str) -> str:
    """The value, if it is a rate as the limits package reads them; raises ValueError if not."""
    from limits import parse_many  # slow to import, and seldom needed

    if value != NO_LIMIT and len(parse_many(value)) != 1:
        raise ValueError(f"should be one rate, as 60/minute, or {NO_LIMIT}")
    return value


def _networks(value: str) -> str:
    """Addresses and networks by commas; raises ValueError for anything else."""
    return ",".join(str(ipaddress.ip_network(one)) for one in re.split(r"[\s,]+", value) if one)


Rate = Annotated[str, AfterValidator(_rate)]

LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """Dateline's settings, read from `DATELINE_…` variables and `.env`; secrets never print."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        Path("data"), description="everything the service keeps"
    )
    llm_base_url: str | None = Field(None, description="an OpenAI-compatible endpoint")
    llm_api_key: SecretStr | None = Field(None, description="its key")
    llm_model: str | None = Field(None, description="the LLM's name; none: extractive answers")
    llm_timeout_s: float = Field(60.0, gt=0, description="deadline of one LLM answer, seconds")
    prompt: str = Field(
        "answer",
        pattern=r"^[a-z][a-z0-9_]*(\.[0-9][0-9a-z]*)?$",
        description="the prompt template, as answer.1; without a version the newest",
    )
    prompt_tokens: int = Field(3000, ge=300, description="token budget of a prompt's passages")
    answer_tokens: int = Field(600, ge=16, description="most tokens that an LLM answer may have")
    embedding_model: str | None = Field(
        None, description="a sentence-transformers name or path; none: the packaged model"
    )
    reranker_model: str | None = Field(
        None, description="a sentence-transformers CrossEncoder name or path"
    )
    reranker_budget_ms: int = Field(
        500, ge=1, description="time that it may take over a question's passages, milliseconds"
    )
    nli_model: str | None = Field(
        None, description="a CrossEncoder that has to agree to what is not verbatim, name or path"
    )
    chroma_url: str | None = Field(None, description="a Chroma server instead of the embedded one")
    public_url: str | None = Field(None, description="the address under which readers reach us")
    allowed_origins: Annotated[str, AfterValidator(web_origins)] = Field(
        "", description="web origins that may embed the widget, by spaces or commas"
    )
    public_pages: bool = Field(
        True, description="whether articles and answers can be read in a browser without a key"
    )
    max_file_mb: int = Field(200, ge=1, description="largest file taken in, in MB")
    max_article_chars: int = Field(2_000_000, ge=1, description="largest article taken in")
    key_rate: Rate | None = Field(
        None, description="requests of one key that ask or write, as 600/minute; or none"
    )
    address_rate: Rate | None = Field(
        None, description="requests of one address that ask or write, as 60/minute; or none"
    )
    max_requests: int = Field(256, ge=1, description="requests that ask or write under way at once")
    caller_requests: int | None = Field(None, ge=1, description="those of one key or address")
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "", description="addresses and networks whose X-Forwarded-For is believed"
    )
    answer_deadline_s: float = Field(
        90.0, gt=0, description="deadline of an answer with all it takes, seconds"
    )
    shutdown_grace_s: float = Field(
        8.0, ge=0, description="time that requests under way get when the service is told to end"
    )
    answer_retention_days: int = Field(
        30, ge=0, le=36_500, description="days that answers are kept; 0: none is"
    )
    log_format: LogFormat | None = Field(
        None, description="form of the server's log; none: console on a terminal, else json"
    )
    log_level: LogLevel = Field("info", description="the least that the server's log tells")


class _OpenAISettings(BaseSettings):
    """What the openai package reads; it fills in where our own variables are silent."""

    model_config = SettingsConfigDict(
        env_prefix="OPENAI_", env_file=ENV_FILE, env_ignore_empty=True, extra="ignore"
    )

    base_url: str | None = None
    api_key: SecretStr | None = None


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and `.env`; raises `SettingsError` naming the variable."""
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
        theirs = _OpenAISettings()
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{str(e['loc'][0]).upper()}={e['input']!r}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(f"a setting cannot be used: {problems}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{ENV_FILE} cannot be read: {error}") from None
    fill_in = {
        "llm_base_url": settings.llm_base_url or theirs.base_url,
        "llm_api_key": settings.llm_api_key or theirs.api_key,
    }
    return settings.model_copy(update=fill_in)


def unknown_settings() -> list[str]:
    """One warning for each `DATELINE_…` name, in the environment or `.env`, that no setting has."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    warnings = []
    for name in sorted(os.environ.keys() | dotenv_values(ENV_FILE).keys()):
        if name.startswith(PREFIX) and name.upper() not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            warnings.append(f"unknown setting {name} is ignored; did you mean {nearest}?")
    return warnings
