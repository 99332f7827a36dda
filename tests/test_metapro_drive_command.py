"""`miniapp drive` as a program sees it: exit codes, JSON, and settings from the environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import pytest

from launcher.cli import main
from launcher.metapro import MetaproSettings
from launcher.report import SavedLaunch, html
from tests.browsers import browser
from tests.metapro_drives import BOT_TOKEN
from tests.programs_beside import program

__all__ = ["browser"]

SCRIPT = str(Path(sys.executable).with_name("miniapp"))
SECRETS = [
    name for name, field in MetaproSettings.model_fields.items() if "SecretStr" in str(field.annotation)
]
TARGET = "https://t.me/metapro_demo_bot/app"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `.env` of somebody's."""
    monkeypatch.chdir(tmp_path)


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, Any]:
    """The exit code, and the JSON value on standard output."""
    monkeypatch.setattr("sys.argv", ["miniapp", "drive", *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("variables", "steps", "code", "failed"),
    [
        ({}, "U1,S2", 0, None),
        ({"METAPRO_PROJECT_ID": "another"}, "L1", 1, ("L1", "metapro-auth")),
        ({"METAPRO_NFT_URL": "https://api.metaproprotocol.com/ms/nft"}, "L1", 3, ("C0", "config")),
        ({"METAPRO_BOT_NAME": "demo_bot"}, "L1", 3, ("C0.registration", "config")),
    ],
)
def test_the_exit_code_says_how_it_went(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    steps: str,
    code: int,
    failed: tuple[str, str] | None,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    options = ("--server", "sandbox", "--host", "none", "--steps", steps)
    ended, report = run(monkeypatch, capsys, TARGET, *options)
    assert ended == report["exit_code"] == code
    found = [(step["id"], step["layer"]) for step in report["steps"] if step["verdict"] == "fail"]
    assert found == ([failed] if failed else [])
    assert "assumption model" in report["model"]


def test_a_switch_of_the_stand_in_gives_the_verdict_of_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In another process, found by its ready file."""
    ready = tmp_path / "ready.json"
    with sandbox(ready, "--metapro", "auth_scheme=bearer"):
        server = ("--server", str(ready))
        monkeypatch.setenv("TELEGRAM_SESSIONS", str(tmp_path))
        login = [SCRIPT, "login", "--phone", "9996621111", *server]
        subprocess.run(login, input="22222\n", capture_output=True, text=True, check=True)
        options = (*server, "--host", "none", "--steps", "K1")
        code, report = run(monkeypatch, capsys, TARGET, *options)
    assert (code, report["outcome"]) == (1, "fail")
    failed = [step for step in report["steps"] if step["verdict"] == "fail"]
    assert [(step["id"], step["layer"]) for step in failed] == [("K1", "metapro-auth")]
    assert "METAPRO_AUTH_SCHEME=bearer" in failed[0]["remedy"]


@contextmanager
def sandbox(ready: Path, *options: str) -> Iterator[None]:
    """`miniapp sandbox`, which writes the ready file before it says so."""
    command = [SCRIPT, "sandbox", "--ready-file", str(ready), "--json", *options]
    with program(command, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.readline()
        yield


CANARIES = {
    "METAPRO_API_KEY": "canary1Zq7" * 3,
    "METAPRO_LEADERBOARD_KEY": "canary2Zq7" * 3,
    "METAPRO_BOT_TOKEN": BOT_TOKEN,
    "METAPRO_WALLET_KEY": "c0ffee" * 10 + "abcd",
    "METAPRO_RPC_URL": "http://127.0.0.1:9/" + "canary3Zq7" * 3,
    "METAPRO_RELAY_PROJECT": "canary4Zq7" * 3,
}


@pytest.mark.parametrize(
    "options",
    [
        ("--host", "none", "--negative"),
        pytest.param(
            ("--trace", "trace.zip", "--steps", "S1,W1,B3,L3", "--negative"), marks=pytest.mark.slow
        ),
    ],
)
def test_no_setting_that_is_secret_is_told(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Not on standard output, not on standard error, and in no trace: not even a piece of one."""
    environment = {**os.environ, **CANARIES, "METAPRO_API_KEY_PLACE": "header"}
    command = [SCRIPT, "drive", TARGET, "--server", "sandbox", *options]
    ended = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120, check=False
    )
    told = ended.stdout + ended.stderr
    assert "C0.registration" in told, told
    if "--trace" in options:
        with zipfile.ZipFile(tmp_path / "trace.zip") as archive:
            told += b"".join(map(archive.read, archive.namelist())).decode("utf-8", "replace")
        assert "/login/simple" in told
    assert set(CANARIES) == {f"METAPRO_{name.upper()}" for name in SECRETS}
    assert _pieces_in(told) == []


def _pieces_in(told: str) -> list[str]:
    """Of the secrets."""
    pieces = {value[at : at + 8] for value in CANARIES.values() for at in range(len(value) - 7)}
    pieces = {piece for piece in pieces if re.search("[cC]anary|c0ffee|token-of", piece)}
    return [piece for piece in pieces if piece in told]


def test_a_drive_is_reported_whole_and_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, browser: object
) -> None:
    """The sample app in real Chromium (`browser` says whether there is one): the page has the drive's steps,
    the launch's own, and what the app did; not one of the settings that are secret."""
    for name, value in (CANARIES | {"METAPRO_API_KEY_PLACE": "header"}).items():
        monkeypatch.setenv(name, value)
    kept = ("--report", "drive.html", "--save", "drive.json", "--trace", "trace.zip")
    code, report = run(monkeypatch, capsys, TARGET, "--server", "sandbox", "--steps", "L1,W1,B1", *kept)
    saved, page = SavedLaunch.read(tmp_path / "drive.json"), (tmp_path / "drive.html").read_text("utf-8")
    assert page == html(saved)
    assert [(step.id, step.verdict) for step in saved.metapro] == [
        (step["id"], step["verdict"]) for step in report["steps"]
    ]
    assert {"L1", "W1", "B1"} <= {step.id for step in saved.metapro}
    assert code == report["exit_code"]
    for step in report["steps"]:
        assert f"<code>{step['id']}</code>" in page
        for told in (step["cause"], step["assumption"], *step["warnings"]):
            assert not told or escape(told) in page
    assert any(step["assumption"] for step in report["steps"])
    assert report["model"]
    assert f"<strong>{escape(report['model'])}</strong>" in page
    assert "web_app_ready" in [event.name for event in saved.events]
    assert "messages.requestAppWebView" in [one.method for one in saved.exchanges]
    assert len(saved.screenshots) == 1
    assert any("/login/simple" in one.path for one in saved.network)
    with zipfile.ZipFile(tmp_path / "trace.zip") as archive:
        traced = b"".join(map(archive.read, archive.namelist())).decode("utf-8", "replace")
    assert "/login/simple" in traced
    assert _pieces_in(page + traced + (tmp_path / "drive.json").read_text("utf-8")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        (TARGET, "--bogus"),
        (TARGET, "--server", "sandbox", "--host", "none", "--steps", "Z9"),
        (TARGET, "--server", "sandbox", "--host", "none", "--trace", "t.zip"),
        ("https://t.me/nobody_there_bot/app", "--server", "sandbox", "--host", "none"),
        (TARGET, "--server", "no-such-file.json"),
    ],
)
def test_what_could_not_be_tested_gives_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, told = run(monkeypatch, capsys, *arguments)
    assert code == 3
    assert told["error"]["message"]


def test_strictly_an_assumption_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--server", "sandbox", "--host", "none", "--steps", "L1", "--strict")
    code, report = run(monkeypatch, capsys, TARGET, *options)
    assert (code, report["outcome"], report["strict"]) == (1, "unverified", True)
