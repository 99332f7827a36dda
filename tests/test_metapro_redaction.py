"""What is struck out of a text depends on what is secret by then, whatever was masked before."""

from __future__ import annotations

import pytest

from launcher.metapro.redaction import Redaction

TOKEN = "0123456789abcdef"
TEXT = f"the token {TOKEN} is refused"
LAUNCH = f"https://app.example/#tgWebAppData=auth_date%3D1%26hash%3D{TOKEN}"


@pytest.mark.parametrize("how", ["a value", "a launch"])
def test_a_text_that_was_masked_before_is_masked_anew_when_more_is_secret(how: str) -> None:
    redaction = Redaction()
    assert redaction.mask(TEXT) == TEXT
    if how == "a value":
        redaction.add(TOKEN)
    else:
        redaction.launched(LAUNCH)
    assert redaction.mask(TEXT) == "the token *** is refused"
    assert redaction.mask("") == ""
    assert TOKEN not in repr(redaction)


def test_more_texts_than_are_kept_are_all_masked() -> None:
    redaction = Redaction()
    redaction.add(TOKEN)
    for number in range(1_200):
        assert redaction.mask(f"{number} {TOKEN}") == f"{number} ***"
    assert len(redaction._masked) <= 500
