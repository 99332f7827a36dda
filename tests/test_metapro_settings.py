"""METAPRO_… settings: presets, knobs, what does not fit, and that no secret is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from launcher.metapro import MetaproMisconfigured, MetaproSettings
from launcher.metapro.settings import MAIN_NETWORKS, SERVICES, TEST_NETWORKS

IDS = {"project_id": "p", "platform_id": "f", "bot_name": "demo_bot"}
CANARY = "CaNaRy0123456789"


def made(**said: Any) -> MetaproSettings:
    return MetaproSettings(_env_file=None, **said)


@pytest.mark.parametrize(
    ("environment", "service", "url"),
    [
        ("test", "users", "https://test-api.metaproprotocol.com/ms/users-service"),
        ("test", "nft", "https://test-api.metaproprotocol.com/ms/nft"),
        ("test", "leaderboard", "https://test-api.metaproprotocol.com/ms/leaderboard"),
        ("test", "teams", "https://test-api.metaproprotocol.com/ms/teams"),
        ("production", "users", "https://api.metaproprotocol.com/users-service"),
        ("production", "nft", "https://api.metaproprotocol.com/ms/nft"),
        ("production", "leaderboard", "https://api.metaproprotocol.com/ms/leaderboard"),
        ("production", "teams", "https://api.metaproprotocol.com/ms/teams"),
    ],
)
def test_each_service_has_its_preset(environment: Any, service: str, url: str) -> None:
    assert made(environment=environment).url(service) == url
    assert made(environment=environment, **{f"{service}_url": "https://own.example/x/"}).url(service) == (
        "https://own.example/x"
    )


def test_the_test_environment_is_the_default_and_the_referral_service_is_not_public() -> None:
    assert made().environment == "test"
    with pytest.raises(MetaproMisconfigured, match="METAPRO_REFERRAL_URL"):
        made().url("referral")


def test_networks_are_those_of_the_environment_unless_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert made().chain_ids == TEST_NETWORKS
    assert made(environment="production").chain_ids == MAIN_NETWORKS
    monkeypatch.setenv("METAPRO_CHAIN_IDS", "56, 97")
    assert made().chain_ids == (56, 97)


def test_knobs_are_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAPRO_TELEGRAM_LOGIN__PATH", "/v3/login")
    monkeypatch.setenv("METAPRO_TELEGRAM_LOGIN__EXTRA_HEADERS", '{"x-one": "1"}')
    login = made().telegram_login
    assert (login.path, login.extra_headers, login.token_path) == (
        "/v3/login", {"x-one": "1"}, "token.accessToken",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CHAIN_IDS", "56,bnb", "CHAIN_IDS"),
        ("CHAIN_IDS", ",", "CHAIN_IDS"),
        ("ENVIRONMENT", "prod", "ENVIRONMENT"),
        ("TIMEOUT", "0", "TIMEOUT"),
        ("TELEGRAM_LOGIN", "{path", "TELEGRAM_LOGIN is no JSON"),
        ("TELEGRAM_LOGIN__PTH", "/x", "TELEGRAM_LOGIN__PTH"),
    ],
)
def test_a_value_that_does_not_fit_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"METAPRO_{name}", value)
    with pytest.raises(MetaproMisconfigured, match=f"METAPRO_{words}"):
        made()


def test_a_wrong_environment_is_all_that_is_told() -> None:
    with pytest.raises(MetaproMisconfigured) as failure:
        made(environment="prod")
    assert failure.value.meaning == "METAPRO_ENVIRONMENT: Input should be 'test' or 'production'."


def test_a_line_in_the_file_that_is_no_setting_is_told(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("METAPRO_PROJECT_ID=p\nwhat is this\n")
    with pytest.raises(MetaproMisconfigured, match="line 2"):
        MetaproSettings(_env_file=file)


def test_everything_that_is_missing_is_told_at_once() -> None:
    assert len(made().check()) == 3
    assert made(**IDS).check() == []
    assert "METAPRO_BOT_NAME" in " ".join(made(project_id="p", platform_id="f").check())


LOCAL = "http://127.0.0.1:8080"
MIXED: list[dict[str, Any]] = [
    {"users_url": "https://api.metaproprotocol.com/users-service"},
    {"users_url": "https://API.metaproprotocol.com./users-service"},
    {"environment": "production", "nft_url": "https://test-api.metaproprotocol.com/ms/nft"},
    {"environment": "production", "nft_url": "https://uat-api.metaproprotocol.com/ms/nft"},
    {"environment": "production", "nft_url": "https://test-api.coinswap.space/ms/nft"},
    {"users_url": LOCAL},
    {f"{service}_url": LOCAL for service in SERVICES} | {"referral_url": "https://own.example"},
]


@pytest.mark.parametrize("said", MIXED, ids=range(len(MIXED)))
def test_environments_are_never_mixed(said: dict[str, Any]) -> None:
    assert len(made(**IDS, **said).check()) == 1
    assert made(**said).misfits()


FITTING: list[dict[str, Any]] = [
    {"leaderboard_url": "https://uat-api.metaproprotocol.com/ms/leaderboard"},
    {"users_url": "https://test-api.coinswap.space/users-service"},
    {"referral_url": "https://own.example/referral"},
    {f"{service}_url": LOCAL for service in SERVICES},
    {f"{service}_url": LOCAL for service in SERVICES if service != "referral"},
    {"environment": "production", **{f"{service}_url": LOCAL for service in SERVICES}},
    {"environment": "production", "users_url": "https://api.metaproprotocol.com/ms/users-service"},
]


@pytest.mark.parametrize("said", FITTING, ids=range(len(FITTING)))
def test_what_belongs_together_fits(said: dict[str, Any]) -> None:
    assert made(**IDS, **said).check() == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"users_url": "metaproprotocol.com"}, "METAPRO_USERS_URL is no http"),
        ({"users_url": "http://[::1"}, "METAPRO_USERS_URL is no http"),
        ({"nft_url": f"https://name:{CANARY}@own.example/nft"}, "METAPRO_NFT_URL holds a name or a password"),
        ({"api_key": CANARY}, "METAPRO_API_KEY_PLACE to header or body"),
        ({"api_key_place": "header"}, "METAPRO_API_KEY is not set"),
        ({"wallet_key": CANARY}, "METAPRO_WALLET_KEY is not 64 hexadecimal digits"),
        ({"bot_token": CANARY}, "METAPRO_BOT_TOKEN is not a token"),
    ],
)
def test_what_cannot_be_is_told_without_its_value(said: dict[str, Any], words: str) -> None:
    problems = made(**IDS, **said).check()
    assert len(problems) == 1
    assert words in problems[0]
    assert CANARY not in problems[0]


def test_secrets_are_not_seen() -> None:
    names = ("api_key", "leaderboard_key", "wallet_key", "bot_token", "rpc_url", "relay_project")
    settings = made(**dict.fromkeys(names, CANARY))
    assert CANARY not in repr(settings) + str(settings)
    assert settings.secrets == [CANARY] * len(names)


def test_what_a_login_sends_beside_is_not_seen() -> None:
    login = {"extra_headers": {"x-key": CANARY}, "extra_body": {"key": CANARY, "number": 1}}
    settings = made(telegram_login=login)
    assert CANARY not in repr(settings) + str(settings)
    assert settings.secrets == [CANARY, CANARY]
