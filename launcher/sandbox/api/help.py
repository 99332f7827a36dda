"""`help.*`: what a client asks before it knows anything. None of it needs an account."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.rpc import Call, handles

__all__ = ["app_config", "config", "nearest_dc"]

_CONFIG_LIFE = 3600
"""For how many seconds a client may keep the configuration."""


@handles(functions.help.GetConfigRequest, docs="core.telegram.org/method/help.getConfig", signed_in=False)
async def config(call: Call) -> Any:
    """The addresses of all data centres, and limits as the real servers state them."""
    now = int(call.sandbox.now())
    return types.Config(
        date=datetime.fromtimestamp(now, UTC),
        expires=datetime.fromtimestamp(now + _CONFIG_LIFE, UTC),
        test_mode=False,
        this_dc=call.key.dc,
        dc_options=[
            types.DcOption(dc, host, port, this_port_only=True)
            for dc, (host, port) in call.sandbox.dcs.items()
        ],
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=2_147_483_647,
        revoke_pm_time_limit=2_147_483_647,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=1_024,
        message_length_max=4_096,
        webfile_dc_id=call.key.dc,
    )


@handles(
    functions.help.GetNearestDcRequest, docs="core.telegram.org/method/help.getNearestDc", signed_in=False
)
async def nearest_dc(call: Call) -> Any:
    """The main data centre, wherever one asks."""
    return types.NearestDc("NL", call.key.dc, call.sandbox.main_dc)


@handles(
    functions.help.GetAppConfigRequest, docs="core.telegram.org/method/help.getAppConfig", signed_in=False
)
async def app_config(call: Call) -> Any:
    """What the world's `app_config` says; every other client-side switch has its documented default."""
    shown = _json_value(call.sandbox.world.app_config)
    digest = zlib.crc32(bytes(shown)) >> 1 or 1
    if call.request.hash == digest:
        return types.help.AppConfigNotModified()
    return types.help.AppConfig(digest, shown)


def _json_value(value: Any) -> Any:
    """A JSON value as TL has it."""
    match value:
        case dict():
            members = [types.JsonObjectValue(name, _json_value(inner)) for name, inner in value.items()]
            return types.JsonObject(members)
        case list():
            return types.JsonArray([_json_value(inner) for inner in value])
        case str():
            return types.JsonString(value)
        case bool():
            return types.JsonBool(value)
        case int() | float():
            return types.JsonNumber(value)
    return types.JsonNull()
