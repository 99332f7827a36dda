"""What went wrong, as one line and an exit code.

Our own errors say what happened and what to do. What the operating system refused is said in its words. Every
other exception is a defect of this program: see `launcher.defects`.
"""

from __future__ import annotations

from typing import Any

from launcher.cli.output import say, show_json, show_line
from launcher.cli.wording import spoken
from launcher.plain_text import plain

__all__ = ["report"]


def report(error: Exception, *, as_json: bool, as_nagios: bool = False) -> int:
    """Tell about the error; returns the exit code. Nagios reads standard output alone."""
    from launcher.defects import show_places

    text = plain(_told(error))
    if text:
        say(f"miniapp: {text}")
    if as_nagios:
        from launcher.nagios_line import line

        show_line(line("UNKNOWN", text))
    show_places(error)
    if as_json:
        show_json({"error": _as_json(error) | {"message": text}})
    code = getattr(error, "exit_code", 1)
    return code if isinstance(code, int) else 1


def _as_json(error: Exception) -> dict[str, Any]:
    from flows import MiniAppError
    from launcher.failure_json import failure_json

    return failure_json(error) if isinstance(error, MiniAppError) else {"type": type(error).__name__}


def _told(error: Exception) -> str:
    from flows import MiniAppError
    from launcher.extras import ExtraMissing, extra_of
    from launcher.sandbox.ready_file import BadReadyFile

    usage = getattr(error, "format_message", None)  # typer's own errors, in every version of typer
    if callable(usage):
        return _usage(usage(), error)
    match error:
        case MiniAppError() | BadReadyFile():
            return " ".join([spoken(error), *getattr(error, "__notes__", ())])
        case ModuleNotFoundError(name=str(name)) if extra := extra_of(error):
            return str(ExtraMissing(name, extra))
        case OSError():
            return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or "no input"
    return f"This is a defect of miniapp ({type(error).__name__}). MINIAPP_DEBUG=1 shows where."


def _usage(message: str, error: Exception) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "miniapp"
    if not message:  # a command without its subcommand: the help was shown
        return ""
    message = message.replace("Value error, ", "")
    sentence = message if message.endswith("?") else f"{message.rstrip('.')}."
    return f"{sentence} See `{command} --help`."
