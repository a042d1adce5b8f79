"""The only reader of the environment: every setting, its meaning and its default."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError

PREFIX = "DATELINE_"


def _env(name: str, *others: str) -> AliasChoices:
    return AliasChoices(PREFIX + name, *others)


class Settings(BaseSettings):
    """Dateline's settings, read from `DATELINE_…` variables and `.env`; secrets never print."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    data_dir: Path = Field(Path("data"), description="everything the service keeps")
    llm_base_url: str | None = Field(
        None,
        validation_alias=_env("LLM_BASE_URL", "OPENAI_BASE_URL"),
        description="an OpenAI-compatible endpoint",
    )
    llm_api_key: SecretStr | None = Field(
        None,
        validation_alias=_env("LLM_API_KEY", "OPENAI_API_KEY"),
        description="its key",
    )
    llm_model: str | None = Field(None, description="the LLM's name; none: extractive answers")
    llm_timeout_s: float = Field(60.0, gt=0, description="deadline of one LLM answer, seconds")
    prompt_tokens: int = Field(3000, ge=300, description="token budget of a prompt's passages")
    answer_tokens: int = Field(600, ge=16, description="most tokens that an LLM answer may have")
    embedding_model: str | None = Field(
        None, description="a sentence-transformers name or path; none: the packaged model"
    )
    reranker_model: str | None = Field(
        None, description="a sentence-transformers CrossEncoder name or path"
    )
    chroma_url: str | None = Field(None, description="a Chroma server instead of the embedded one")
    public_url: str | None = Field(None, description="the address under which readers reach us")
    allowed_origins: str = Field("", description="web origins that may embed the widget")
    max_file_mb: int = Field(200, ge=1, description="largest file taken in, in MB")
    max_article_chars: int = Field(2_000_000, ge=1, description="largest article taken in")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and `.env`; raises `SettingsError` naming the variable."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"{_variable(str(e['loc'][0]))}={e['input']!r}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(f"a setting cannot be used: {problems}") from None


def unknown_settings(environment: Mapping[str, str] = os.environ) -> list[str]:
    """One warning for each `DATELINE_…` name in the environment that no setting has."""
    known = sorted(_variable(name) for name in Settings.model_fields)
    warnings = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            warnings.append(f"unknown setting {name} is ignored; did you mean {nearest}?")
    return warnings


def _variable(field: str) -> str:
    """The environment variable of a field, given as its name or as its alias."""
    return field if field.isupper() else PREFIX + field.upper()
