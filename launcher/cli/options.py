"""The options that several commands have, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

if TYPE_CHECKING:
    from flows import Consent, OpenParameters, ThemeParams
    from flows.buttons import Wanted
    from launcher.settings import Settings

ServerOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="production|test|sandbox|FILE",
        help="Which Telegram; FILE is a running sandbox's ready file. Goes before TELEGRAM_SERVER.",
        show_default=False,
    ),
]
AccountOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="Whose account; the only one by default."),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Write one JSON value.")]
RevealOption: TypeAlias = Annotated[
    bool, typer.Option("--reveal", help="Show launch URL, init data and query ids unmasked.")
]
Flow = Literal[
    "keyboard_button",
    "inline_button",
    "menu_button",
    "attachment_menu",
    "side_menu",
    "inline_mode",
    "direct_link",
    "main_app",
    "chat_join",
]
Mode = Literal["compact", "fullsize", "fullscreen"]

# How an app is opened

ViaOption: TypeAlias = Annotated[Flow | None, typer.Option("--via", help="The way, when a bot has several.")]
ChatOption: TypeAlias = Annotated[
    str | None, typer.Option("--chat", metavar="CHAT", help="Where: @name, phone number or id.")
]
ButtonOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--button", metavar="TEXT|N|ROW,COLUMN", help="Which button: its text, or its place from 0."
    ),
]
TopicOption: TypeAlias = Annotated[
    int | None, typer.Option("--topic", metavar="ID", help="A topic of the forum.")
]
ReplyToOption: TypeAlias = Annotated[
    int | None, typer.Option("--reply-to", metavar="ID", help="The message that the app's will reply to.")
]
SendAsOption: TypeAlias = Annotated[
    str | None, typer.Option("--send-as", metavar="CHAT", help="On whose behalf the app's message is sent.")
]
SilentOption: TypeAlias = Annotated[bool, typer.Option("--silent", help="Send it without a sound.")]
StartOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--start", metavar="PAYLOAD", help="Start the bot first, and wait for its button."),
]
StartParamOption: TypeAlias = Annotated[
    str | None, typer.Option("--start-param", metavar="TEXT", help="What the app gets as start parameter.")
]
QueryOption: TypeAlias = Annotated[
    str, typer.Option("--query", metavar="TEXT", help="The inline query of --via inline_mode.")
]
PlatformOption: TypeAlias = Annotated[
    str,
    typer.Option("--platform", metavar="NAME", help="Which client to be: ios, macos, tdesktop, weba, web…"),
]
ModeOption: TypeAlias = Annotated[Mode, typer.Option("--mode", help="How large to open it.")]
ThemeOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--theme", metavar="light|dark|FILE|JSON", help='The client\'s colours: {"bg_color": "#rrggbb", …}.'
    ),
]
AllowOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="QUESTION",
        help="Answer a question with yes: write_access, hidden_link… Repeatable.",
    ),
]
AskOption: TypeAlias = Annotated[
    bool, typer.Option("--ask", help="Ask every question that --allow does not answer.")
]


def settings_for(server: str | None) -> Settings:
    """The settings of this run. Raises SettingsError."""
    from launcher.settings import Settings

    return Settings() if server is None else Settings(server=server)


def only_in_a_sandbox(server: str | None, command: str) -> None:
    """Raises BadInput when a command that makes its own sandbox is told to use anything else."""
    from flows import BadInput

    if server not in (None, "sandbox"):
        raise BadInput(f"`miniapp {command}` makes its own sandbox.", "Leave --server out.")


def wanted_button(text: str | None) -> Wanted | None:
    """A place among the buttons for a number, row and column for two, else the button's text."""
    if text is None:
        return None
    row, comma, column = text.partition(",")
    if not all(part.strip().isdecimal() for part in ((row, column) if comma else (row,))):
        return text
    return (int(row), int(column)) if comma else int(row)


def peer(text: str | None) -> str | int | None:
    """An id for a number, which may be negative, else the name as it is."""
    if text is not None and text.removeprefix("-").isdecimal():
        return int(text)
    return text


def open_parameters(platform: str, mode: Mode, theme: str | None) -> OpenParameters:
    """Raises BadInput for a platform or theme that cannot be."""
    from flows import BadInput, OpenMode, OpenParameters
    from flows.webview import MalformedTheme

    try:
        return OpenParameters(platform, OpenMode(mode), _theme(theme))
    except MalformedTheme as error:
        raise BadInput("--theme cannot be used:", f"{error}.") from None
    except ValueError as error:
        raise BadInput("--platform cannot be used:", f"{error}.") from None


def _theme(text: str | None) -> ThemeParams | None:
    from flows import DARK, LIGHT, ThemeParams

    match text:
        case None:
            return None
        case "light":
            return LIGHT
        case "dark":
            return DARK
    return ThemeParams.parse(text if text.lstrip().startswith("{") else _read(text))


def _read(path: str) -> str:
    from flows import BadInput

    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadInput(
            f"--theme {path!r} is neither light, dark, JSON nor a file that can be read: {reason}.",
            "Correct the path, or write the colours themselves.",
        ) from None


def consent(allow: list[str] | None, ask: bool) -> Consent:
    """Raises BadInput for a question there is not."""
    from flows import Consent

    if not ask:
        return Consent(*allow or ())
    from launcher.cli.questions import ask_on_terminal

    return Consent(*allow or (), otherwise=ask_on_terminal)


def opening_options(**given: Any) -> dict[str, Any]:
    """The given options as `Launcher.open` takes them."""
    return given | {
        "button": wanted_button(given["button"]),
        "chat": peer(given["chat"]),
        "send_as": peer(given["send_as"]),
        "silent": given["silent"] or None,
    }
