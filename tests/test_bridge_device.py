"""The phone: what a page makes of it, what its user does, what it tells the page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from launcher.bridge.bridge import Bridge, Reaction
from launcher.bridge.device import (
    LOG,
    Biometry,
    Button,
    Clipboard,
    Device,
    DeviceStorage,
    Haptic,
    HomeScreen,
    Location,
    NotPossible,
    SecureStorage,
)
from launcher.bridge.effects import AskUser, Declined, Done
from tests.test_bridge import MINIMAL, POPUP, send

DARK = {"bg_color": "#101010", "text_color": "#f0f0f0"}


def reply(bridge: Bridge, name: str, data: Any = None) -> Any:
    """The payload of the one reply."""
    ((_, payload),) = send(bridge, name, data).replies
    return payload


# Buttons


@pytest.mark.parametrize("which", ["main", "secondary"])
def test_a_button_below_the_app(which: str) -> None:
    bridge = Bridge()
    button: Button = getattr(bridge.device, f"{which}_button")
    press = getattr(bridge, f"press_{which}_button")
    setup = f"web_app_setup_{which}_button"
    with pytest.raises(NotPossible, match=f"the {which} button is hidden"):
        press()
    send(bridge, setup, {"is_visible": True, "text": "Pay", "color": "#ff0000", "has_shine_effect": True})
    assert press() == Reaction([(f"{which}_button_pressed", {})])
    assert (button.text, button.color, button.has_shine_effect) == ("Pay", "#ff0000", True)
    send(bridge, setup, {"is_active": False})
    with pytest.raises(NotPossible, match="is inactive"):
        press()
    send(bridge, setup, {"is_active": True, "is_progress_visible": True, "text": "x" * 65})
    with pytest.raises(NotPossible, match="shows progress"):
        press()
    assert (button.text, button.color) == ("Pay", "#ff0000")  # too long a text counts as none


def test_the_secondary_button_has_a_place() -> None:
    bridge = Bridge()
    send(bridge, "web_app_setup_secondary_button", {"position": "top"})
    send(bridge, "web_app_setup_secondary_button", {"position": "behind"})
    assert bridge.device.secondary_button.position == "top"


@pytest.mark.parametrize("which", ["back", "settings"])
def test_a_button_of_the_client(which: str) -> None:
    bridge = Bridge()
    press = getattr(bridge, f"press_{which}_button")
    with pytest.raises(NotPossible, match=f"the {which} button is hidden"):
        press()
    send(bridge, f"web_app_setup_{which}_button", {"is_visible": True})
    assert press() == Reaction([(f"{which}_button_pressed", {})])
    send(bridge, f"web_app_setup_{which}_button", {"is_visible": False})
    with pytest.raises(NotPossible):
        press()


def test_a_popup_covers_the_buttons() -> None:
    bridge = Bridge()
    send(bridge, "web_app_setup_main_button", {"is_visible": True})
    send(bridge, "web_app_open_popup", POPUP)
    with pytest.raises(NotPossible, match="popup"):
        bridge.press_main_button()


# Dialogs


def test_a_popup_is_pressed_or_dismissed() -> None:
    bridge = Bridge()
    with pytest.raises(NotPossible, match="no popup is open"):
        bridge.press_popup("yes")
    with pytest.raises(NotPossible, match="no popup is open"):
        bridge.dismiss_popup()
    assert send(bridge, "web_app_open_popup", POPUP) == Reaction()
    assert bridge.device.popup is not None
    assert bridge.device.popup.message == "Sure?"
    with pytest.raises(NotPossible, match=r"no button 'no', only 'yes', ''"):
        bridge.press_popup("no")
    assert bridge.press_popup("yes") == Reaction([("popup_closed", {"button_id": "yes"})])
    send(bridge, "web_app_open_popup", POPUP)
    assert bridge.press_popup("") == Reaction([("popup_closed", {"button_id": ""})])
    send(bridge, "web_app_open_popup", POPUP)
    assert bridge.dismiss_popup() == Reaction([("popup_closed", {})])
    assert bridge.device.popup is None


def test_a_second_popup_does_not_replace_the_first() -> None:
    bridge = Bridge()
    send(bridge, "web_app_open_popup", POPUP)
    assert send(bridge, "web_app_open_popup", POPUP | {"message": "Really?"}) == Reaction()
    assert bridge.device.popup is not None
    assert bridge.device.popup.message == "Sure?"


@pytest.mark.parametrize(("answer", "payload"), [("yes", {"button_id": "yes"}), ("", {}), ("no", {})])
def test_a_popup_may_be_answered_beforehand(answer: str, payload: dict[str, str]) -> None:
    bridge = Bridge(device=Device(on_popup=answer))
    assert reply(bridge, "web_app_open_popup", POPUP) == payload
    assert bridge.device.popup is None


def test_the_scanner_stays_open_until_it_is_closed() -> None:
    bridge = Bridge()
    with pytest.raises(NotPossible, match="no code scanner is open"):
        bridge.scan("a")
    assert send(bridge, "web_app_open_scan_qr_popup", {"text": "Scan!"}) == Reaction()
    assert bridge.scan("a") == Reaction([("qr_text_received", {"data": "a"})])
    assert bridge.scan("b") == Reaction([("qr_text_received", {"data": "b"})])
    assert [each.name for each in bridge.pending()] == ["web_app_open_scan_qr_popup"]
    assert bridge.close_scanner() == Reaction([("scan_qr_popup_closed", {})])
    assert bridge.pending() == []


def test_a_page_may_close_the_scanner_itself() -> None:
    bridge = Bridge()
    send(bridge, "web_app_open_scan_qr_popup")
    assert send(bridge, "web_app_close_scan_qr_popup") == Reaction()
    assert bridge.pending() == []
    with pytest.raises(NotPossible):
        bridge.close_scanner()


def test_codes_may_lie_ready() -> None:
    bridge = Bridge()
    bridge.device.scanner.ready = ["a"]
    assert send(bridge, "web_app_open_scan_qr_popup").replies == [
        ("qr_text_received", {"data": "a"}),
        ("scan_qr_popup_closed", {}),
    ]


def test_the_clipboard_is_not_shown() -> None:
    bridge = Bridge(device=Device(clipboard=Clipboard("swordfish", agrees=True)))
    assert reply(bridge, "web_app_read_text_from_clipboard", {"req_id": "1"}) == {
        "req_id": "1", "data": "swordfish",
    }  # fmt: skip
    assert "swordfish" not in repr(bridge.device)


# Screen and colours


def test_the_theme_is_told_on_request_and_on_change() -> None:
    bridge = Bridge(device=Device(theme={"bg_color": "#ffffff"}))
    assert reply(bridge, "web_app_request_theme") == {"theme_params": {"bg_color": "#ffffff"}}
    assert bridge.set_theme(DARK) == Reaction([("theme_changed", {"theme_params": DARK})])
    assert reply(bridge, "web_app_request_theme") == {"theme_params": DARK}
    with pytest.raises(ValueError, match="bg_color"):
        bridge.set_theme({"bg_color": "black"})
    assert bridge.device.theme == DARK


def test_the_viewport_is_told_on_request_and_on_change() -> None:
    bridge = Bridge("android", Device(height=900, folded_height=500, is_expanded=False))
    assert reply(bridge, "web_app_request_viewport")["height"] == 500
    expanded = {"height": 900, "is_expanded": True, "is_state_stable": True}
    assert reply(bridge, "web_app_expand") == reply(bridge, "web_app_request_viewport") == expanded
    assert bridge.set_viewport(height=600).replies == [("viewport_changed", expanded | {"height": 600})]
    ((_, moving),) = bridge.set_viewport(height=601, is_stable=False).replies
    assert (moving["height"], moving["is_state_stable"]) == (601, False)
    ((_, folded),) = bridge.set_viewport(is_expanded=False).replies
    assert (folded["height"], folded["is_expanded"]) == (500, False)


def test_fullscreen_is_entered_and_left() -> None:
    bridge = Bridge(device=Device(controls=40))
    assert send(bridge, "web_app_exit_fullscreen").replies == [
        ("fullscreen_changed", {"is_fullscreen": False})
    ]
    names = [name for name, _ in send(bridge, "web_app_request_fullscreen").replies]
    assert names == ["fullscreen_changed", "content_safe_area_changed", "viewport_changed"]
    assert reply(bridge, "web_app_request_content_safe_area")["top"] == 40
    send(bridge, "web_app_exit_fullscreen")
    assert reply(bridge, "web_app_request_content_safe_area")["top"] == 0
    assert bridge.set_fullscreen(True).replies[0] == ("fullscreen_changed", {"is_fullscreen": True})
    unable = Bridge(device=Device(can_fullscreen=False))
    assert reply(unable, "web_app_request_fullscreen") == {"error": "UNSUPPORTED"}


def test_safe_areas_and_visibility() -> None:
    bridge = Bridge()
    assert reply(bridge, "web_app_request_safe_area") == dict.fromkeys(("top", "bottom", "left", "right"), 0)
    ((name, insets),) = bridge.set_safe_area(top=30, bottom=20).replies
    assert name == "safe_area_changed"
    assert insets == reply(bridge, "web_app_request_safe_area")
    assert insets == {"top": 30, "bottom": 20, "left": 0, "right": 0}
    assert bridge.set_visible(False).replies == [("visibility_changed", {"is_visible": False})]
    assert not bridge.device.is_visible


@pytest.mark.parametrize(
    ("name", "data", "field", "value"),
    [
        ("web_app_ready", None, "is_ready", True),
        ("web_app_setup_closing_behavior", {"need_confirmation": True}, "confirms_closing", True),
        ("web_app_setup_swipe_behavior", {"allow_vertical_swipe": False}, "swipes_vertically", False),
        ("web_app_toggle_orientation_lock", {"locked": True}, "orientation_locked", True),
        ("web_app_hide_keyboard", None, "keyboard_shown", False),
        ("iframe_ready", {"reload_supported": True}, "reload_supported", True),
    ],
)
def test_what_a_page_sets(name: str, data: Any, field: str, value: bool) -> None:
    bridge = Bridge(device=Device(keyboard_shown=True))
    assert getattr(bridge.device, field) is not value
    assert send(bridge, name, data) == Reaction()
    assert getattr(bridge.device, field) is value


def test_the_colours_of_a_page() -> None:
    bridge = Bridge()
    send(bridge, "web_app_set_header_color", {"color_key": "secondary_bg_color"})
    send(bridge, "web_app_set_background_color", {"color": "#123456"})
    send(bridge, "web_app_set_bottom_bar_color", {"color": "bottom_bar_bg_color"})
    colors = bridge.device.colors
    assert (colors.header, colors.background, colors.bottom_bar) == (
        "secondary_bg_color", "#123456", "bottom_bar_bg_color",
    )  # fmt: skip
    send(bridge, "web_app_set_header_color", {"color": "#abcdef"})
    send(bridge, "web_app_set_background_color", {"color": "red"})
    assert (colors.header, colors.background) == ("#abcdef", "#123456")


def test_haptics_are_remembered_within_bounds() -> None:
    bridge = Bridge()
    for style in ["light"] * LOG + ["heavy"]:
        send(bridge, "web_app_trigger_haptic_feedback", {"type": "impact", "impact_style": style})
    assert len(bridge.device.haptics) == LOG
    assert bridge.device.haptics[-1] == Haptic("impact", "heavy")


def test_a_frame_gets_its_style_and_is_reloaded() -> None:
    bridge = Bridge("weba", Device(custom_style="a { color: red }"))
    assert send(bridge, "iframe_ready").replies == [("set_custom_style", "a { color: red }")]
    assert bridge.reload_frame().replies == [("reload_iframe", {})]


# Home screen, biometry, location


def test_an_icon_on_the_home_screen() -> None:
    bridge = Bridge(device=Device(home_screen=HomeScreen(agrees=True)))
    assert reply(bridge, "web_app_check_home_screen") == {"status": "missed"}
    assert send(bridge, "web_app_add_to_home_screen").replies == [("home_screen_added", {})]
    assert reply(bridge, "web_app_check_home_screen") == {"status": "added"}
    for home in (HomeScreen("unsupported"), HomeScreen(agrees=False)):
        refusing = Bridge(device=Device(home_screen=home))
        assert send(refusing, "web_app_add_to_home_screen").replies == [
            ("home_screen_failed", {"error": "UNSUPPORTED"})
        ]


def test_biometry_from_asking_to_a_token() -> None:
    bridge = Bridge(device=Device(biometry=Biometry(agrees=True)))
    info = reply(bridge, "web_app_biometry_get_info")
    assert info == {
        "available": True, "access_requested": False, "access_granted": False, "token_saved": False,
        "device_id": "device", "type": "finger",
    }  # fmt: skip
    assert reply(bridge, "web_app_biometry_request_auth") == {"status": "failed"}
    granted = info | {"access_requested": True, "access_granted": True}
    assert reply(bridge, "web_app_biometry_request_access", {"reason": "why"}) == granted
    assert reply(bridge, "web_app_biometry_request_auth") == {"status": "authorized", "token": ""}
    assert reply(bridge, "web_app_biometry_update_token", {"token": "s3cret"}) == {"status": "updated"}
    assert "s3cret" not in repr(bridge.device)
    assert reply(bridge, "web_app_biometry_get_info")["token_saved"] is True
    assert reply(bridge, "web_app_biometry_request_auth") == {"status": "authorized", "token": "s3cret"}
    assert reply(bridge, "web_app_biometry_update_token", {"token": ""}) == {"status": "removed"}
    assert reply(bridge, "web_app_biometry_get_info")["token_saved"] is False
    bridge.device.biometry.recognises = False
    assert reply(bridge, "web_app_biometry_request_auth") == {"status": "failed"}
    assert reply(bridge, "web_app_biometry_update_token", {"token": "a"}) == {"status": "failed"}


def test_biometry_declined_or_not_there() -> None:
    declined = Bridge(device=Device(biometry=Biometry(agrees=False)))
    info = reply(declined, "web_app_biometry_request_access")
    assert (info["access_requested"], info["access_granted"]) == (True, False)
    missing = Bridge(device=Device(biometry=Biometry(available=False)))
    for name in ("web_app_biometry_get_info", "web_app_biometry_request_access"):
        assert reply(missing, name) == {"available": False}
    assert reply(missing, "web_app_biometry_update_token", {"token": "a"}) == {"status": "failed"}


QUESTIONS = {
    "biometry": ("web_app_biometry_request_access", {}),
    "clipboard": ("web_app_read_text_from_clipboard", {"req_id": "1"}),
    "home_screen": ("web_app_add_to_home_screen", None),
    "location": ("web_app_request_location", None),
    "storage_restore": ("web_app_secure_storage_restore_key", {"req_id": "1", "key": "old"}),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_user_is_asked_and_the_event_goes_on_with_the_answer(question: str) -> None:
    name, data = QUESTIONS[question]
    said = {}
    for outcome in (Done(), Declined()):
        bridge = Bridge(device=Device(secure_storage=SecureStorage(restorable={"old": "kept"})))
        asked = send(bridge, name, data)
        assert asked.replies == []
        assert isinstance(asked.effects[0], AskUser)
        assert (asked.effects[0].question, asked.effects[0].name) == (question, name)
        assert [pending.name for pending in bridge.pending()] == [name]
        (said[type(outcome)],) = bridge.resolve(asked.effects[0], outcome).replies
        assert bridge.pending() == []
        assert bridge.resolve(asked.effects[0], outcome) == Reaction()
    assert said[Done] != said[Declined]


def test_who_is_asked_while_the_page_starts_anew_answers_nobody() -> None:
    bridge = Bridge()
    asked = send(bridge, "web_app_request_location").effects[0]
    bridge.reloaded()
    assert bridge.resolve(asked, Done()) == Reaction()
    assert not bridge.device.location.access_granted


def test_location() -> None:
    bridge = Bridge(device=Device(location=Location(agrees=True, latitude=48, longitude=2.5, speed=3.0)))
    assert reply(bridge, "web_app_check_location") == {
        "available": True, "access_requested": False, "access_granted": False,
    }  # fmt: skip
    found = reply(bridge, "web_app_request_location")
    assert (found["available"], found["latitude"], found["longitude"]) == (True, 48.0, 2.5)
    assert (found["speed"], found["altitude"]) == (3.0, None)
    assert reply(bridge, "web_app_check_location")["access_granted"] is True
    declined = Bridge(device=Device(location=Location(agrees=False)))
    assert reply(declined, "web_app_request_location") == {"available": False}
    assert reply(declined, "web_app_check_location")["access_requested"] is True
    missing = Bridge(device=Device(location=Location(available=False)))
    assert reply(missing, "web_app_check_location") == reply(missing, "web_app_request_location")


def test_settings_are_opened() -> None:
    bridge = Bridge()
    send(bridge, "web_app_open_location_settings")
    send(bridge, "web_app_biometry_open_settings")
    assert list(bridge.device.settings_opened) == ["location", "biometry"]


# Sensors


@pytest.mark.parametrize("which", ["accelerometer", "gyroscope", "device_orientation"])
def test_a_sensor_streams_at_the_asked_rate(which: str) -> None:
    bridge = Bridge()
    assert bridge.next_due() is None
    assert send(bridge, f"web_app_start_{which}", {"refresh_rate": 100}, now=10.0).replies == [
        (f"{which}_started", {})
    ]
    times = [tenth / 100 for tenth in range(1000, 1100)]  # 10.00 to 10.99
    seen = [now for now in times if bridge.due(now).replies]
    assert seen == pytest.approx([10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 10.7, 10.8, 10.9], abs=0.011)
    assert bridge.next_due() is not None
    assert send(bridge, f"web_app_stop_{which}").replies == [(f"{which}_stopped", {})]
    assert bridge.due(99.0) == Reaction()
    assert bridge.next_due() is None


def test_what_sensors_measure_is_set() -> None:
    bridge = Bridge()
    device = bridge.device
    device.accelerometer.value = (1, 2, 3)
    device.gyroscope.value = (4, 5, 6)
    device.orientation.value = (7, 8, 9)
    send(bridge, "web_app_start_accelerometer")
    send(bridge, "web_app_start_gyroscope")
    send(bridge, "web_app_start_device_orientation", {"need_absolute": True})
    assert bridge.due(1.0).replies == [
        ("accelerometer_changed", {"x": 1, "y": 2, "z": 3}),
        ("gyroscope_changed", {"x": 4, "y": 5, "z": 6}),
        ("device_orientation_changed", {"absolute": True, "alpha": 7, "beta": 8, "gamma": 9}),
    ]
    device.orientation.compass = False
    send(bridge, "web_app_start_device_orientation", {"need_absolute": True}, now=1.0)
    assert bridge.due(5.0).replies[-1][1]["absolute"] is False


def test_a_sensor_that_runs_tells_at_once_what_else_it_measures() -> None:
    bridge = Bridge()
    send(bridge, "web_app_start_gyroscope", now=0.0)
    told = bridge.measure((1, 2, 3), (4, 5, 6), now=0.1)
    assert told.replies == [("gyroscope_changed", {"x": 4, "y": 5, "z": 6})]
    assert bridge.device.accelerometer.value == (1, 2, 3)
    assert bridge.device.orientation.value == (0, 0, 0)


def test_a_phone_is_turned() -> None:
    bridge = Bridge(device=Device(width=400, height=900, safe_area=(30, 20, 0, 0)))
    (_, size), (_, covered) = bridge.rotate().replies
    assert size["height"] == 400
    assert covered == {"top": 0, "bottom": 0, "left": 30, "right": 20}
    bridge.device.orientation_locked = True
    with pytest.raises(NotPossible, match="locked"):
        bridge.rotate()
    with pytest.raises(NotPossible, match="window"):
        Bridge("tdesktop").rotate()


def test_a_home_screen_without_icons() -> None:
    bridge = Bridge(device=Device(home_screen=HomeScreen("unsupported")))
    with pytest.raises(NotPossible, match="no icons"):
        bridge.add_to_home_screen()


def test_missed_measurements_are_not_made_up_for() -> None:
    bridge = Bridge()
    send(bridge, "web_app_start_gyroscope", {"refresh_rate": 20}, now=0.0)
    assert len(bridge.due(60.0).replies) == 1
    assert bridge.due(60.001) == Reaction()
    assert len(bridge.due(60.02).replies) == 1


@pytest.mark.parametrize(("asked", "rate"), [(None, 1000), (1, 20), (5000, 1000), ("50", 50), ("fast", 1000)])
def test_a_rate_is_taken_as_far_as_it_can_be(asked: Any, rate: int) -> None:
    bridge = Bridge()
    send(bridge, "web_app_start_gyroscope", {"refresh_rate": asked})
    assert bridge.device.gyroscope.rate == rate


def test_a_sensor_may_be_missing() -> None:
    bridge = Bridge()
    bridge.device.gyroscope.available = False
    assert send(bridge, "web_app_start_gyroscope").replies == [("gyroscope_failed", {"error": "UNSUPPORTED"})]


# Storages


def stored(bridge: Bridge, kind: str, what: str, **parameters: Any) -> tuple[str, Any]:
    ((name, payload),) = send(bridge, f"web_app_{kind}_storage_{what}", {"req_id": "1", **parameters}).replies
    assert payload.pop("req_id") == "1"
    return name.removeprefix(f"{kind}_storage_"), payload


@pytest.mark.parametrize("kind", ["device", "secure"])
def test_values_are_stored_on_the_device(kind: str) -> None:
    device = Device()
    bridge = Bridge(device=device)
    assert stored(bridge, kind, "get_key", key="k") == ("key_received", {"value": None})
    assert stored(bridge, kind, "save_key", key="k", value="v") == ("key_saved", {})
    again = Bridge(device=Device(storage=device.storage, secure_storage=device.secure_storage))
    assert stored(again, kind, "get_key", key="k") == ("key_received", {"value": "v"})
    assert stored(again, kind, "save_key", key="k", value=None) == ("key_saved", {})
    assert stored(again, kind, "get_key", key="k") == ("key_received", {"value": None})
    stored(again, kind, "save_key", key="k", value="v")
    assert stored(again, kind, "clear") == ("cleared", {})
    assert stored(again, kind, "get_key", key="k") == ("key_received", {"value": None})
    assert stored(again, kind, "get_key", key=5) == ("failed", {"error": "KEY_INVALID"})
    assert stored(again, kind, "save_key", key="k", value=5) == ("failed", {"error": "VALUE_INVALID"})


def test_device_storage_holds_five_megabytes() -> None:
    bridge = Bridge()
    room = 5 * 2**20 - len("ключ".encode())
    assert stored(bridge, "device", "save_key", key="ключ", value="x" * room) == ("key_saved", {})
    assert stored(bridge, "device", "save_key", key="a", value="") == ("failed", {"error": "QUOTA_EXCEEDED"})
    assert stored(bridge, "device", "save_key", key="ключ", value="y" * room) == ("key_saved", {})
    longer = stored(bridge, "device", "save_key", key="ключ", value="y" * (room + 1))
    assert longer == ("failed", {"error": "QUOTA_EXCEEDED"})
    assert stored(bridge, "device", "get_key", key="ключ")[1]["value"] == "y" * room
    stored(bridge, "device", "save_key", key="ключ", value=None)
    assert bridge.device.storage.used == 0
    assert DeviceStorage({"ключ": "x"}).used == 9


def test_a_cleared_device_storage_has_its_room_again() -> None:
    bridge = Bridge()
    assert stored(bridge, "device", "save_key", key="a", value="x" * (5 * 2**20 - 1)) == ("key_saved", {})
    assert stored(bridge, "device", "clear") == ("cleared", {})
    assert bridge.device.storage.used == 0
    assert stored(bridge, "device", "save_key", key="b", value="x" * (5 * 2**20 - 1)) == ("key_saved", {})


def test_secure_storage_holds_ten_keys_and_restores_them() -> None:
    storage = SecureStorage()
    bridge = Bridge(device=Device(secure_storage=storage))
    for number in range(10):
        assert stored(bridge, "secure", "save_key", key=str(number), value="v")[0] == "key_saved"
    assert stored(bridge, "secure", "save_key", key="10", value="v") == (
        "failed",
        {"error": "QUOTA_EXCEEDED"},
    )
    assert stored(bridge, "secure", "save_key", key="9", value="w")[0] == "key_saved"
    storage.reinstall()
    assert stored(bridge, "secure", "get_key", key="9") == (
        "key_received", {"value": None, "can_restore": True},
    )  # fmt: skip
    storage.agrees = False
    assert stored(bridge, "secure", "restore_key", key="9") == ("failed", {"error": "RESTORE_CANCELLED"})
    storage.agrees = True
    assert stored(bridge, "secure", "restore_key", key="9") == ("key_restored", {"value": "w"})
    assert stored(bridge, "secure", "get_key", key="9") == ("key_received", {"value": "w"})
    assert stored(bridge, "secure", "restore_key", key="9") == ("failed", {"error": "RESTORE_UNAVAILABLE"})
    stored(bridge, "secure", "clear")
    assert stored(bridge, "secure", "get_key", key="1") == ("key_received", {"value": None})


# What is remembered of effects


def test_what_was_carried_out_is_known() -> None:
    bridge = Bridge()
    for name in (
        "web_app_set_emoji_status",
        "web_app_request_emoji_status_access",
        "web_app_request_file_download",
    ):
        bridge.resolve(send(bridge, name, MINIMAL.get(name)).effects[0], Done())
    assert bridge.device.emoji_status == 5
    assert list(bridge.device.downloads) == [("https://example.org/a.pdf", "a.pdf")]
    assert send(bridge, "web_app_request_emoji_status_access").replies == [
        ("emoji_status_access_requested", {"status": "allowed"})
    ]


def test_stories_and_links_are_recorded() -> None:
    bridge = Bridge()
    send(bridge, "web_app_share_to_story", {"media_url": "https://example.org/a.jpg"})
    send(bridge, "web_app_share_to_story", {"media_url": "http://example.org/a.jpg"})
    send(bridge, "web_app_open_link", {"url": "https://example.org"})
    assert list(bridge.device.stories) == ["https://example.org/a.jpg"]
    assert list(bridge.device.links) == ["https://example.org"]


def test_payloads_are_json() -> None:
    bridge = Bridge()
    for _, payload in bridge.set_fullscreen(True).replies:
        assert json.loads(json.dumps(payload)) == payload
