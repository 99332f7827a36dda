"""How far a command has come: a bar on a terminal, lines or nothing elsewhere."""

from __future__ import annotations

import re

import pytest

from launcher.cli.progress import progress


def told(capsys: pytest.CaptureFixture[str], *, quiet: bool = False, lines: bool = False) -> str:
    with progress(quiet=quiet, lines=lines) as shown:
        shown(1, 2, "one\x1b[31m")
        shown(2, 2, "[red]two")
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_off_a_terminal_it_is_lines_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == ""
    assert told(capsys, lines=True) == "one\\x1b[31m\n[red]two\n"
    assert told(capsys, lines=True, quiet=True) == ""


def test_on_a_terminal_it_is_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    for lines in (False, True):
        drawn = told(capsys, lines=lines)
        shown = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", drawn)
        assert "━" * 20 in shown
        assert "[red]two" in shown, "it is no markup"
        assert "\x1b[31mone" not in drawn
        assert drawn.endswith("\x1b[1A\x1b[2K"), "and it is gone at the end"
    assert told(capsys, quiet=True) == ""
