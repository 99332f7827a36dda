"""What is too long is cut, and says so."""

from typing import Any

import pytest

from launcher.short_text import as_text, counted, shortened


@pytest.mark.parametrize(
    ("value", "text"),
    [("ä", "ä"), ("", ""), (None, "null"), (True, "true"), ({"a": ["ä", 1]}, '{"a": ["ä", 1]}')],
)
def test_a_text_stays_as_it_is_and_the_rest_is_json(value: Any, text: str) -> None:
    assert as_text(value) == text
    assert shortened(value, 100) == text


def test_what_fits_is_whole_and_what_does_not_ends_with_the_mark() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"
    assert shortened(["abc"], 4) == '["a…'
    assert shortened("abcdefg", 6, mark=" (7)") == "ab (7)"
    assert shortened("abcdefg", 2, mark=" (7)") == " (7)", "a mark is not cut itself"


def test_things_are_counted_in_words() -> None:
    assert [counted(number, "check") for number in (0, 1, 2)] == ["0 checks", "1 check", "2 checks"]
