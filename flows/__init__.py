"""What a Telegram client does to open a Mini App: nine flows, one file each, over Telethon and nothing else.

`FLOWS` is their table. A flow's file tells, in this order, what a person taps and what the client asks, the
value that is to be opened, where the client gets it, what is asked of the person, and the one TL request.
`Opening` puts them together: target -> `resolve` -> app -> consent -> request -> `WebView`.
What an open app's page may ask of the account has a file each as well: `custom_method`, `write_access`,
`phone`, `emoji_status`, `prepared_message`, `requested_chat`, `invoices`, `downloads`.
"""

from flows.app_config import allowed_protocols
from flows.attachment_menu import AttachmentMenuApp
from flows.cache import Bot, Cache
from flows.chat_join import ChatJoinApp
from flows.consent import Answer, Consent, Prompt, Question
from flows.context import Context
from flows.custom_method import CustomMethodAnswer, invoke_custom_method
from flows.direct_link import DirectLinkApp
from flows.downloads import request_download
from flows.emoji_status import request_emoji_status_access, set_emoji_status
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
from flows.invoices import Bill, InvoiceClosed, PaymentPolicy, pay_invoice
from flows.keyboard_button import KeyboardButtonApp
from flows.launch_params import LaunchParams
from flows.main_app import MainApp
from flows.menu_button import MenuButtonApp
from flows.open_mode import OpenMode
from flows.opening import Opened, Opening
from flows.peers import input_peer
from flows.phone import share_phone
from flows.prepared_message import PreparedMessage, share_prepared_message
from flows.prolong import prolong
from flows.requested_chat import ChatRequest, send_requested_chat
from flows.resolve import FLOWS, App, HiddenLink, Options, Target, resolve
from flows.send_data import check_data, send_data
from flows.side_menu import SideMenuApp
from flows.webview import DARK, LIGHT, PLATFORMS, OpenParameters, ThemeParams, WebView
from flows.write_access import request_write_access

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
    "Bill",
    "Blocked",
    "Bot",
    "BotNotFound",
    "Cache",
    "CannotOpen",
    "ChatJoinApp",
    "ChatRequest",
    "Consent",
    "ConsentDeclined",
    "Context",
    "CustomMethodAnswer",
    "DataAlreadySent",
    "DataRefused",
    "DirectLinkApp",
    "FloodWait",
    "HiddenLink",
    "InitData",
    "InlineButtonApp",
    "InlineModeApp",
    "InvoiceClosed",
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
    "PaymentPolicy",
    "PreparedMessage",
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
    "allowed_protocols",
    "call",
    "check_data",
    "input_peer",
    "invoke_custom_method",
    "pay_invoice",
    "prolong",
    "request_download",
    "request_emoji_status_access",
    "request_write_access",
    "resolve",
    "send_data",
    "send_requested_chat",
    "set_emoji_status",
    "share_phone",
    "share_prepared_message",
    "switch_inline",
]
