"""The catalogue of events against what the documentation says, and how events are read from the wire."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from launcher.bridge import incoming, outgoing
from launcher.bridge.catalogue import (
    Malformed,
    Unknown,
    decode,
    incoming_events,
    outgoing_events,
    rows,
    supports,
)
from launcher.bridge.incoming import INCOMING
from launcher.bridge.outgoing import OUTGOING
from launcher.bridge.wire import MAX_DEPTH, MAX_TEXT, json_value

FRAME = {"iframe_ready", "iframe_will_reload", "reload_iframe", "set_custom_style"}
OUTGOING_BY_VERSION = {
    "6.0": 9, "6.1": 6, "6.2": 1, "6.4": 3, "6.7": 1, "6.9": 3, "6.10": 1, "7.2": 5, "7.7": 1, "7.8": 1,
    "7.10": 2, "8.0": 20, "9.0": 7, "9.1": 1, "9.6": 1, None: 1,
}  # fmt: skip
LATER_PARAMETERS = {
    ("web_app_open_link", "try_instant_view", "6.4"),
    ("web_app_set_header_color", "color", "6.9"),
    ("web_app_open_link", "try_browser", "7.6"),
    ("web_app_close", "return_back", "7.6"),
    ("web_app_setup_main_button", "has_shine_effect", "7.10"),
    ("web_app_setup_main_button", "icon_custom_emoji_id", "9.5"),
    ("web_app_setup_secondary_button", "icon_custom_emoji_id", "9.5"),
}


def test_every_event_is_there() -> None:
    assert len(OUTGOING.keys() - FRAME) == 63
    assert len(INCOMING.keys() - FRAME) == 56
    assert (OUTGOING.keys() | INCOMING.keys()) >= FRAME
    assert all(name.startswith("web_app_") for name in OUTGOING.keys() - FRAME)


def test_events_came_with_their_versions() -> None:
    assert Counter(cls.since for name, cls in OUTGOING.items() if name not in FRAME) == OUTGOING_BY_VERSION


def test_later_parameters_have_their_own_version() -> None:
    later = {(row.name, each.name, each.since) for row in outgoing_events() for each in row.parameters}
    assert {each for each in later if each[2]} == LATER_PARAMETERS


@pytest.mark.parametrize("event", OUTGOING.values(), ids=OUTGOING.keys())
def test_a_reply_is_an_event_of_the_catalogue(event: type[outgoing.Outgoing]) -> None:
    for reply in event.replies:
        assert INCOMING[reply.name] is reply
        assert supports(reply.name, event.since or "6.0")  # whoever knows the question knows the answer
    if event.otherwise is not None:
        assert type(event.otherwise) in event.replies


@pytest.mark.parametrize("event", OUTGOING.values(), ids=OUTGOING.keys())
def test_a_req_id_is_repeated(event: type[outgoing.Outgoing]) -> None:
    for reply in event.replies:
        assert ("req_id" in reply.model_fields) == ("req_id" in event.model_fields)


@pytest.mark.parametrize("event", INCOMING.values(), ids=INCOMING.keys())
def test_what_is_sent_is_strict(event: type[incoming.Incoming]) -> None:
    with pytest.raises(ValidationError):
        event.model_validate({"no_such_parameter": 1})


def test_a_payload_has_what_was_given() -> None:
    assert incoming.MainButtonPressed().payload == {}
    assert incoming.PopupClosed().payload == {}
    assert incoming.PopupClosed(button_id="").payload == {"button_id": ""}
    assert incoming.DeviceStorageKeyReceived(req_id="1", value=None).payload == {"req_id": "1", "value": None}
    assert incoming.SetCustomStyle(css="a {}").payload == "a {}"
    with pytest.raises(ValidationError):
        incoming.PhoneRequested.model_validate({"status": "allowed"})


@pytest.mark.parametrize(
    "data", [None, "", '""', '"\\"\\""', "{}", "null", {}, "no JSON", "[1]", "7", "{", "NaN"]
)
def test_no_parameters_come_in_many_forms(data: Any) -> None:
    assert decode("web_app_ready", data) == outgoing.Ready()
    assert decode("web_app_close", data) == outgoing.Close(return_back=False)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("web_app_close", '{"return_back": "true"}', {"return_back": True}),
        ("web_app_close", '{"return_back": "perhaps"}', {}),
        ("web_app_close", '"{\\"return_back\\": true}"', {"return_back": True}),
        ("web_app_close", {"return_back": True, "more": [1]}, {"return_back": True, "more": [1]}),
        ("web_app_start_gyroscope", '{"refresh_rate": "100"}', {"refresh_rate": 100}),
        ("web_app_start_gyroscope", '{"refresh_rate": 33.3}', {"refresh_rate": 33}),
        ("web_app_start_gyroscope", '{"refresh_rate": 5}', {"refresh_rate": 20}),
        ("web_app_start_gyroscope", '{"refresh_rate": "fast"}', {}),
        ("web_app_invoke_custom_method", '{"req_id": 7, "method": "m", "params": {}}',
         {"req_id": "7", "method": "m", "params": {}}),
        ("web_app_switch_inline_query", '{"query": "", "chat_types": ["users", "aliens"]}', {"query": ""}),
        ("web_app_set_emoji_status", '{"custom_emoji_id": 5368324170671202286}',
         {"custom_emoji_id": "5368324170671202286"}),
        ("web_app_open_tg_link", '{"path_full": "/\\ud83d\\ude00\\ud83d"}', {"path_full": "/😀�"}),
        ("web_app_open_tg_link", '{"path_full": "/\ud83d"}', {"path_full": "/�"}),
        ("web_app_open_tg_link", '{"path_full": "/\ud83d\ude00"}', {"path_full": "/😀"}),
        ("web_app_open_popup", '{"title": null, "message": "?", "buttons": [{"type": "ok", "id": null}]}',
         {"message": "?", "buttons": [{"type": "ok"}]}),
    ],
)  # fmt: skip
def test_parameters_are_read_leniently(name: str, data: Any, expected: dict[str, Any]) -> None:
    event = decode(name, data)
    assert isinstance(event, outgoing.Outgoing)
    assert event == OUTGOING[name].model_validate(expected)


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("web_app_open_popup", '{"message": "?", "buttons": []}', "UNKNOWN_ERROR"),
        ("web_app_open_popup", '{"message": "?", "buttons": [{"id": "a"}]}', "UNKNOWN_ERROR"),
        ("web_app_open_popup", "{}", "UNKNOWN_ERROR"),
        ("web_app_data_send", json.dumps({"data": "я" * 2049}), "UNKNOWN_ERROR"),
        ("web_app_data_send", '{"data": ""}', "UNKNOWN_ERROR"),
        ("web_app_set_emoji_status", '{"custom_emoji_id": "smile"}', "SUGGESTED_EMOJI_INVALID"),
        ("web_app_set_emoji_status", '{"custom_emoji_id": "1", "duration": "soon"}', "DURATION_INVALID"),
        ("web_app_device_storage_save_key", '{"req_id": "1", "key": 5, "value": "v"}', "KEY_INVALID"),
        ("web_app_device_storage_save_key", '{"req_id": "1", "key": "k", "value": 5}', "VALUE_INVALID"),
        ("web_app_device_storage_save_key", '{"req_id": "1", "key": "k"}', "VALUE_INVALID"),
        ("web_app_invoke_custom_method", '{"req_id": "1", "params": {}}', "METHOD_INVALID"),
    ],
)
def test_a_required_parameter_that_is_wrong_makes_it_malformed(name: str, data: str, error: str) -> None:
    event = decode(name, data)
    assert isinstance(event, Malformed)
    assert (event.event, event.error) == (OUTGOING[name], error)


def test_sizes_are_bounded() -> None:
    big = "x" * (MAX_TEXT - 100)
    event = decode("web_app_device_storage_save_key", json.dumps({"req_id": "1", "key": "k", "value": big}))
    assert isinstance(event, outgoing.DeviceStorageSaveKey)
    assert event.value == big
    assert json_value(json.dumps("x" * MAX_TEXT)) is None
    assert json_value("[" + "[]," * 100_000 + "[]]") is None
    assert json_value("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert json_value("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) is None
    assert isinstance(json_value("[" * 100_000), str)


def test_a_client_knows_what_came_with_its_version() -> None:
    assert supports("web_app_setup_settings_button", "6.10")
    assert not supports("web_app_setup_settings_button", "6.9")
    assert decode("web_app_request_fullscreen", None, "7.10") == Unknown("web_app_request_fullscreen")
    assert decode("web_app_request_fullscreen", None, "8.0") == outgoing.RequestFullscreen()
    assert decode("web_app_close", '{"return_back": true}', "7.5") == outgoing.Close()
    assert decode("web_app_close", '{"return_back": true}', "7.6") == outgoing.Close(return_back=True)
    assert decode("web_app_made_up", None) == Unknown("web_app_made_up")
    assert not supports("web_app_made_up", "99.0")
    with pytest.raises(ValueError, match=r"write it like 8\.0"):
        supports("web_app_close", "eight")


def test_rows_are_json() -> None:
    text = json.dumps(rows({"web_app_open_popup"}))
    table = {row["name"]: row for row in json.loads(text)}
    assert len(table) == 63 + 56 + 4
    popup = table["web_app_open_popup"]
    assert (popup["answered"], popup["replies"], popup["since"]) == (True, ["popup_closed"], "6.2")
    assert popup["parameters"][0] == {
        "name": "message", "type": "string, 1 to 256", "required": True, "since": None,
    }  # fmt: skip
    assert table["web_app_request_phone"]["answered"] is False
    assert table["web_app_ready"]["answered"] is None
    types = [each["type"] for row in table.values() for each in row["parameters"]]
    assert types.count("any") == 1  # the result of a custom method
    assert all(row["meaning"] for row in table.values())
    assert [row.direction for row in incoming_events()] == ["incoming"] * 58
