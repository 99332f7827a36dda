"""Many inspections in a row, into a file of JSON lines.

Each result is a line as soon as it is there, so a batch that was stopped goes on where it was: what the
file has is not asked again. A line has the digest of its link, for links whose secrets are masked look alike,
and of how it was opened.
It keeps within a budget of requests. When Telegram wants to be left alone, it is, and the link is tried again
afterwards. A link that met a passing trouble of Telegram's gets no line: it was not tested, and the next run
tries it again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flows import AccountLost, BadInput, FloodWait, NotConnected, Transient
from launcher.budget import Budget
from launcher.inspection.run import inspect_link
from launcher.inspection.stages import Inspection
from launcher.launcher import Launcher
from launcher.private_file import for_owner_only

__all__ = ["PATIENCE", "digest", "done_already", "inspect_all", "links_in"]

PATIENCE = 900.0
"""Seconds of a flood wait that are waited out; after a longer one the batch is to be run again."""
_COLD = 3
"""Requests of an inspection that knows nothing yet: the bot's name, its app, the web view."""


def links_in(file: Path) -> list[str]:
    """The links of a text file, one in a line, each once. Empty lines and those with # are left out.

    Raises BadInput for a file that cannot be read or has none.
    """
    try:
        lines = [line.strip() for line in file.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadInput(
            f"{file} cannot be read: {reason}.", "Name a text file with a link in each line."
        ) from None
    links = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not links:
        raise BadInput(f"{file} has no links.", "Write one in each line.")
    return links


def digest(target: str, how: str = "") -> str:
    """What stands for a target in a file of results, and does not tell it. `how` is whatever else the result
    depends on: one that was made otherwise is another."""
    return hashlib.sha256(f"{how}\n{target}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def done_already(out: Path) -> dict[str, bool]:
    """What is in a file of results: whether each target, by its digest, was as it should be. A last line that
    was not finished is cut off.

    Raises BadInput for a file that is something else, OSError for one that cannot be read.
    """
    if not out.exists():
        return {}
    content = out.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    rest = content[len(whole) :]
    try:
        results = {line["digest"]: line["ok"] for line in map(json.loads, whole.splitlines())}
        if not _begins_a_result(rest):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadInput(f"{out} is no file of results.", "Name another file, or move this one away.") from None
    if rest:
        with out.open("r+b") as file:
            file.truncate(len(whole))
    return results


_DIGITS = 12
_BEGINNING = b'{"target": '
"""Of each line: how an `Inspection` is written."""


def _begins_a_result(rest: bytes) -> bool:
    return rest[: len(_BEGINNING)] == _BEGINNING[: len(rest)]


async def inspect_all(
    launcher: Launcher,
    targets: Sequence[str],
    out: Path,
    *,
    budget: Budget,
    how: str = "",
    told: Callable[[Inspection], None] = lambda inspection: None,
    paused: Callable[[float], None] = lambda seconds: None,
    **options: Any,
) -> None:
    """Inspect one target after the other and append each to the file; `told` is called with each result, also
    with one that met a passing trouble (`Transient`) and is not written; `paused` with the seconds of each
    flood wait that is waited out. `how` is that of `digest`.

    Raises FloodWait for one that is longer than `PATIENCE`, AccountLost, NotConnected, and OSError when the
    file cannot be written: what the file has by then stays. With secrets in it (`reveal`) it is readable by
    its owner only.
    """
    if options.get("reveal"):
        for_owner_only(out)
    with out.open("a", encoding="utf-8") as file:
        for target in targets:
            inspection = await _within(budget, launcher, target, paused, options)
            if not isinstance(inspection.failure, Transient):
                line = inspection.to_json() | {"digest": digest(target, how)}
                await asyncio.to_thread(_append, file, json.dumps(line))
            told(inspection)


def _append(file: Any, line: str) -> None:
    file.write(f"{line}\n")
    file.flush()


async def _within(
    budget: Budget,
    launcher: Launcher,
    target: str,
    paused: Callable[[float], None],
    options: dict[str, Any],
) -> Inspection:
    while True:
        await budget.take(_COLD)
        inspection = await inspect_link(launcher, target, **options)
        budget.spend(len(inspection.exchanges) - _COLD)
        match inspection.failure:
            case FloodWait(seconds=seconds) if seconds <= PATIENCE:
                budget.pause(seconds)
                paused(seconds)
            case FloodWait() | AccountLost() | NotConnected() as failure:
                raise failure
            case _:
                return inspection
