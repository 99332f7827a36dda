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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"signed with {'ab' * 65}!", "signed with ***!"),
        ("GET /ms/apps/v1/apps/appkey/k3y-0f-app/x?y", "GET /ms/apps/v1/apps/appkey/***/x?y"),
        ("wc:topic@2?relay-protocol=irn&symKey=0123abcd&x=1", "wc:topic@2?relay-protocol=irn&symKey=***&x=1"),
        ("from jane.doe+tg@mail.example.org.", "from ***."),
        ('{"accessToken":"never-announced-1","n":1}', '{"accessToken":"***","n":1}'),
        ("apiKey=never-announced-2&n=1", "apiKey=***&n=1"),
        ("hash: 00112233445566778899", "hash: ***"),
        ("the token: too short", "the token: too short"),
        (
            f"the wallet 0x{'ab' * 20} has 3 tokens at block 123",
            f"the wallet 0x{'ab' * 20} has 3 tokens at block 123",
        ),
    ],
)
def test_what_can_be_told_by_its_form_is_struck_out_unannounced(text: str, shown: str) -> None:
    assert Redaction().mask(text) == shown


def test_a_secret_is_struck_out_encoded_too_and_whole_when_another_is_a_part_of_it() -> None:
    redaction = Redaction()
    redaction.add("key/with=signs", "short", "key/with=signs and more", None, "")
    assert redaction.mask("a key%2Fwith%3Dsigns here") == "a *** here"
    assert redaction.mask("a key/with=signs and more") == "a ***"
    assert redaction.mask("a short word") == "a short word"
