"""What a Telegram client does to open a Mini App: nine flows, one file each, over Telethon and nothing else.

`FLOWS` is their table. A flow's file tells, in this order, what a person taps and what the client asks, the
value that is to be opened, where the client gets it, what is asked of the person, and the one TL request.
`Opening` puts them together: target -> `resolve` -> app -> consent -> request -> `WebView`.
"""

from flows.attachment_menu import AttachmentMenuApp
from flows.cache import Bot, Cache
from flows.chat_join import ChatJoinApp
from flows.consent import Answer, Consent, Prompt, Question
from flows.context import Context
from flows.direct_link import DirectLinkApp
from flows.errors import (
    AccountLost,
    AppNotFound,
    BadInput,
    Blocked,
    BotNotFound,
    CannotOpen,
    ConsentDeclined,
    DataAlreadySent,
    DataRefused,
    FloodWait,
    MiniAppError,
    NotConnected,
    QueryExpired,
    RpcFailed,
    SignInFailed,
    Stale,
    Transient,
    WrongContext,
    call,
)
from flows.init_data import InitData
from flows.inline_button import InlineButtonApp
from flows.inline_mode import InlineModeApp, switch_inline
from flows.keyboard_button import KeyboardButtonApp
from flows.launch_params import LaunchParams
from flows.main_app import MainApp
from flows.menu_button import MenuButtonApp
from flows.open_mode import OpenMode
from flows.opening import Opened, Opening
from flows.peers import input_peer
from flows.prolong import prolong
from flows.resolve import FLOWS, App, HiddenLink, Options, Target, resolve
from flows.send_data import check_data, send_data
from flows.side_menu import SideMenuApp
from flows.webview import DARK, LIGHT, PLATFORMS, OpenParameters, ThemeParams, WebView

__all__ = [
    "DARK",
    "FLOWS",
    "LIGHT",
    "PLATFORMS",
    "AccountLost",
    "Answer",
    "App",
    "AppNotFound",
    "AttachmentMenuApp",
    "BadInput",
    "Blocked",
    "Bot",
    "BotNotFound",
    "Cache",
    "CannotOpen",
    "ChatJoinApp",
    "Consent",
    "ConsentDeclined",
    "Context",
    "DataAlreadySent",
    "DataRefused",
    "DirectLinkApp",
    "FloodWait",
    "HiddenLink",
    "InitData",
    "InlineButtonApp",
    "InlineModeApp",
    "KeyboardButtonApp",
    "LaunchParams",
    "MainApp",
    "MenuButtonApp",
    "MiniAppError",
    "NotConnected",
    "OpenMode",
    "OpenParameters",
    "Opened",
    "Opening",
    "Options",
    "Prompt",
    "QueryExpired",
    "Question",
    "RpcFailed",
    "SideMenuApp",
    "SignInFailed",
    "Stale",
    "Target",
    "ThemeParams",
    "Transient",
    "WebView",
    "WrongContext",
    "call",
    "check_data",
    "input_peer",
    "prolong",
    "resolve",
    "send_data",
    "switch_inline",
]
