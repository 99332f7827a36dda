"""The bridge: what a page gets for what it sends, what is asked for outside, and what stays open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from launcher.bridge import effects
from launcher.bridge.answers import ANSWERS, Rights
from launcher.bridge.bridge import MAX_PENDING, Bridge, Reaction
from launcher.bridge.device import Clipboard, Device
from launcher.bridge.effects import Declined, Done, Failed
from launcher.bridge.outgoing import OUTGOING
from launcher.bridge.platforms import PLATFORMS

POPUP = {"message": "Sure?", "buttons": [{"id": "yes", "text": "Yes"}, {"type": "cancel"}]}
MINIMAL: dict[str, dict[str, Any]] = {
    "web_app_open_popup": POPUP,
    "web_app_send_prepared_message": {"id": "m1"},
    "web_app_request_chat": {"req_id": "r1"},
    "web_app_open_invoice": {"slug": "s1"},
    "web_app_read_text_from_clipboard": {"req_id": "r1"},
    "web_app_invoke_custom_method": {"req_id": "r1", "method": "getStorageKeys", "params": {}},
    "web_app_set_emoji_status": {"custom_emoji_id": "5"},
    "web_app_request_file_download": {"url": "https://example.org/a.pdf", "file_name": "a.pdf"},
    "web_app_biometry_update_token": {"token": "t"},
    "web_app_device_storage_save_key": {"req_id": "r1", "key": "k", "value": "v"},
    "web_app_device_storage_get_key": {"req_id": "r1", "key": "k"},
    "web_app_device_storage_clear": {"req_id": "r1"},
    "web_app_secure_storage_save_key": {"req_id": "r1", "key": "k", "value": "v"},
    "web_app_secure_storage_get_key": {"req_id": "r1", "key": "k"},
    "web_app_secure_storage_restore_key": {"req_id": "r1", "key": "k"},
    "web_app_secure_storage_clear": {"req_id": "r1"},
}
"""The least that each event with required parameters and a reply needs."""
OWING = [name for name, event in OUTGOING.items() if event.replies]


def send(bridge: Bridge, name: str, data: Any = None, now: float = 0.0) -> Reaction:
    """As a page does it: JSON text."""
    return bridge.receive(name, "" if data is None else json.dumps(data), now)


def settle(bridge: Bridge, reaction: Reaction) -> list[tuple[str, Any]]:
    """The replies, after every effect was declined and the user closed what is open."""
    replies = list(reaction.replies)
    for effect in reaction.effects:
        replies += bridge.resolve(effect, Declined()).replies
    if bridge.device.popup is not None:
        replies += bridge.dismiss_popup().replies
    if bridge.device.scanner.opened is not None:
        replies += bridge.close_scanner().replies
    return replies


def owed(name: str) -> set[str]:
    return {reply.name for reply in OUTGOING[name].replies}


# The promise


def test_every_event_has_its_function() -> None:
    assert ANSWERS.keys() == OUTGOING.keys()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", OWING)
def test_what_owes_a_reply_gets_one(name: str, platform: str) -> None:
    bridge = Bridge(platform)
    data = MINIMAL.get(name)
    replies = settle(bridge, send(bridge, name, data))
    answers = [payload for reply, payload in replies if reply in owed(name)]
    assert len(answers) == 1
    for key in ("req_id", "slug"):
        if data and key in data:
            assert answers[0][key] == data[key]
    assert bridge.pending() == []


@pytest.mark.parametrize("name", MINIMAL)
def test_what_is_malformed_gets_one_as_well(name: str) -> None:
    bridge = Bridge()
    damaged = {key: ["wrong"] for key in MINIMAL[name] if key not in ("req_id", "slug")}
    kept = {key: value for key, value in MINIMAL[name].items() if key == "req_id"}
    (reply,) = send(bridge, name, damaged | kept).replies or [("none", {})]
    if not OUTGOING[name].model_fields.keys() - {"req_id", "slug"}:
        return  # nothing of it can be wrong but what is repeated
    assert reply[0] in owed(name)
    assert reply[1].get("req_id") == kept.get("req_id")
    assert bridge.notes[-1].name == name


@pytest.mark.parametrize("name", ["web_app_made_up", "", "__proto__", "theme_changed", "x" * 10_000])
def test_unknown_events_are_ignored(name: str) -> None:
    bridge = Bridge()
    assert bridge.receive(name, "{}") == Reaction()
    assert len(bridge.notes[-1].name) <= 100


def test_a_huge_request_is_refused_under_its_id() -> None:
    bridge = Bridge()
    text = json.dumps({"req_id": "r9", "method": "saveStorageValue", "params": {"a": "x" * 9_000_000}})
    (reply,) = bridge.receive("web_app_invoke_custom_method", text).replies
    assert reply == ("custom_method_invoked", {"req_id": "r9", "error": "METHOD_INVALID"})


def test_parameters_too_large_for_any_method_are_refused() -> None:
    call = MINIMAL["web_app_invoke_custom_method"] | {"params": {"value": "x" * 300_000}}
    assert send(Bridge(), "web_app_invoke_custom_method", call) == Reaction(
        [("custom_method_invoked", {"req_id": "r1", "error": "DATA_JSON_INVALID"})]
    )


@pytest.mark.parametrize(
    ("faithful", "version", "then"),
    [(True, "6.9", "close"), (True, "7.0", "stay"), (False, "6.9", "stay")],
)
def test_only_old_clients_close_an_app_that_follows_a_link(faithful: bool, version: str, then: str) -> None:
    bridge = Bridge("android", version=version, faithful=faithful)
    (effect,) = send(bridge, "web_app_open_tg_link", {"path_full": "/demo_bot/app"}).effects
    assert isinstance(effect, effects.OpenTgLink)
    assert effect.then == then


@pytest.mark.parametrize("outcome", [Failed("X"), Declined()])
def test_an_end_that_does_not_come_leaves_the_page_heard(outcome: Any) -> None:
    bridge = Bridge()
    (asked,) = send(bridge, "web_app_request_phone").effects
    (effect,) = send(bridge, "web_app_data_send", {"data": "x"}).effects
    assert send(bridge, "web_app_request_theme") == Reaction()
    assert bridge.pending() == []
    assert bridge.resolve(effect, outcome) == Reaction()
    assert send(bridge, "web_app_request_theme").replies
    assert bridge.resolve(asked, Done()).replies == [("phone_requested", {"status": "sent"})]


def test_what_ended_while_the_page_was_not_heard_is_answered_when_it_is_again() -> None:
    bridge = Bridge()
    (asked,) = send(bridge, "web_app_request_phone").effects
    (effect,) = send(bridge, "web_app_data_send", {"data": "x"}).effects
    assert bridge.resolve(asked, Done()) == Reaction()
    assert bridge.resolve(effect, Failed("no")).replies == [("phone_requested", {"status": "sent"})]
    assert bridge.pending() == []


def test_what_a_platform_never_answers_takes_no_room() -> None:
    bridge = Bridge("android", faithful=True)
    for number in range(MAX_PENDING + 5):
        send(bridge, "web_app_invoke_custom_method", {"req_id": str(number)})
    kept = [each.req_id for each in bridge.unanswered(0.0)]
    assert kept == [str(number) for number in range(5, MAX_PENDING + 5)]
    assert send(bridge, "web_app_invoke_custom_method", MINIMAL["web_app_invoke_custom_method"]).effects


def test_a_flood_of_requests_is_bounded() -> None:
    bridge = Bridge()
    call = MINIMAL["web_app_invoke_custom_method"]
    reactions = [
        send(bridge, "web_app_invoke_custom_method", call | {"req_id": str(number)})
        for number in range(MAX_PENDING + 5)
    ]
    assert len(bridge.pending()) == MAX_PENDING
    assert [len(reaction.effects) for reaction in reactions[-6:]] == [1, 0, 0, 0, 0, 0]
    assert reactions[-1].replies[0][1] == {"req_id": str(MAX_PENDING + 4), "error": "UNSUPPORTED"}
    assert send(bridge, "web_app_request_theme").replies  # what needs nobody else is answered still


# Effects and their outcomes


@pytest.mark.parametrize(
    ("name", "effect", "outcomes"),
    [
        (
            "web_app_request_write_access",
            effects.RequestWriteAccess(),
            {
                Done(): ("write_access_requested", {"status": "allowed"}),
                Declined(): ("write_access_requested", {"status": "cancelled"}),
                Failed("X"): ("write_access_requested", {"status": "cancelled"}),
            },
        ),
        (
            "web_app_request_phone",
            effects.RequestPhone(),
            {
                Done(): ("phone_requested", {"status": "sent"}),
                Declined(): ("phone_requested", {"status": "cancelled"}),
                Failed("X"): ("phone_requested", {"status": "cancelled"}),
            },
        ),
        (
            "web_app_invoke_custom_method",
            effects.InvokeCustomMethod(req_id="r1", method="getStorageKeys", params="{}"),
            {
                Done(("a", "b")): ("custom_method_invoked", {"req_id": "r1", "result": ["a", "b"]}),
                Done(None): ("custom_method_invoked", {"req_id": "r1", "result": None}),
                Done(""): ("custom_method_invoked", {"req_id": "r1", "result": ""}),
                Done("5"): ("custom_method_invoked", {"req_id": "r1", "result": "5"}),
                Failed("X"): ("custom_method_invoked", {"req_id": "r1", "error": "X"}),
            },
        ),
        (
            "web_app_set_emoji_status",
            effects.SetEmojiStatus(custom_emoji_id=5, duration=None),
            {
                Done(): ("emoji_status_set", {}),
                Declined(): ("emoji_status_failed", {"error": "USER_DECLINED"}),
                Failed("DURATION_INVALID"): ("emoji_status_failed", {"error": "DURATION_INVALID"}),
                Failed("PREMIUM_ACCOUNT_REQUIRED"): ("emoji_status_failed", {"error": "SERVER_ERROR"}),
            },
        ),
        (
            "web_app_request_emoji_status_access",
            effects.RequestEmojiStatusAccess(),
            {
                Done(): ("emoji_status_access_requested", {"status": "allowed"}),
                Declined(): ("emoji_status_access_requested", {"status": "cancelled"}),
            },
        ),
        (
            "web_app_send_prepared_message",
            effects.SendPreparedMessage(message_id="m1"),
            {
                Done(): ("prepared_message_sent", {}),
                Declined(): ("prepared_message_failed", {"error": "USER_DECLINED"}),
                Failed("MESSAGE_EXPIRED"): ("prepared_message_failed", {"error": "MESSAGE_EXPIRED"}),
            },
        ),
        (
            "web_app_request_chat",
            effects.RequestChat(req_id="r1"),
            {
                Done(): ("requested_chat_sent", {"req_id": "r1"}),
                Declined(): ("requested_chat_failed", {"req_id": "r1", "error": "USER_DECLINED"}),
                Failed("X"): ("requested_chat_failed", {"req_id": "r1", "error": "X"}),
            },
        ),
        (
            "web_app_open_invoice",
            effects.OpenInvoice(slug="s1"),
            {
                Done("paid"): ("invoice_closed", {"slug": "s1", "status": "paid"}),
                Done("pending"): ("invoice_closed", {"slug": "s1", "status": "pending"}),
                Declined(): ("invoice_closed", {"slug": "s1", "status": "cancelled"}),
                Failed("PAYMENT_FAILED"): ("invoice_closed", {"slug": "s1", "status": "failed"}),
            },
        ),
        (
            "web_app_request_file_download",
            effects.RequestFileDownload(url="https://example.org/a.pdf", file_name="a.pdf"),
            {
                Done(): ("file_download_requested", {"status": "downloading"}),
                Declined(): ("file_download_requested", {"status": "cancelled"}),
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_outcome_becomes_the_reply(
    name: str, effect: effects.Effect, outcomes: dict[effects.Outcome, tuple[str, Any]]
) -> None:
    for outcome, reply in outcomes.items():
        bridge = Bridge()
        reaction = send(bridge, name, MINIMAL.get(name), now=1.0)
        assert reaction == Reaction([], [replace(effect, id=1)])
        assert [(each.name, each.since) for each in bridge.pending()] == [(name, 1.0)]
        assert bridge.resolve(reaction.effects[0], outcome) == Reaction([reply])
        assert bridge.pending() == []
        assert bridge.resolve(reaction.effects[0], outcome) == Reaction()


@pytest.mark.parametrize(
    ("name", "data", "effect"),
    [
        ("web_app_close", {"return_back": True}, effects.Close(return_back=True)),
        ("web_app_data_send", {"data": "two pizzas"}, effects.SendData(data="two pizzas")),
        (
            "web_app_switch_inline_query",
            {"query": "q", "chat_types": ["users"]},
            effects.SwitchInline(query="q", chat_types=("users",)),
        ),
        ("web_app_verify_age", {"passed": True, "age": 21}, effects.VerifyAge(passed=True, age=21.0)),
    ],
)
def test_some_effects_are_the_end(name: str, data: Any, effect: effects.Effect) -> None:
    bridge = Bridge()
    phone = send(bridge, "web_app_request_phone").effects[0]
    assert send(bridge, name, data).effects == [replace(effect, id=2)]
    assert bridge.closed
    assert send(bridge, name, data) == send(bridge, "web_app_request_theme") == Reaction()
    assert bridge.resolve(phone, Done()) == bridge.set_visible(False) == Reaction()
    assert bridge.pending() == []


@pytest.mark.parametrize(
    ("name", "data", "effect"),
    [
        (
            "web_app_open_link",
            {"url": "https://example.org", "try_instant_view": True, "try_browser": "firefox"},
            effects.OpenLink(url="https://example.org", try_instant_view=True, try_browser="firefox"),
        ),
        (
            "web_app_open_tg_link",
            {"path_full": "/demo_bot/app?startapp=x"},
            effects.OpenTgLink(path_full="/demo_bot/app?startapp=x", force_request=False, then="stay"),
        ),
        (
            "web_app_share_to_story",
            {"media_url": "https://example.org/a.jpg", "widget_link": {"url": "https://t.me", "name": "n"}},
            effects.ShareToStory(
                media_url="https://example.org/a.jpg", text=None, widget_link=("https://t.me", "n")
            ),
        ),
    ],
)
def test_some_effects_owe_nothing(name: str, data: Any, effect: effects.Effect) -> None:
    bridge = Bridge()
    assert send(bridge, name, data) == Reaction([], [replace(effect, id=1)])
    assert not bridge.closed
    assert bridge.resolve(replace(effect, id=1), Done()) == Reaction()


def test_an_invoice_ends_in_a_known_way() -> None:
    bridge = Bridge()
    (effect,) = send(bridge, "web_app_open_invoice", {"slug": "s1"}).effects
    with pytest.raises(ValueError, match="paid, failed, pending, cancelled"):
        bridge.resolve(effect, Done("refunded"))
    assert bridge.resolve(effect, Done("paid")).replies == [
        ("invoice_closed", {"slug": "s1", "status": "paid"})
    ]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "//example.org", "http://[", "tg://a"]
)
def test_only_allowed_protocols_are_opened(url: str) -> None:
    bridge = Bridge()
    assert send(bridge, "web_app_open_link", {"url": url}) == Reaction()
    assert not bridge.device.links
    tdesktop = Bridge("tdesktop", faithful=True)
    assert send(tdesktop, "web_app_open_link", {"url": url}).effects == [effects.Close(id=1)]


def test_rights_are_the_launchs() -> None:
    bridge = Bridge(rights=Rights(data=False, inline=False, clipboard=False, protocols=frozenset({"ftp"})))
    assert send(bridge, "web_app_data_send", {"data": "x"}) == Reaction()
    assert send(bridge, "web_app_switch_inline_query", {"query": "x"}) == Reaction()
    assert send(bridge, "web_app_open_link", {"url": "https://example.org"}) == Reaction()
    assert send(bridge, "web_app_open_link", {"url": "FTP://example.org"}).effects
    assert send(bridge, "web_app_read_text_from_clipboard", {"req_id": "1"}).replies == [
        ("clipboard_text_received", {"req_id": "1"})
    ]
    assert not bridge.closed


# One at a time, and what is open


@pytest.mark.parametrize("name", ["web_app_request_phone", "web_app_request_write_access"])
def test_a_request_joins_the_open_one_of_its_type(name: str) -> None:
    bridge = Bridge()
    first = send(bridge, name)
    assert send(bridge, name) == Reaction()
    assert [each.times for each in bridge.pending()] == [2]
    assert len(bridge.resolve(first.effects[0], Done()).replies) == 1
    assert bridge.pending() == []
    assert send(bridge, name).effects


def test_requests_with_ids_are_their_own() -> None:
    bridge = Bridge()
    call = MINIMAL["web_app_invoke_custom_method"]
    first, second = (
        send(bridge, "web_app_invoke_custom_method", call | {"req_id": req_id}).effects[0] for req_id in "ab"
    )
    assert bridge.resolve(second, Done(2)).replies == [
        ("custom_method_invoked", {"req_id": "b", "result": 2})
    ]
    assert [each.req_id for each in bridge.pending()] == ["a"]
    assert bridge.resolve(first, Done(1)).replies == [("custom_method_invoked", {"req_id": "a", "result": 1})]


def test_a_second_invoice_is_cancelled() -> None:
    bridge = Bridge()
    (effect,) = send(bridge, "web_app_open_invoice", {"slug": "one"}).effects
    assert send(bridge, "web_app_open_invoice", {"slug": "two"}) == Reaction(
        [("invoice_closed", {"slug": "two", "status": "cancelled"})]
    )
    assert send(bridge, "web_app_open_invoice", {"slug": "one"}) == Reaction()
    assert bridge.resolve(effect, Done("paid")).replies[0][1]["slug"] == "one"


def test_what_takes_too_long_is_named() -> None:
    bridge = Bridge()
    send(bridge, "web_app_request_phone", now=100.0)
    send(bridge, "web_app_open_popup", POPUP, now=105.0)
    assert bridge.unanswered(110.0) == []
    assert [each.name for each in bridge.unanswered(111.0)] == ["web_app_request_phone"]
    assert [each.name for each in bridge.unanswered(111.0, after=1)] == [
        "web_app_request_phone",
        "web_app_open_popup",
    ]


def test_a_script_may_answer_itself() -> None:
    bridge = Bridge()
    (effect,) = send(bridge, "web_app_request_phone").effects
    assert bridge.emit("phone_requested", {"status": "sent"}).replies == [
        ("phone_requested", {"status": "sent"})
    ]
    assert bridge.pending() == []
    assert effect.owes_reply


@pytest.mark.parametrize("how", ["iframe_will_reload", "navigation"])
def test_a_page_that_starts_anew_waits_for_nothing(how: str) -> None:
    bridge = Bridge()
    (effect,) = send(bridge, "web_app_request_phone").effects
    send(bridge, "web_app_open_popup", POPUP)
    send(bridge, "web_app_start_gyroscope")
    if how == "navigation":
        bridge.reloaded()
    else:
        send(bridge, how)
    assert bridge.pending() == []
    assert bridge.device.popup is None
    assert bridge.next_due() is None
    assert bridge.resolve(effect, Done()) == Reaction()


# As a platform does it


@pytest.mark.parametrize(
    ("platform", "name", "replies"),
    [
        ("tdesktop", "web_app_start_gyroscope", [("gyroscope_failed", {"error": "UNSUPPORTED"})]),
        ("tdesktop", "web_app_check_location", [("location_checked", {"available": False})]),
        ("tdesktop", "web_app_biometry_get_info", [("biometry_info_received", {"available": False})]),
        ("tdesktop", "web_app_check_home_screen", [("home_screen_checked", {"status": "unsupported"})]),
        ("tdesktop", "web_app_open_scan_qr_popup", [("scan_qr_popup_closed", {})]),
        ("weba", "web_app_check_home_screen", [("home_screen_checked", {"status": "unsupported"})]),
        ("macos", "web_app_check_home_screen", [("home_screen_checked", {"status": "unsupported"})]),
        ("android", "web_app_check_home_screen", [("home_screen_checked", {"status": "missed"})]),
        (
            "weba",
            "web_app_device_storage_get_key",
            [("device_storage_failed", {"req_id": "r1", "error": "UNSUPPORTED"})],
        ),
        (
            "tdesktop",
            "web_app_device_storage_get_key",
            [("device_storage_key_received", {"req_id": "r1", "value": None})],
        ),
        (
            "tdesktop",
            "web_app_secure_storage_get_key",
            [("secure_storage_failed", {"req_id": "r1", "error": "UNSUPPORTED"})],
        ),
        (
            "tdesktop",
            "web_app_request_viewport",
            [("viewport_changed", {"height": 900.0, "is_expanded": True, "is_state_stable": True})],
        ),
        (
            "weba",
            "web_app_request_viewport",
            [
                (
                    "viewport_changed",
                    {"height": 900.0, "width": 400.0, "is_expanded": True, "is_state_stable": True},
                )
            ],
        ),
        (
            "android",
            "web_app_request_viewport",
            [("viewport_changed", {"height": 500.0, "is_expanded": False, "is_state_stable": True})],
        ),
    ],
)
def test_a_platform_answers_in_its_way(platform: str, name: str, replies: list[tuple[str, Any]]) -> None:
    bridge = Bridge(platform, Device(width=400, height=900, folded_height=500, is_expanded=False))
    assert send(bridge, name, MINIMAL.get(name)).replies == replies


def test_fullscreen_twice() -> None:
    for platform, second in (
        ("android", ("fullscreen_failed", {"error": "ALREADY_FULLSCREEN"})),
        ("tdesktop", ("fullscreen_changed", {"is_fullscreen": True})),
    ):
        bridge = Bridge(platform)
        assert send(bridge, "web_app_request_fullscreen").replies[0][1] == {"is_fullscreen": True}
        assert send(bridge, "web_app_request_fullscreen").replies == [second]


def silences(bridge: Bridge) -> list[str]:
    return [each.name for each in bridge.unanswered(0.0)]


def test_faithful_telegram_desktop_does_not_answer_the_scanner() -> None:
    bridge = Bridge("tdesktop", faithful=True)
    assert send(bridge, "web_app_open_scan_qr_popup") == Reaction()
    assert silences(bridge) == ["web_app_open_scan_qr_popup"]


def test_faithful_telegram_desktop_dismisses_a_popup_without_payload() -> None:
    bridge = Bridge("tdesktop", faithful=True)
    send(bridge, "web_app_open_popup", POPUP)
    assert silences(bridge) == []
    assert bridge.dismiss_popup().replies == [("popup_closed", None)]
    assert silences(bridge) == ["web_app_open_popup"]
    send(bridge, "web_app_open_popup", POPUP)
    assert bridge.press_popup("yes").replies == [("popup_closed", {"button_id": "yes"})]
    assert silences(bridge) == []
    lenient = Bridge("tdesktop")
    send(lenient, "web_app_open_popup", POPUP)
    assert lenient.dismiss_popup().replies == [("popup_closed", {})]


@pytest.mark.parametrize("name", sorted(PLATFORMS["tdesktop"].closes))
def test_faithful_telegram_desktop_closes_on_malformed_arguments(name: str) -> None:
    assert send(Bridge("tdesktop", faithful=True), name, {}).effects == [effects.Close(id=1)]
    assert send(Bridge("tdesktop"), name, {}).effects == []
    android = Bridge("android", faithful=True)
    assert send(android, name, {}) == Reaction()
    assert silences(android) == ([name] if OUTGOING[name].replies else [])


def test_faithful_web_a() -> None:
    bridge = Bridge("weba", faithful=True)
    assert send(bridge, "web_app_check_home_screen").replies == [
        ("home_screen_failed", {"error": "UNSUPPORTED"})
    ]
    assert silences(bridge) == ["web_app_check_home_screen"]
    send(bridge, "web_app_open_popup", POPUP)
    assert send(bridge, "web_app_open_popup", POPUP).replies == [("popup_closed", {})]


def test_faithful_unigram_reports_failure_as_success() -> None:
    bridge = Bridge("unigram", faithful=True)
    restore = {"req_id": "r1", "key": "k"}
    assert send(bridge, "web_app_secure_storage_restore_key", restore).replies == [
        ("secure_storage_cleared", {"req_id": "r1"})
    ]
    assert silences(bridge) == ["web_app_secure_storage_restore_key"]
    assert send(Bridge("unigram"), "web_app_secure_storage_restore_key", restore).replies == [
        ("secure_storage_failed", {"req_id": "r1", "error": "RESTORE_UNAVAILABLE"})
    ]


def test_a_faithful_old_client_does_not_know_what_is_newer() -> None:
    bridge = Bridge(version="6.9", faithful=True)
    assert send(bridge, "web_app_check_location") == Reaction()
    assert silences(bridge) == ["web_app_check_location"]
    (link,) = send(bridge, "web_app_open_tg_link", {"path_full": "/a"}).effects
    assert isinstance(link, effects.OpenTgLink)
    assert link.then == "close"
    assert send(Bridge(version="6.9"), "web_app_check_location").replies


def test_web_a_minimises_for_a_link() -> None:
    (link,) = send(Bridge("weba"), "web_app_open_tg_link", {"path_full": "/a"}).effects
    assert isinstance(link, effects.OpenTgLink)
    assert (link.then, link.url) == ("minimise", "https://t.me/a")


@pytest.mark.parametrize("options", [{"platform": "nokia"}, {"version": "new"}])
def test_a_bridge_is_of_a_known_kind(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"android|8\.0"):
        Bridge(**options)


# Clicks and floods


def test_what_must_be_the_users_doing_needs_a_click() -> None:
    bridge = Bridge("android", paced=True)
    ask = MINIMAL["web_app_read_text_from_clipboard"]
    bridge.device.clipboard = Clipboard("text", agrees=True)
    denied = [("clipboard_text_received", {"req_id": "r1"})]
    assert send(bridge, "web_app_read_text_from_clipboard", ask, now=1.0).replies == denied
    bridge.clicked(5.0)
    assert send(bridge, "web_app_read_text_from_clipboard", ask, now=15.0).replies[0][1]["data"] == "text"
    assert send(bridge, "web_app_read_text_from_clipboard", ask, now=15.1).replies == denied
    assert send(Bridge("android"), "web_app_read_text_from_clipboard", ask).effects  # no rule, but a question


def test_a_press_on_the_clients_own_buttons_is_a_click() -> None:
    ask = MINIMAL["web_app_read_text_from_clipboard"]
    for opens, data, press in (
        ("web_app_setup_main_button", {"is_visible": True, "text": "Pay"}, Bridge.press_main_button),
        ("web_app_setup_secondary_button", {"is_visible": True}, Bridge.press_secondary_button),
        ("web_app_setup_back_button", {"is_visible": True}, Bridge.press_back_button),
        ("web_app_setup_settings_button", {"is_visible": True}, Bridge.press_settings_button),
        ("web_app_open_popup", POPUP, Bridge.dismiss_popup),
    ):
        bridge = Bridge("android", paced=True)
        bridge.device.clipboard = Clipboard("text", agrees=True)
        send(bridge, opens, data, now=1.0)
        assert "data" not in send(bridge, "web_app_read_text_from_clipboard", ask, now=2.0).replies[0][1]
        press(bridge, now=5.0)
        assert send(bridge, "web_app_read_text_from_clipboard", ask, now=15.0).replies[0][1]["data"] == "text"


def test_telegram_desktop_wants_a_fresh_click_for_the_clipboard() -> None:
    ask = MINIMAL["web_app_read_text_from_clipboard"]
    bridge = Bridge("tdesktop", paced=True)
    bridge.device.clipboard = Clipboard("text", agrees=True)
    bridge.clicked(5.0)
    assert send(bridge, "web_app_read_text_from_clipboard", ask, now=6.0).replies[0][1]["data"] == "text"
    late = send(bridge, "web_app_read_text_from_clipboard", ask, now=6.1)
    assert late.replies == [("clipboard_text_received", {"req_id": "r1"})]


def test_android_takes_a_story_every_two_seconds() -> None:
    bridge = Bridge("android", paced=True)
    bridge.clicked(0.0)
    story = {"media_url": "https://example.org/a.jpg"}
    taken = [bool(send(bridge, "web_app_share_to_story", story, now=now).effects) for now in (0, 1.9, 2.0)]
    assert taken == [True, False, True]


def test_one_link_per_click() -> None:
    bridge = Bridge("ios", paced=True)
    bridge.clicked(1.0)
    assert send(bridge, "web_app_open_link", {"url": "https://a.example"}, now=1.5).effects
    assert not send(bridge, "web_app_open_link", {"url": "https://a.example"}, now=1.6).effects
    bridge.clicked(2.0)
    assert not send(bridge, "web_app_open_link", {"url": "https://a.example"}, now=3.1).effects
    assert send(bridge, "web_app_open_link", {"url": "https://a.example"}, now=3.0).effects


def popups(bridge: Bridge, *times: float) -> list[bool]:
    """Whether a popup opened at each of these times; the user closes each at once."""
    shown = []
    for now in times:
        reaction = send(bridge, "web_app_open_popup", POPUP, now)
        shown.append(bridge.device.popup is not None)
        if shown[-1]:
            bridge.press_popup("yes", now)
        else:
            assert reaction.replies == [("popup_closed", {})]
    return shown


def test_three_popups_in_three_seconds() -> None:
    assert popups(Bridge("ios", paced=True), 0, 1, 2, 2.9, 3.0, 3.5) == [True, True, True, False, True, False]
    assert all(popups(Bridge("ios"), *range(10)))


def test_a_third_popup_at_once_cools_android_down() -> None:
    bridge = Bridge("android", paced=True)
    assert popups(bridge, 0, 0.1, 0.2, 3.1, 3.3) == [True, True, False, False, True]
    assert popups(Bridge("android", paced=True), 0, 0.2, 0.4, 0.6) == [True, True, True, True]


def test_android_stops_asking_for_the_phone() -> None:
    bridge = Bridge("android", paced=True)
    for now in range(3):
        (effect,) = send(bridge, "web_app_request_phone", now=now).effects
        bridge.resolve(effect, Declined(), now)
    assert send(bridge, "web_app_request_phone", now=4.0).replies == [
        ("phone_requested", {"status": "cancelled"})
    ]
    assert send(bridge, "web_app_request_write_access", now=4.0).effects
    assert send(bridge, "web_app_request_phone", now=7.0).effects


def test_web_k_shows_no_popup_for_a_while_after_too_many() -> None:
    shown = popups(Bridge("web", paced=True), 0, 1, 2, 2.9, 4.5, 5.8, 5.9)
    assert shown == [True, True, True, False, False, False, True]


def test_web_a_counts_all_dialogs_together() -> None:
    bridge = Bridge("weba", paced=True)
    assert popups(bridge, 0, 0.1, 0.2) == [True, True, True]
    assert send(bridge, "web_app_request_phone", now=0.3).replies == [
        ("phone_requested", {"status": "cancelled"})
    ]
    assert send(bridge, "web_app_request_phone", now=2.1).effects
