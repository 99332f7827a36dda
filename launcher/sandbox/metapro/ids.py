"""The ids and keys an app of this stand-in is configured with.

Ids are the same in every run, like those of the default world; keys are fresh, for they are secrets.
"""

from __future__ import annotations

import random

from launcher.sandbox.default_world import METAPRO_BOT_NAME
from launcher.sandbox.world import World

__all__ = ["make_ids"]


def make_ids(world: World, randomness: random.Random) -> dict[str, str]:
    """The bot is the default world's, or the first of a world that lacks it."""
    names = [bot.username for bot in world.bots()]
    return {
        "project_id": "5a9d0c1e-0001-4000-8000-000000000001",
        "platform_id": "5a9d0c1e-0002-4000-8000-000000000002",
        "app_id": "5a9d0c1e-0003-4000-8000-000000000003",
        "leaderboard_id": "5a9d0c1e-0004-4000-8000-000000000004",
        "referral_settings_id": "5a9d0c1e-0005-4000-8000-000000000005",
        "bot_name": METAPRO_BOT_NAME if METAPRO_BOT_NAME in names else next(iter(names), METAPRO_BOT_NAME),
        "leaderboard_key": f"lb-{randomness.randbytes(16).hex()}",
        "api_key": f"api-{randomness.randbytes(16).hex()}",
        "app_key": f"app-{randomness.randbytes(16).hex()}",
    }
