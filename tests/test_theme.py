"""Themes: the colours a client sends, and what a page makes of them."""

import json
from dataclasses import asdict, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.theme import DARK, LIGHT, DefaultColors, MalformedTheme, ThemeParams

DOCUMENTED = {
    "bg_color",
    "text_color",
    "hint_color",
    "link_color",
    "button_color",
    "button_text_color",
    "secondary_bg_color",
    "header_bg_color",
    "accent_text_color",
    "section_bg_color",
    "section_header_text_color",
    "subtitle_text_color",
    "destructive_text_color",
    "section_separator_color",
    "bottom_bar_bg_color",
}
themes = st.fixed_dictionaries(
    {},
    optional={name: st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True) for name in DOCUMENTED},
)


def test_the_keys_are_the_documented_ones() -> None:
    assert {field.name for field in fields(ThemeParams)} == DOCUMENTED
    assert {field.name for field in fields(DefaultColors)} == {
        "bg_color",
        "bg_dark_color",
        "header_color",
        "header_dark_color",
    }


@settings(deadline=None)
@given(themes)
def test_only_the_colours_that_are_set_are_written_and_read_back(theme: dict[str, str]) -> None:
    params = ThemeParams(**theme)
    assert json.loads(params.to_json()) == theme
    assert ThemeParams.parse(params.to_json()) == ThemeParams.parse(theme) == params


def test_the_written_order_does_not_depend_on_the_order_given() -> None:
    ordered = '{"bg_color":"#000000","link_color":"#111111"}'
    assert ThemeParams.parse({"link_color": "#111111", "bg_color": "#000000"}).to_json() == ordered


def test_unknown_keys_are_ignored() -> None:
    source = {"bg_color": "#000000", "a_key_of_tomorrow": [1, 2]}
    assert ThemeParams.parse(source) == ThemeParams(bg_color="#000000")
    assert ThemeParams.parse(json.dumps(source)) == ThemeParams(bg_color="#000000")


@pytest.mark.parametrize("source", ["", "null", "[]", '"#000000"', '{"bg_color"', "[" * 100_000])
def test_what_is_no_json_object_is_refused(source: str) -> None:
    with pytest.raises(MalformedTheme, match="not a JSON object"):
        ThemeParams.parse(source)


@pytest.mark.parametrize(
    "color",
    ["", "#fff", "ffffff", "#fffffff", "#gggggg", "#ffffff\n", "#\u0661\u0661\u0661fff", "red"],
)
def test_what_is_no_colour_is_refused_by_name(color: str) -> None:
    with pytest.raises(MalformedTheme, match="hint_color is not of the form #rrggbb"):
        ThemeParams(hint_color=color)
    with pytest.raises(MalformedTheme, match="hint_color is not of the form #rrggbb"):
        ThemeParams.parse({"hint_color": color})


@pytest.mark.parametrize("value", [None, 7, ["#ffffff"], True])
def test_a_colour_that_is_no_text_is_refused_by_name(value: object) -> None:
    with pytest.raises(MalformedTheme, match="link_color is not of the form #rrggbb"):
        ThemeParams.parse(json.dumps({"link_color": value}))


@pytest.mark.parametrize(
    ("color", "scheme"),
    [
        (None, "light"),
        ("#ffffff", "light"),
        ("#797979", "light"),
        ("#787878", "dark"),  # 119.99999999999999, in JavaScript as well
        ("#777777", "dark"),
        ("#000000", "dark"),
        ("#ff0000", "light"),  # a brightness of 139
        ("#009d00", "light"),  # 120.3
        ("#009c00", "dark"),  # 119.5
        ("#0000ff", "dark"),  # 86
    ],
)
def test_the_colour_scheme_follows_the_brightness_of_the_background(color: str | None, scheme: str) -> None:
    assert ThemeParams(bg_color=color).color_scheme == scheme


def test_the_presets_are_complete_and_what_they_are_called() -> None:
    for preset, scheme in ((LIGHT, "light"), (DARK, "dark")):
        assert None not in asdict(preset).values()
        assert preset.color_scheme == scheme
