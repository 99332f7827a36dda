"""`users.*`: accounts, in short and in full. A bot's full form says how its menu button opens an app."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.peers import input_id, peer_named, render
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Bot, User

__all__ = ["get_full_user", "get_users"]


@handles(functions.users.GetUsersRequest, docs="core.telegram.org/method/users.getUsers")
async def get_users(call: Call) -> list[Any]:
    """A name that does not hold, such as the hash of a min user, gets userEmpty."""
    return [_user(call, named) for named in call.request.id if not isinstance(named, types.InputUserEmpty)]


def _user(call: Call, named: Any) -> Any:
    try:
        peer = peer_named(call, named)
    except RpcError:
        return types.UserEmpty(input_id(named) or 0)
    return render(call.sandbox, call.me.id, peer)


@handles(
    functions.users.GetFullUserRequest,
    docs="core.telegram.org/method/users.getFullUser",
    errors=("USER_ID_INVALID",),
)
async def get_full_user(call: Call) -> Any:
    user = peer_named(call, call.request.id, "USER_ID_INVALID")
    return types.users.UserFull(
        full_user=types.UserFull(
            id=user.id,
            settings=types.PeerSettings(),
            notify_settings=types.PeerNotifySettings(),
            common_chats_count=0,
            blocked=isinstance(call.me, User) and user.id in call.me.blocked,
            bot_can_manage_emoji_status=isinstance(call.me, User) and user.id in call.me.emoji_status_bots,
            bot_info=_bot_info(user, call.me.id) if isinstance(user, Bot) else None,
        ),
        chats=[],
        users=[render(call.sandbox, call.me.id, user)],
    )


def _bot_info(bot: Bot, viewer: int) -> Any:
    button = bot.menu_button_of(viewer)
    return types.BotInfo(
        user_id=bot.id,
        commands=[],
        menu_button=types.BotMenuButton(button.text, button.url) if button else types.BotMenuButtonDefault(),
        app_settings=_app_settings(bot.default_colors) if bot.default_colors else None,
    )


def _app_settings(colors: dict[str, str]) -> Any:
    """BotFather's four colours, "#rrggbb" each, as the numbers of `botAppSettings`."""
    named = {
        "bg_color": "background_color",
        "bg_dark_color": "background_dark_color",
        "header_color": "header_color",
        "header_dark_color": "header_dark_color",
    }
    return types.BotAppSettings(
        **{named[name]: int(value.removeprefix("#"), 16) for name, value in colors.items()}
    )
