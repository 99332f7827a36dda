"""Mistakes of this program: their type is told and never their text, which may hold anything.

With MINIAPP_DEBUG=1 standard error shows the places they went through, without texts and values.
"""

from __future__ import annotations

import os
import sys
import traceback

from flows import MiniAppError

__all__ = ["defect", "show_places"]


def defect(error: Exception) -> MiniAppError:
    """What is told of a check that such a mistake has stopped."""
    show_places(error)
    return MiniAppError(
        f"The check was stopped by a defect of this program ({type(error).__name__}).", "Report it."
    )


def show_places(error: BaseException | None) -> None:
    """Where it came from, and where that came from, if somebody wants to know."""
    while error is not None and os.environ.get("MINIAPP_DEBUG") == "1":
        sys.stderr.write(f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}")
        error = error.__cause__ or error.__context__
