"""What a client sends along with every request, and Telegram's answer to it."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from flows.launch_params import LaunchParams, append_fragment
from flows.webview import DARK, PLATFORMS, OpenMode, OpenParameters, ThemeParams, WebView

HASH = "ca" * 32
URL = append_fragment(
    "https://App.Example:443/play?tgWebAppStartParam=spring#/shop",
    {
        "tgWebAppData": f"query_id=canary&auth_date=1&hash={HASH}",
        "tgWebAppVersion": "9.6",
        "tgWebAppPlatform": "ios",
    },
)


def sent(parameters: OpenParameters) -> Any:
    """The request as it arrives: written to bytes by Telethon and read again."""
    request = functions.messages.RequestMainWebViewRequest(
        peer=types.InputPeerEmpty(),
        bot=types.InputUserSelf(),
        platform=parameters.platform,
        theme_params=parameters.theme_params,
        compact=parameters.compact,
        fullscreen=parameters.fullscreen,
    )
    return BinaryReader(bytes(request)).tgread_object()


@pytest.mark.parametrize(
    ("mode", "compact", "fullscreen"),
    [
        (OpenMode.COMPACT, True, None),
        (OpenMode.FULLSIZE, None, None),
        (OpenMode.FULLSCREEN, None, True),
    ],
)
def test_each_mode_sets_its_own_flag_and_leaves_the_other_out(
    mode: OpenMode, compact: bool | None, fullscreen: bool | None
) -> None:
    parameters = OpenParameters(mode=mode)
    assert (parameters.compact, parameters.fullscreen) == (compact, fullscreen)
    arrived = sent(parameters)
    assert (bool(arrived.compact), bool(arrived.fullscreen)) == (bool(compact), bool(fullscreen))


def test_a_theme_travels_as_json_and_no_theme_not_at_all() -> None:
    assert sent(OpenParameters()).theme_params is None
    assert ThemeParams.parse(sent(OpenParameters(theme=DARK)).theme_params.data) == DARK
    assert sent(OpenParameters(theme=ThemeParams())).theme_params.data == "{}"


@pytest.mark.parametrize("platform", ["", "x" * 64, "Some_Client_2", *PLATFORMS])
def test_platforms_within_the_documented_rule_are_sent_as_they_are(platform: str) -> None:
    assert sent(OpenParameters(platform=platform)).platform == platform


@pytest.mark.parametrize("platform", ["x" * 65, "telegram desktop", "web-a", "ünigram", "ios\n"])
def test_other_platforms_are_refused_at_once(platform: str) -> None:
    with pytest.raises(ValueError, match="0 to 64 English letters"):
        OpenParameters(platform=platform)


def test_an_unknown_mode_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="compact, fullsize, fullscreen"):
        OpenParameters(mode="fullscren")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flags", "mode"),
    [
        ({}, OpenMode.COMPACT),
        ({"fullsize": True}, OpenMode.FULLSIZE),
        ({"fullscreen": True}, OpenMode.FULLSCREEN),
        ({"fullsize": True, "fullscreen": True}, OpenMode.FULLSCREEN),
    ],
)
def test_the_answer_says_how_to_show_the_app(flags: dict[str, bool], mode: OpenMode) -> None:
    assert WebView(url=URL, **flags).mode is mode


@pytest.mark.parametrize(
    "result",
    [
        types.WebViewResultUrl(url=URL),
        types.WebViewResultUrl(url=URL, query_id=-7, fullsize=True),
        types.WebViewResultUrl(url=URL, query_id=0, fullscreen=True, same_origin=True),
    ],
)
def test_an_answer_is_taken_over_as_it_came_over_the_wire(result: Any) -> None:
    web_view = WebView.from_result(BinaryReader(bytes(result)).tgread_object())
    assert web_view.url == URL
    assert web_view.query_id == result.query_id
    assert web_view.fullsize is bool(result.fullsize)
    assert web_view.fullscreen is bool(result.fullscreen)
    assert web_view.same_origin is bool(result.same_origin)


def test_launch_parameters_are_read_once() -> None:
    web_view = WebView(url=URL)
    assert web_view.launch_params == LaunchParams.parse(URL)
    assert web_view.launch_params is web_view.launch_params
    assert web_view.launch_params.platform == "ios"
    assert web_view.init_data is not None
    assert web_view.init_data.query_id == "canary"
    assert WebView(url="https://app.example/").init_data is None


def test_a_web_view_is_a_value() -> None:
    read, unread = WebView(url=URL), WebView(url=URL)
    assert read.init_data is not None
    assert read == unread
    assert hash(read) == hash(unread)
    with pytest.raises(FrozenInstanceError):
        read.url = ""  # type: ignore[misc]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (URL, "https://app.example"),
        ("HTTPS://App.Example", "https://app.example"),
        ("http://app.example:80/x", "http://app.example"),
        ("http://app.example:443/x", "http://app.example:443"),
        ("https://app.example:8443?x#y", "https://app.example:8443"),
        ("https://name:canary@app.example/", "https://app.example"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[0:0::0:1]:8080/", "http://[::1]:8080"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert WebView(url=url).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "canary",
        "//canary.example/",
        "tg://resolve?domain=canary",
        "javascript:canary",
        "https:///canary",
        "https://canary.example:port/",
        "https://canary.example:99999/",
        "https://[canary/",
        "https://[canary]/",
        "https://can ary.example/",
        "https://evil.example\\@canary.example/",
        f"https://{'canary' * 20}.example/",
    ],
)
def test_a_url_without_an_origin_has_one_plain_error_and_a_repr(url: str) -> None:
    with pytest.raises(ValueError, match=r"no http\(s\) origin") as caught:
        _ = WebView(url=url).origin
    assert "canary" not in f"{caught.value!r}{WebView(url=url)!r}"


def test_a_repr_shows_the_place_and_the_flags_only() -> None:
    shown = repr(WebView(url=URL, query_id=271828, fullsize=True))
    assert shown == (
        "WebView(https://app.example/***, query_id=***, fullsize=True, fullscreen=False, same_origin=False)"
    )
    assert "query_id=None" in repr(WebView(url=URL))


def test_the_masked_url_hides_the_init_data_only() -> None:
    masked = WebView(url=URL).masked_url
    assert masked == (
        "https://App.Example:443/play?tgWebAppStartParam=spring#/shop"
        "?tgWebAppData=***&tgWebAppVersion=9.6&tgWebAppPlatform=ios"
    )
