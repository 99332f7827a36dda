"""What is remembered of bots between launches, and between runs."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from flows import Bot, Cache
from flows.cache import AttachMenuEntry, KnownApp, MenuButton

BOT = Bot(7, 70, "Some_Bot", has_main_app=True, menu_button=MenuButton("Menu", "https://some.example/menu"))
OTHER = Bot(8, -(2**63), "other_bot", verified=True, attach_menu=True, attach_menu_enabled=True, inline=True)
ENTRY = AttachMenuEntry(
    8, "Other", request_write_access=True, show_in_attach_menu=True, peer_types=("pm", "chat")
)


def filled() -> Cache:
    return Cache(
        bots={7: BOT, 8: OTHER},
        apps={(7, "app"): KnownApp(2**60, -5, "App", 11, "The app", quiet=True)},
        attach_menu={8: ENTRY},
        attach_menu_hash=2**62,
        kinds={7: "bot_pm", -1_000_000_000_042: "broadcast"},
        confirmed={7, 8},
        disclaimed={8},
    )


def test_it_survives_as_json() -> None:
    stored = json.loads(json.dumps(filled().to_json()))
    assert Cache.from_json(stored) == filled()


def test_reading_leaves_what_was_stored_alone() -> None:
    stored = json.loads(json.dumps(filled().to_json()))
    before = copy.deepcopy(stored)
    assert Cache.from_json(stored) == Cache.from_json(stored)
    assert stored == before


def test_menu_entries_are_compared_with_telegrams_in_every_run() -> None:
    cache = filled()
    cache.attach_menu_current = True
    assert Cache.from_json(cache.to_json()).attach_menu_current is False


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"bots": [{"id": 7}]},
        {"bots": [{**filled().to_json()["bots"][0], "colour": "red"}]},
        {"apps": [{"short_name": "x"}]},
        {"apps": 5},
        {"kinds": [1, 2]},
        {"attach_menu": [{}]},
        {"confirmed": 3},
        [],
        None,
    ],
)
def test_what_another_version_has_written_is_an_empty_cache(stored: Any) -> None:
    assert Cache.from_json(stored) == Cache()


def test_nothing_secret_is_printed() -> None:
    printed = repr(filled()) + str(filled())
    assert "access_hash" not in printed
    assert "some.example" not in printed


def test_bots_are_found_by_name_in_any_case() -> None:
    cache = filled()
    assert cache.bot_named("sOME_bot") is cache.bots[7]
    assert cache.bot_named("some") is None


def test_a_resolved_bot_keeps_its_menu_button() -> None:
    cache = filled()
    fresh = Bot(7, 71, "Some_Bot")
    assert cache.keep_bot(fresh).menu_button == BOT.menu_button
    assert cache.bots[7].access_hash == 71
    cache.keep_menu_button(7, MenuButton())
    assert cache.bots[7].menu_button == MenuButton()


def test_a_menu_button_of_an_unknown_bot_is_not_kept() -> None:
    cache = Cache()
    cache.keep_menu_button(7, MenuButton("Menu", "https://some.example/"))
    assert cache == Cache()


def test_an_app_is_forgotten_whatever_the_case_of_its_name() -> None:
    cache = filled()
    cache.forget_app(8, "App")
    assert cache.apps
    cache.forget_app(7, "APP")
    assert not cache.apps
    cache.forget_app(7, "APP")


def test_forgetting_bots_keeps_the_apps_and_the_confirmed() -> None:
    cache = filled()
    cache.forget_bots()
    assert cache.bots == {}
    assert cache.apps
    assert cache.confirmed == {7, 8}
