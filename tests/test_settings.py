from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import Settings, load_settings, unknown_settings

SECRET = "sk-0123456789-secret"


@pytest.fixture(autouse=True)
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours or OpenAI's is set, and no `.env` is near."""
    import os

    for name in list(os.environ):
        if name.upper().startswith(("DATELINE_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATELINE_PROMPT_TOKENS", "lots"),
        ("DATELINE_ANSWER_TOKENS", "0"),
        ("DATELINE_PROMPT", "../answer"),
        ("DATELINE_LLM_TIMEOUT_S", "0"),
        ("DATELINE_LLM_TIMEOUT_S", "nan"),
        ("DATELINE_MAX_FILE_MB", "-1"),
        ("DATELINE_ANSWER_RETENTION_DAYS", "-1"),
        ("DATELINE_ANSWER_RETENTION_DAYS", "99999"),
        ("DATELINE_MAX_ARTICLE_CHARS", "2.5"),
        ("DATELINE_ALLOWED_ORIGINS", "https://a.example/page"),
        ("DATELINE_PUBLIC_PAGES", "perhaps"),
        ("DATELINE_KEY_RATE", "lots"),
        ("DATELINE_ADDRESS_RATE", "60/minute;1/second"),
        ("DATELINE_MAX_REQUESTS", "0"),
        ("DATELINE_CALLER_REQUESTS", "0"),
        ("DATELINE_TRUSTED_PROXIES", "10.0.0.2, proxy"),
        ("DATELINE_TRUSTED_PROXIES", "10.0.0.2/8"),
        ("DATELINE_ANSWER_DEADLINE_S", "0"),
        ("DATELINE_ANSWER_DEADLINE_S", "nan"),
        ("DATELINE_SHUTDOWN_GRACE_S", "-1"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}='{value}'"):
        load_settings()


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_PROMPT_TOKENS", "lots")
    Path(".env").write_text("DATELINE_MAX_FILE_MB=none\n")
    with pytest.raises(SettingsError, match=r"DATELINE_PROMPT_TOKENS.*; DATELINE_MAX_FILE_MB"):
        load_settings()


def test_an_env_file_that_is_no_text_is_told() -> None:
    Path(".env").write_bytes(b"DATELINE_LLM_MODEL=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load_settings()


def test_secrets_never_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_LLM_API_KEY", SECRET)
    monkeypatch.setenv("DATELINE_PROMPT_TOKENS", "3000")
    settings = load_settings()
    assert settings.llm_api_key
    assert settings.llm_api_key.get_secret_value() == SECRET
    assert SECRET not in f"{settings!r} {settings!s} {settings.model_dump()}"
    assert SECRET not in settings.model_dump_json()
    monkeypatch.setenv("DATELINE_PROMPT_TOKENS", "lots")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert SECRET not in str(caught.value)


def test_unknown_names_are_told_with_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_DATADIR", "/somewhere")
    monkeypatch.setenv("DATELINE_SERVICE_PORT", "tcp://10.0.0.1:80")
    Path(".env").write_text("DATELINE_LLM_MODLE=m\nDATELINE_LLM_MODEL=m\nOTHER=1\n")
    assert unknown_settings()[:2] == [
        "unknown setting DATELINE_DATADIR is ignored; did you mean DATELINE_DATA_DIR?",
        "unknown setting DATELINE_LLM_MODLE is ignored; did you mean DATELINE_LLM_MODEL?",
    ]
    assert unknown_settings()[2].startswith("unknown setting DATELINE_SERVICE_PORT is ignored")
    assert len(unknown_settings()) == 3
    assert load_settings().data_dir == Path("data")


def test_known_names_are_not_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"DATELINE_{name.upper()}", "1")
    monkeypatch.setenv("dateline_data_dir", "/somewhere")  # environments are case-insensitive here
    assert unknown_settings() == []


def test_defaults_are_the_documented_ones() -> None:
    settings = load_settings()
    assert settings.data_dir == Path("data")
    assert (settings.max_file_mb, settings.max_article_chars) == (200, 2_000_000)
    for unset in ("llm_base_url", "llm_api_key", "llm_model", "embedding_model", "reranker_model"):
        assert getattr(settings, unset) is None
    assert settings.chroma_url is settings.public_url is None
    assert settings.allowed_origins == ""
    assert settings.answer_retention_days == 30
    assert settings.public_pages
    assert settings.key_rate is settings.address_rate is settings.caller_requests is None
    assert settings.max_requests == 256
    assert (settings.answer_deadline_s, settings.shutdown_grace_s) == (90, 8)
    assert settings.trusted_proxies == ""


def test_proxies_are_read_however_they_are_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_TRUSTED_PROXIES", " 10.0.0.2, 172.16.0.0/12  ::1,")
    assert load_settings().trusted_proxies == "10.0.0.2/32,172.16.0.0/12,::1/128"


def test_none_is_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_KEY_RATE", "none")
    assert load_settings().key_rate == "none"


def test_the_env_file_is_read_and_the_environment_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text('DATELINE_LLM_MODEL=from-file\nDATELINE_DATA_DIR="my data" # here\n')
    assert load_settings().llm_model == "from-file"
    assert load_settings().data_dir == Path("my data")
    monkeypatch.setenv("DATELINE_LLM_MODEL", "from-environment")
    assert load_settings().llm_model == "from-environment"
    assert load_settings(llm_model="given").llm_model == "given"


def test_empty_values_count_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"DATELINE_{name.upper()}", "")
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    Path(".env").write_text("DATELINE_LLM_MODEL=from-file\n")
    assert load_settings() == Settings(_env_file=None, llm_model="from-file")


def test_openai_variables_fill_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1")
    Path(".env").write_text(f"OPENAI_API_KEY={SECRET}\n")
    settings = load_settings()
    assert settings.llm_base_url == "http://127.0.0.1:11434/v1"
    assert settings.llm_api_key
    assert settings.llm_api_key.get_secret_value() == SECRET
    assert settings.llm_model is None, "without a model's name the LLM path stays off"


def test_our_own_variables_go_before_openai_s_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://openai.example")
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    Path(".env").write_text(
        f"DATELINE_LLM_BASE_URL=http://ours.example\nDATELINE_LLM_API_KEY={SECRET}\n"
    )
    settings = load_settings()
    assert settings.llm_base_url == "http://ours.example"
    assert settings.llm_api_key
    assert settings.llm_api_key.get_secret_value() == SECRET


def test_a_data_directory_under_home_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ana")
    Path(".env").write_text("DATELINE_DATA_DIR=~/dateline\n")  # no shell expands this
    assert load_settings().data_dir == Path("/home/ana/dateline")
