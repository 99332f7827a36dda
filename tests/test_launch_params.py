"""Launch URLs: what a page reads out of them, and how parameters get into them."""

import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.launch_params import LaunchParams, append_fragment, mask_init_data
from flows.theme import DefaultColors, ThemeParams

APP = "https://app.example/play"
INIT_DATA = "auth_date=1700000000&hash=" + "0f" * 32

text = st.text(st.characters(exclude_categories=["Cs"]))


# Each row was confirmed by running telegram-web-app.js itself.
@pytest.mark.parametrize(
    ("fragment", "path", "raw"),
    [
        ("", None, {}),
        ("/route", "/route", {}),
        ("a+b%2Fc", "a b/c", {}),
        ("?", "", {}),
        ("/route?", "/route", {}),
        ("a=1", None, {"a": "1"}),
        ("/route?a=1&b=2", "/route", {"a": "1", "b": "2"}),
        ("/route?a=1?b=2", "/route", {"a": "1?b"}),
        ("a=1=2", None, {"a": "1"}),
        ("a=", None, {"a": ""}),
        ("a&b=1", None, {"a": None, "b": "1"}),
        ("a=1&&b=2", None, {"a": "1", "": None, "b": "2"}),
        ("a=1&a=2", None, {"a": "2"}),
        ("a+b=c+d", None, {"a b": "c d"}),
        ("a=%2B%26%3D", None, {"a": "+&="}),
        ("a=%D0%96", None, {"a": "Ж"}),
        ("a=Ж", None, {"a": "Ж"}),
        ("a=1+%", None, {"a": "1%20%"}),
        ("a=%zz", None, {"a": "%zz"}),
        ("a=%C3", None, {"a": "%C3"}),
        ("a=%ED%A0%80", None, {"a": "%ED%A0%80"}),
        ("a=%C0%80", None, {"a": "%C0%80"}),
        ("#a=1", None, {"#a": "1"}),
    ],
)
def test_a_fragment_is_read_as_the_official_script_reads_it(
    fragment: str, path: str | None, raw: dict[str, str | None]
) -> None:
    params = LaunchParams.parse(f"{APP}#{fragment}")
    assert (params.path, params.raw) == (path, raw)


def test_every_parameter_is_read() -> None:
    theme = {"bg_color": "#101010", "a_key_of_tomorrow": 7}
    colors = {"header_color": "#abcdef", "bg_dark_color": "#000000"}
    fragment = urlencode(
        {
            "tgWebAppData": INIT_DATA,
            "tgWebAppVersion": "9.6",
            "tgWebAppPlatform": "tdesktop",
            "tgWebAppThemeParams": json.dumps(theme),
            "tgWebAppDefaultColors": json.dumps(colors),
            "tgWebAppBotInline": "1",
            "tgWebAppShowSettings": "1",
            "tgWebAppFullscreen": "1",
            "tgWebAppDebug": "yes",
        }
    )
    params = LaunchParams.parse(f"{APP}?tgWebAppStartParam=spring+sale#/shop?{fragment}")
    assert params.init_data is not None
    assert params.init_data.raw == INIT_DATA
    assert (params.version, params.platform) == ("9.6", "tdesktop")
    assert params.theme_params == ThemeParams(bg_color="#101010")
    assert params.default_colors == DefaultColors(header_color="#abcdef", bg_dark_color="#000000")
    assert params.bot_inline
    assert params.show_settings
    assert params.fullscreen
    assert params.debug
    assert params.start_param == "spring sale"
    assert params.path == "/shop"
    assert params.problems == ()


@pytest.mark.parametrize(
    "url",
    [
        APP,
        "",
        f"{APP}#tgWebAppData=&tgWebAppVersion=&tgWebAppPlatform=&tgWebAppThemeParams=",
        f"{APP}#tgWebAppData&tgWebAppFullscreen=&tgWebAppDebug",
        f"{APP}?tgWebAppStartParam=#/route",
    ],
)
def test_what_is_absent_or_empty_has_the_scripts_defaults_and_is_no_problem(url: str) -> None:
    params = LaunchParams.parse(url)
    assert params == LaunchParams(path=params.path, raw=params.raw)
    assert (params.version, params.platform) == ("6.0", "unknown")
    assert params.init_data is None


def test_the_start_parameter_is_that_of_the_query_string() -> None:
    url = f"{APP}?a=1&tgWebAppStartParam=query#tgWebAppStartParam=fragment"
    assert LaunchParams.parse(url).start_param == "query"
    assert LaunchParams.parse(f"{APP}#?tgWebAppStartParam=fragment").start_param is None


@pytest.mark.parametrize(
    ("parameter", "value", "complaint"),
    [
        ("tgWebAppData", "user=canary", "auth_date is missing"),
        ("tgWebAppThemeParams", "[canary", "not a JSON object"),
        ("tgWebAppThemeParams", '["canary"]', "not a JSON object"),
        ("tgWebAppThemeParams", "[" * 100_000, "not a JSON object"),
        ("tgWebAppThemeParams", '{"canary": NaN}', "not a JSON object"),
        ("tgWebAppThemeParams", '{"bg_color": "canary"}', "bg_color is not of the form"),
        ("tgWebAppThemeParams", '{"bg_color": null}', "bg_color is not of the form"),
        ("tgWebAppDefaultColors", '{"header_color": 7}', "header_color is not of the form"),
        ("tgWebAppVersion", "canary", "is not major.minor"),
        ("tgWebAppPlatform", "canary bird", "is not a plain word"),
    ],
)
def test_what_cannot_be_read_is_kept_and_described(parameter: str, value: str, complaint: str) -> None:
    params = LaunchParams.parse(append_fragment(APP, {parameter: value}))
    assert params.raw == {parameter: value}
    (problem,) = params.problems
    assert problem.startswith(f"{parameter}: ")
    assert complaint in problem
    assert "canary" not in problem
    assert "\n" not in problem
    assert (params.init_data, params.theme_params, params.default_colors) == (None, None, None)


def test_ambiguous_parameters_of_telegram_are_problems_and_others_are_not() -> None:
    fragment = "tgWebAppVersion=8.0&a=1&a=2&b=%&tgWebAppVersion=9.0&tgWebAppPlatform=i%"
    assert LaunchParams.parse(f"{APP}#{fragment}").problems == (
        "tgWebAppVersion: occurs more than once, the last one counts",
        "tgWebAppPlatform: is not percent-encoded UTF-8",
        "tgWebAppPlatform: is not a plain word",
    )


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from([*"#?&=+%{}", "tgWebAppData", "tgWebAppThemeParams", "user", "hash", INIT_DATA])
        ).map("".join),
        st.text().map(lambda value: f"{APP}#tgWebAppData=auth_date=1%26hash={'0' * 64}%26{value}"),
    )
)
@example("#tgWebAppData=\ud800")
def test_reading_never_raises(url: str) -> None:
    assert repr(LaunchParams.parse(url))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (APP, f"{APP}#k=v"),
        (f"{APP}#", f"{APP}#k=v"),
        (f"{APP}#/route", f"{APP}#/route?k=v"),
        (f"{APP}#a=1", f"{APP}#a=1&k=v"),
        (f"{APP}#/route?", f"{APP}#/route?&k=v"),
        (f"{APP}#/route?a", f"{APP}#/route?a&k=v"),
        (f"{APP}?q=1", f"{APP}?q=1#k=v"),
    ],
)
def test_parameters_are_appended_by_the_four_documented_cases(url: str, expected: str) -> None:
    assert append_fragment(url, {"k": "v"}) == expected
    assert append_fragment(url, {}) == url


@settings(deadline=None)
@given(fragment=st.none() | text, params=st.dictionaries(text, text))
@example(fragment="/route?", params={"k": "v"})
@example(fragment="/route", params={"tgWebAppData": "user=%7B%7D&a=b+c", "tgWebAppVersion": "9.6"})
def test_what_is_appended_is_read_back(fragment: str | None, params: dict[str, str]) -> None:
    url = APP if fragment is None else f"{APP}#{fragment}"
    before, after = LaunchParams.parse(url), LaunchParams.parse(append_fragment(url, params))
    expected: dict[str, str | None] = {**before.raw, **params}
    # `#/route?` becomes `#/route?&k=v`, in which the script finds an empty name.
    assert {"": None, **after.raw} == {"": None, **expected}
    assert after.path == before.path


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (APP, APP),
        (f"{APP}#tgWebAppData=secret", f"{APP}#tgWebAppData=***"),
        (f"{APP}#/x?tgWebAppData=secret&a=1", f"{APP}#/x?tgWebAppData=***&a=1"),
        (f"{APP}?a=1#tgWebAppData=secret?#secret&b=2", f"{APP}?a=1#tgWebAppData=***&b=2"),
        (f"{APP}#b=2&tgWebApp%44ata=secret", f"{APP}#b=2&tgWebApp%44ata=***"),
        (f"{APP}?tgWebAppStartParam=x#tgWebAppVersion=9.6",) * 2,
    ],
)
def test_masking_hides_the_init_data_and_nothing_else(url: str, masked: str) -> None:
    assert mask_init_data(url) == masked


def test_no_repr_shows_the_init_data() -> None:
    data = f"query_id=canary-1&signature=canary-2&auth_date=1&hash={'ca' * 32}"
    params = LaunchParams.parse(f"{APP}#tgWebAppData={quote(data)}&unknown=canary-3")
    assert params.init_data is not None
    assert "canary" not in repr(params)
    assert "caca" not in repr(params)
