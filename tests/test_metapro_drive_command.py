"""`miniapp drive` as a program sees it: exit codes, JSON, and settings from the environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from launcher.cli import main

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
