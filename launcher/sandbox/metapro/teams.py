"""The teams service and what is known of apps: whose they are, and which leaderboard and items they have."""

from __future__ import annotations

from typing import Any

from launcher.sandbox.metapro.call import Call, Endpoints
from launcher.sandbox.metapro.refusal import Refused

__all__ = ["apps", "teams"]

teams = Endpoints()
apps = Endpoints()

_TEAM = {"_id": "team-sample", "name": "Sample team", "description": "Makes the sample Mini App."}


@teams("GET", "/v1/teams")
def team_list(call: Call) -> Any:
    return call.page([_TEAM])


@teams("GET", "/apps/{app}", "/v1/apps/{app}")
def app(call: Call) -> Any:
    return _app(call, call.known("app_id", call.path("app")))


@teams("GET", "/v1/items")
def items(call: Call) -> Any:
    call.known("app_id", call.query("appId"))
    return {"results": _items()}


@apps("GET", "/v1/apps/appkey/{key}")
def app_of_key(call: Call) -> Any:
    if call.path("key") != call.metapro.ids["app_key"]:
        raise Refused(404, "App not found")
    return _app(call, call.metapro.ids["app_id"])


def _app(call: Call, app_id: str) -> dict[str, Any]:
    return {
        "appId": app_id,
        "name": "Sample Mini App",
        "team": _TEAM,
        "gallery": [],
        "items": _items(),
        "leaderboardId": call.metapro.ids["leaderboard_id"],
    }


def _items() -> list[dict[str, Any]]:
    return [{"_tokenId": 101, "name": "Captain"}, {"_tokenId": 102, "name": "Navigator"}]
