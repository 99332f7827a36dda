"""Commands whose exit code is a verdict: 3 says that nothing was tested, wrong usage included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand

__all__ = ["UNTESTED", "VerdictCommand"]

UNTESTED = 3


class VerdictCommand(TyperCommand):
    """A command of which every error means that nothing was tested."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _untested():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with _untested():
            return super().invoke(ctx)


@contextmanager
def _untested() -> Iterator[None]:
    try:
        yield
    except typer.Exit:
        raise
    except Exception as error:
        error.exit_code = UNTESTED  # type: ignore[attr-defined]  # what `main` goes by
        raise
