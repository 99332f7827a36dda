"""A Telegram data centre on the loopback: real MTProto over TCP, and the Mini App side of Telegram behind it.

`Sandbox` runs it, `World` and its parts are what is in it, `faults` what can go wrong on request,
`assumptions` the rules that no documentation states. It grows only by what a flow, a bot or a test needs:
files, calls, secret chats, stickers and search are out of its scope.
"""

from launcher.sandbox.assumptions import ASSUMPTIONS, Assumptions
from launcher.sandbox.faults import Act, Delay, DropAfter, DropBefore, Fail, Faults, FloodWait, LoseKey
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import (
    App,
    AttachMenu,
    Bot,
    Channel,
    EmojiStatus,
    Group,
    InlineAnswer,
    Invoice,
    MenuButton,
    Topic,
    User,
    World,
)

__all__ = [
    "ASSUMPTIONS",
    "Act",
    "App",
    "Assumptions",
    "AttachMenu",
    "Bot",
    "Channel",
    "Delay",
    "DropAfter",
    "DropBefore",
    "EmojiStatus",
    "Fail",
    "Faults",
    "FloodWait",
    "Group",
    "InlineAnswer",
    "Invoice",
    "LoseKey",
    "MenuButton",
    "Sandbox",
    "Topic",
    "User",
    "World",
]
