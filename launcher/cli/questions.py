"""Questions to the person at the terminal: on standard error, answered by a line of standard input."""

from __future__ import annotations

import sys

from flows import Prompt, Question
from launcher.plain_text import plain

__all__ = ["ask_on_terminal", "asked_line"]


def ask_on_terminal(prompt: Prompt) -> list[Question]:
    """Those questions of a dialog that are answered with y or yes; the end of input is a no."""
    detail = f" ({prompt.detail})" if prompt.detail else ""
    return [
        question for question in prompt.questions if _yes(f"@{prompt.bot}{detail}: allow {question}? [y/N] ")
    ]


def _yes(prompt: str) -> bool:
    return (asked_line(prompt) or "").strip().lower() in ("y", "yes")


def asked_line(prompt: str) -> str | None:
    """The line typed, None at the end of input."""
    echo = "" if sys.stdin.isatty() else "\n"  # a terminal shows the answer and its end, nothing else does
    sys.stderr.write(f"{plain(prompt)}{echo}")
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.rstrip("\r\n") if line else None
