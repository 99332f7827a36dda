"""The test that does again what was done, as a file of Python."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows import Consent, OpenParameters
from flows.consent import Question
from launcher.record.steps import SecretFilled, Step, quoted

__all__ = ["test"]


def test(target: str, options: Mapping[str, Any], steps: Sequence[Step], *, ready: bool) -> str:
    """`options` are those of `Launcher.open`; of a consent only what it allows by name is written."""
    body = [*(["await expect(app).to_be_ready(timeout=30)"] if ready else []), *_lines(steps)]
    arguments = ", ".join([quoted(target), *_arguments(options)])
    opening = f"    async with mini_app_open({arguments}) as app:"
    names = [name for name in ("Consent", "OpenParameters", "expect") if _uses(name, [opening, *body])]
    lines = [
        '"""Recorded with `miniapp record`."""',
        "",
        *(["import os", ""] if any(isinstance(step, SecretFilled) for step in steps) else []),
        "import pytest",
        *(["", f"from launcher import {', '.join(names)}"] if names else []),
        "",
        "pytestmark = pytest.mark.asyncio",
        "",
        "",
        f"async def test_{_slug(target)}(mini_app_open):",
        opening,
        *(f"        {line}" for line in body),
        *([] if any(not line.startswith("#") for line in body) else ["        pass"]),
    ]
    return "\n".join(lines) + "\n"


def _lines(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        yield from step.lines()


def _uses(name: str, lines: Sequence[str]) -> bool:
    return any(f"{name}(" in line for line in lines)


def _arguments(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        match value:
            case None | "" | False:
                continue
            case OpenParameters():
                if value != OpenParameters():
                    yield f"{name}={_parameters(value)}"
            case Consent():
                allowed = [str(question) for question in Question if _allows(value, question)]
                if allowed:
                    yield f"{name}=Consent({', '.join(map(quoted, allowed))})"
            case str():
                yield f"{name}={quoted(value)}"
            case _:
                yield f"{name}={value!r}"


def _allows(consent: Consent, question: Question) -> bool:
    """Whether it is allowed beyond what everybody allows."""
    return consent.answer(question) == "allow" != Consent().answer(question)


def _parameters(parameters: OpenParameters) -> str:
    given = [f"platform={quoted(parameters.platform)}"]
    if parameters.mode != OpenParameters().mode:
        given.append(f"mode={quoted(str(parameters.mode))}")
    return f"OpenParameters({', '.join(given)})"


def _slug(target: str) -> str:
    """A name for the test: of t.me/demo_bot/app it is demo_bot_app."""
    place = re.sub(r"^(https?://)?(t\.me/|telegram\.me/)?@?", "", target).partition("?")[0]
    return re.sub(r"\W+", "_", place).strip("_").lower() or "mini_app"
