"""The options that several commands have, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args

import typer

from launcher.cli.output import say
from launcher.cli.wording import spoken

if TYPE_CHECKING:
    from flows import Consent, OpenParameters, ThemeParams
    from flows.buttons import Wanted
    from launcher.settings import Settings

ServerOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="SERVER",
        help="production, test, sandbox, or a running sandbox's ready file. Goes before TELEGRAM_SERVER.",
        show_default=False,
    ),
]
OnlySandboxOption: TypeAlias = Annotated[
    Literal["sandbox"] | None,
    typer.Option("--server", help="Only sandbox, which is what this command makes.", show_default=False),
]
AccountOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="Whose account; the only one by default."),
]
DatabaseOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="MINIAPP_DATABASE_URL",
        help="Of the workers: postgresql://… A secret: better in the environment.",
        show_envvar=True,
        show_default=False,
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Write one JSON value.")]
RevealOption: TypeAlias = Annotated[
    bool, typer.Option("--reveal", help="Show launch URL, init data and query ids unmasked.")
]
ReportOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--report", metavar="FILE", help="Write a report of the launch: one HTML page.", dir_okay=False
    ),
]
SaveOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--save",
        metavar="FILE",
        help="Save the launch as JSON, for `miniapp replay` and `diff`.",
        dir_okay=False,
    ),
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

ViaOption: TypeAlias = Annotated[
    Flow | None,
    typer.Option(
        "--via", metavar="FLOW", help=f"The way, when a bot has several: {', '.join(get_args(Flow))}."
    ),
]
ChatOption: TypeAlias = Annotated[
    str | None, typer.Option("--chat", metavar="CHAT", help="Where: @name, phone number or id.")
]
ButtonOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--button", metavar="BUTTON", help="Which button: its text, or its place from 0: N or ROW,COLUMN."
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
        "--theme",
        metavar="THEME",
        help='The client\'s colours: light, dark, a file or JSON: {"bg_color": "#rrggbb", …}.',
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


@contextmanager
def value_of(option: str) -> Iterator[None]:
    """What the block refuses is a wrong value of this option: a command line that cannot be read."""
    from flows import MiniAppError

    try:
        yield
    except (MiniAppError, ValueError) as error:
        raise typer.BadParameter(spoken(error), param_hint=option) from None


def settings_for(server: str | None) -> Settings:
    """The settings of this run. Raises SettingsError, and typer.BadParameter for a server there cannot be."""
    from launcher.servers import NoSuchServer, ServerName, server_at
    from launcher.settings import Settings

    if server is None:
        return Settings()
    if server not in get_args(ServerName):
        try:
            server_at(Path(server), "--server")
        except NoSuchServer as error:
            raise typer.BadParameter(str(error)) from None
    return Settings(server=server)


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
    """Raises typer.BadParameter for a platform or theme that cannot be."""
    from flows import OpenMode, OpenParameters
    from flows.webview import PLATFORMS

    with value_of("--theme"):
        colours = _theme(theme)
    with value_of("--platform"):
        parameters = OpenParameters(platform, OpenMode(mode), colours)
    if platform not in PLATFORMS:
        say(f"No known client calls itself {platform!r}; known are {', '.join(PLATFORMS)}.")
    return parameters


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
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ValueError(
            f"{path!r} is neither light, dark, JSON nor a file that can be read: {reason}"
        ) from None


def consent(allow: list[str] | None, ask: bool) -> Consent:
    """Raises typer.BadParameter for a question there is not."""
    from flows import Consent
    from launcher.cli.questions import ask_on_terminal

    with value_of("--allow"):
        return Consent(*allow or (), otherwise=ask_on_terminal if ask else "decline")


def place_and_start(**given: Any) -> dict[str, Any]:
    """Those options that `flows.Options` checks, as `Launcher.open` takes them. Raises typer.BadParameter."""
    from flows import BadInput, Options

    options = given | {
        "button": wanted_button(given["button"]),
        "chat": peer(given["chat"]),
        "send_as": peer(given["send_as"]),
        "silent": given["silent"] or None,
    }
    try:
        Options(**options)
    except BadInput as error:
        raise typer.BadParameter(spoken(error)) from None
    return options
