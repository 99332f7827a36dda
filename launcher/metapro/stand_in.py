"""The settings for a sandbox's stand-in of Metapro, taken from the sandbox's ready file.

What METAPRO_… variables or `.env` say goes before it, as does what the caller says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from launcher.metapro.settings import MAIN_NETWORKS, SERVICES, MetaproSettings

if TYPE_CHECKING:
    from launcher.sandbox.ready_file import ReadyFile

__all__ = ["stand_in_settings"]

_IDS = ("project_id", "platform_id", "app_id", "leaderboard_id", "referral_settings_id", "bot_name")
_ANY_PROJECT = "0" * 32
"""As long as a real one; the sandbox's relay asks for one, and takes any."""


def stand_in_settings(ready: ReadyFile | None, **given: Any) -> MetaproSettings:
    """Settings for driving apps against the stand-in that the file describes; without one, or without a file,
    those of the environment. `given` are settings, and pydantic's own options, such as `_env_file`."""
    said = MetaproSettings(**given)
    if ready is None or ready.metapro is None:
        return said
    known: dict[str, Any] = {f"{service}_url": ready.metapro.services.get(service) for service in SERVICES}
    known |= {name: ready.metapro.ids.get(name) for name in _IDS}
    known["chain_ids"] = MAIN_NETWORKS  # where the stand-in's assets lie
    known["leaderboard_key"] = SecretStr(ready.metapro.keys["leaderboard_key"])
    if ready.metapro.relay is not None:
        known |= {"relay_url": ready.metapro.relay, "relay_project": SecretStr(_ANY_PROJECT)}
    name = said.bot_name or known["bot_name"]
    token = next((bot.token for bot in ready.bots if bot.username == name), None)
    known["bot_token"] = None if token is None else SecretStr(token)
    read_from = {name: value for name, value in given.items() if name.startswith("_")}
    told = {name: getattr(said, name) for name in said.model_fields_set}
    return MetaproSettings(**{**known, **told, **read_from})
