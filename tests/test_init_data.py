"""Init data: reading it, and the two checks, against published samples and another library."""

import base64
import hashlib
import hmac
import json
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import init_data_py
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from flows.launch_params import (
    TEST_PUBLIC_KEY,
    HashMismatch,
    InitData,
    InitDataError,
    InitDataExpired,
    MalformedInitData,
    SignatureMismatch,
    SignatureMissing,
    UnusableKey,
    WebAppChat,
    WebAppUser,
)

TOKEN = "7000000001:AAE-made_up_for_these_tests_only_00000"
BOT_ID = 7000000001
TELEGRAM = Ed25519PrivateKey.generate()
PUBLIC_KEY = TELEGRAM.public_key().public_bytes_raw()

# Real init data, published as test data of tma.js. The bots' tokens have been revoked.
PUBLISHED_2022 = (
    "query_id=AAHdF6IQAAAAAN0XohDhrOrc"
    "&user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%22%2C%22last_name%22%3A%22"
    "Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22"
    "is_premium%22%3Atrue%7D"
    "&auth_date=1662771648"
    "&hash=c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2"
)
TOKEN_2022 = "5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8"
PUBLISHED_2024 = (
    "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22"
    "%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22"
    "%3A%22ru%22%2C%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22"
    "%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F4FPEE4tmP3ATHa57u6MqTDih13"
    "LTOiMoKoLDRG4PnSA.svg%22%7D"
    "&chat_instance=8134722200314281151&chat_type=private&auth_date=1733584787"
    "&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6M"
    "LIlADQ"
    "&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6"
)
TOKEN_2024 = "7342037359:AAFZehRPBRs8Seg40oDjTMIW8uTGPuW1zfQ"
BOT_2024 = 7342037359


# Made by hand, after the documentation and independently of the code under test


def check_string(fields: dict[str, str]) -> str:
    return "\n".join(f"{key}={fields[key]}" for key in sorted(fields))


def signed(fields: dict[str, str], *, encode: Callable[[dict[str, str]], str] = urlencode) -> str:
    """Sign as Telegram does: first for everybody, then for the bot."""
    message = f"{BOT_ID}:WebAppData\n{check_string(fields)}".encode()
    signature = base64.urlsafe_b64encode(TELEGRAM.sign(message)).decode().rstrip("=")
    fields = fields | {"signature": signature}
    key = hmac.new(b"WebAppData", TOKEN.encode(), hashlib.sha256).digest()
    digest = hmac.new(key, check_string(fields).encode(), hashlib.sha256).hexdigest()
    return encode(fields | {"hash": digest})


def assert_genuine(raw: str) -> None:
    init_data = InitData.parse(raw)
    init_data.check_hash(TOKEN)
    init_data.check_signature(BOT_ID, PUBLIC_KEY)


# Published samples


def test_the_published_sample_of_2022() -> None:
    init_data = InitData.parse(PUBLISHED_2022)
    assert init_data.raw == PUBLISHED_2022
    assert init_data.query_id == "AAHdF6IQAAAAAN0XohDhrOrc"
    assert init_data.auth_date == 1662771648
    assert init_data.user == WebAppUser(
        id=279058397,
        first_name="Vladislav",
        last_name="Kibenko",
        username="vdkfrost",
        language_code="ru",
        is_premium=True,
    )
    init_data.check_hash(TOKEN_2022)
    with pytest.raises(SignatureMissing):
        init_data.check_signature(5768337691)


def test_the_published_sample_of_2024_satisfies_telegrams_own_key() -> None:
    init_data = InitData.parse(PUBLISHED_2024)
    assert init_data.user is not None
    assert init_data.user.first_name == "Vladislav + - ? /"
    assert (init_data.chat_type, init_data.chat_instance) == ("private", "8134722200314281151")
    init_data.check_hash(TOKEN_2024)
    init_data.check_signature(BOT_2024)
    with pytest.raises(SignatureMismatch):
        init_data.check_signature(BOT_2024, TEST_PUBLIC_KEY)
    with pytest.raises(SignatureMismatch):
        init_data.check_signature(BOT_2024 + 1)


# Reading


def test_every_documented_field_is_read() -> None:
    receiver = {"id": 2, "is_bot": True, "first_name": "B", "added_to_attachment_menu": True}
    chat = {"id": -1003, "type": "supergroup", "title": "C", "username": "c", "shade": 1}
    fields = {
        "query_id": "q",
        "user": '{"id":1,"first_name":"A\\/B","allows_write_to_pm":false,"mood":"fine"}',
        "receiver": json.dumps(receiver),
        "chat": json.dumps(chat),
        "chat_type": "sender",
        "chat_instance": "-42",
        "start_param": "x",
        "can_send_after": "30",
        "chat_join_request_query_id": "j",
        "auth_date": "1700000000",
        "field_of_tomorrow": "t",
    }
    init_data = InitData.parse(signed(fields))
    assert init_data.query_id == "q"
    assert init_data.user == WebAppUser(
        id=1, first_name="A/B", allows_write_to_pm=False, extra={"mood": "fine"}
    )
    assert init_data.receiver == WebAppUser(id=2, first_name="B", is_bot=True, added_to_attachment_menu=True)
    assert init_data.chat == WebAppChat(
        id=-1003, type="supergroup", title="C", username="c", extra={"shade": 1}
    )
    assert (init_data.chat_type, init_data.chat_instance) == ("sender", "-42")
    assert (init_data.start_param, init_data.can_send_after) == ("x", 30)
    assert init_data.chat_join_request_query_id == "j"
    assert init_data.auth_date == 1700000000
    assert init_data.extra == {"field_of_tomorrow": "t"}


END = f"auth_date=1&hash={'0' * 64}"


@pytest.mark.parametrize(
    ("raw", "field", "reason"),
    [
        ("", "the text", "is empty"),
        (f"a=\ud800&{END}", "the text", "holds half a surrogate pair"),
        (quote(PUBLISHED_2022, safe=""), "field number 1", "is not of the form key=value"),
        (f"{END}&", "field number 3", "is not of the form key=value"),
        (f"=canary&{END}", "field number 1", "is not of the form key=value"),
        (f"start_param=%FFcanary&{END}", "field number 1", "is not percent-encoded UTF-8"),
        (f"a=1&{END}&a=2", "a", "occurs more than once"),
        (f"Canary!=1&{END}&Canary!=2", "field number 4", "occurs more than once"),
        (f"hash={'0' * 64}", "auth_date", "is missing"),
        ("auth_date=1", "hash", "is missing"),
        (f"auth_date=canary&hash={'0' * 64}", "auth_date", "is not a number of seconds"),
        (f"auth_date=\u0661&hash={'0' * 64}", "auth_date", "is not a number of seconds"),
        (f"auth_date={'9' * 5000}&hash={'0' * 64}", "auth_date", "is not a number of seconds"),
        ("auth_date=1&hash=canary", "hash", "is not 64 hexadecimal digits"),
        (f"can_send_after=-1&{END}", "can_send_after", "is not a number of seconds"),
        (f"signature=can/ary&{END}", "signature", "is not base64url"),
        (f"user=canary&{END}", "user", "is not a JSON object"),
        (f"user={'[' * 100_000}&{END}", "user", "is not a JSON object"),
        (f'user={{"id":{"9" * 5000}}}&{END}', "user", "is not a JSON object"),
        (f'user={{"first_name":"canary"}}&{END}', "user", "lacks id"),
        (f'user={{"id":true,"first_name":"canary"}}&{END}', "user", "needs id of type int"),
        (
            f'receiver={{"id":1,"first_name":7}}&{END}',
            "receiver",
            "needs first_name of type str",
        ),
        (f'chat={{"id":1,"type":"group"}}&{END}', "chat", "lacks title"),
    ],
)
def test_malformed_init_data_names_the_field_and_quotes_nothing(raw: str, field: str, reason: str) -> None:
    with pytest.raises(MalformedInitData) as caught:
        InitData.parse(raw)
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert "canary" not in str(caught.value).lower()
    assert "\n" not in str(caught.value)


# The checks


FIELDS = {
    "user": '{"id":1,"first_name":"A + B","photo_url":"https:\\/\\/t.me\\/a.svg"}',
    "start_param": "1+1=2 & more",
    "chat_type": "sender",
    "chat": '{"id":1,"type":"group","title":"%2B"}',
    "auth_date": "1700000000",
}


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(urlencode, id="a plus means a space"),
        pytest.param(lambda fields: urlencode(fields, quote_via=quote), id="percent-escapes only"),
        pytest.param(lambda fields: urlencode(list(fields.items())[::-1]), id="another order of arrival"),
        pytest.param(lambda fields: urlencode(fields, safe='/\\:{}",='), id="hardly escaped"),
    ],
)
def test_genuine_init_data_passes_however_it_is_written(
    encode: Callable[[dict[str, str]], str],
) -> None:
    assert_genuine(signed(FIELDS, encode=encode))


def test_an_escaped_slash_is_part_of_what_was_signed() -> None:
    raw = signed(FIELDS)
    rewritten = raw.replace(quote("\\/", safe=""), quote("/", safe=""))
    assert InitData.parse(rewritten).user == InitData.parse(raw).user
    with pytest.raises(HashMismatch):
        InitData.parse(rewritten).check_hash(TOKEN)
    with pytest.raises(SignatureMismatch):
        InitData.parse(rewritten).check_signature(BOT_ID, PUBLIC_KEY)


def test_the_signature_is_covered_by_the_hash() -> None:
    fields = dict(parse_qsl(signed(FIELDS)))
    del fields["signature"]
    with pytest.raises(HashMismatch):
        InitData.parse(urlencode(fields)).check_hash(TOKEN)


def test_the_hash_may_be_written_in_capitals() -> None:
    fields = dict(parse_qsl(signed(FIELDS)))
    assert_genuine(urlencode(fields | {"hash": fields["hash"].upper()}))


def test_a_failed_check_hands_out_what_should_have_been_signed() -> None:
    fields = dict(parse_qsl(signed(FIELDS)))
    init_data = InitData.parse(urlencode(fields))
    del fields["hash"]
    with pytest.raises(HashMismatch) as by_hash:
        init_data.check_hash(TOKEN[:-1] + "1")
    assert by_hash.value.data_check_string == check_string(fields) == init_data.data_check_string
    with pytest.raises(SignatureMismatch) as by_signature:
        init_data.check_signature(BOT_ID + 1, PUBLIC_KEY)
    assert by_signature.value.data_check_string == f"{BOT_ID + 1}:WebAppData\n{check_string(FIELDS)}"


@pytest.mark.parametrize("change", ["short", "long", "loose bits", "padded"])
def test_a_signature_has_one_spelling_and_optional_padding(change: str) -> None:
    fields = dict(parse_qsl(signed(FIELDS)))
    signature = fields["signature"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # The last character carries two bits; the other four of it must be zero.
    loose = alphabet[alphabet.index(signature[-1]) + 1]
    changed = {
        "short": signature[:-1],
        "long": signature + "A",
        "loose bits": signature[:-1] + loose,
        "padded": signature + "==",
    }[change]
    init_data = InitData.parse(urlencode(fields | {"signature": changed}))
    if change == "padded":
        init_data.check_signature(BOT_ID, PUBLIC_KEY)
        return
    with pytest.raises(SignatureMismatch):
        init_data.check_signature(BOT_ID, PUBLIC_KEY)


def test_an_empty_signature_is_a_missing_one() -> None:
    with pytest.raises(SignatureMissing):
        InitData.parse(f"signature=&{END}").check_signature(BOT_ID, PUBLIC_KEY)


@pytest.mark.parametrize(
    "key",
    [PUBLIC_KEY, PUBLIC_KEY.hex(), PUBLIC_KEY.hex().upper()],
    ids=["bytes", "small letters", "capital letters"],
)
def test_a_public_key_is_bytes_or_hexadecimal(key: str | bytes) -> None:
    InitData.parse(signed(FIELDS)).check_signature(BOT_ID, key)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "canary",
        "canary:canary",
        "1:canary canary",
        f" {TOKEN}",
        f"{TOKEN}\n",
        "1:cänary",
        "1:",
    ],
)
def test_what_is_no_bot_token_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(UnusableKey, match="@BotFather") as caught:
        InitData.parse(PUBLISHED_2022).check_hash(token)
    assert "nary" not in str(caught.value)
    assert "made_up" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "canary", "00" * 31, b"", bytes(33)])
def test_what_is_no_public_key_is_refused(key: str | bytes) -> None:
    with pytest.raises(UnusableKey, match="32 bytes"):
        InitData.parse(PUBLISHED_2024).check_signature(BOT_2024, key)


def test_what_is_no_bot_id_is_refused() -> None:
    with pytest.raises(UnusableKey, match="bot id"):
        InitData.parse(PUBLISHED_2024).check_signature(-BOT_2024)


def test_age_is_counted_from_the_time_of_issue() -> None:
    init_data = InitData.parse(PUBLISHED_2022)
    issued_at = 1662771648
    init_data.check_age(3600, now=issued_at + 3600)
    init_data.check_age(3600, now=issued_at - 5)
    with pytest.raises(InitDataExpired, match="3601 s ago, 3600 s are allowed") as caught:
        init_data.check_age(3600, now=issued_at + 3601)
    expired = caught.value
    assert (expired.issued_at, expired.now, expired.max_age) == (issued_at, issued_at + 3601, 3600)
    with pytest.raises(InitDataExpired):
        init_data.check_age(3600, now=float("nan"))


# Agreement with init-data-py, which shares no code with us

text = st.text(st.characters(exclude_categories=["Cs"]))
TEXT_FIELDS = ["query_id", "chat_type", "chat_instance", "start_param"]
# That library sorts whole lines, we sort by key: the same for letters and underscores.
new_names = st.from_regex(r"x_[a-z_]{1,9}", fullmatch=True)


@st.composite
def users(draw: st.DrawFn) -> str:
    user = draw(
        st.fixed_dictionaries(
            {"id": st.integers(1, 2**52 - 1), "first_name": text},
            optional={"username": text, "is_premium": st.just(True), "photo_url": text},
        )
    )
    written = json.dumps(user, ensure_ascii=draw(st.booleans()))
    return written.replace("/", "\\/") if draw(st.booleans()) else written


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, str]:
    fields: dict[str, str] = draw(st.dictionaries(st.sampled_from(TEXT_FIELDS) | new_names, text))
    if draw(st.booleans()):
        fields["user"] = draw(users())
    return fields


tokens = st.from_regex(r"[1-9][0-9]{0,9}:[A-Za-z0-9_-]{1,40}", fullmatch=True)
moments = st.integers(0, 2**33)


@settings(deadline=None)
@given(payload=payloads(), token=tokens, auth_date=moments)
@example(payload={"start_param": "+ %2B /"}, token=TOKEN, auth_date=0)
def test_what_init_data_py_signs_passes_and_reads_the_same(
    payload: dict[str, str], token: str, auth_date: int
) -> None:
    raw = init_data_py.sign(payload, token, auth_date=auth_date)
    ours, theirs = InitData.parse(raw), init_data_py.parse(raw)
    ours.check_hash(token)
    assert ours.auth_date == theirs.auth_date == auth_date
    assert ours.extra == theirs.extra
    for name in TEXT_FIELDS:
        assert getattr(ours, name) == getattr(theirs, name) == payload.get(name)
    assert (ours.user is None) == (theirs.user is None)
    if ours.user is not None:
        for name in ("id", "first_name", "username", "is_premium", "photo_url"):
            assert getattr(ours.user, name) == getattr(theirs.user, name)


@settings(deadline=None)
@given(payload=payloads(), auth_date=moments)
def test_what_is_signed_by_hand_passes_both(payload: dict[str, str], auth_date: int) -> None:
    raw = signed(payload | {"auth_date": str(auth_date)})
    assert_genuine(raw)
    assert init_data_py.is_valid_by_hash(raw, TOKEN, expires_in=None)
    assert init_data_py.is_valid_by_signature(raw, BOT_ID, public_key=PUBLIC_KEY, expires_in=None)


Pairs = list[tuple[str, str]]


@st.composite
def tampered(draw: st.DrawFn) -> Pairs:
    """Genuine pairs with one of them changed, dropped, doubled, or another one added."""
    fields = draw(payloads()) | {"auth_date": str(draw(moments))}
    pairs = parse_qsl(signed(fields), keep_blank_values=True)
    # The hash does not cover itself, and the other signature does not cover the hash.
    index = draw(st.sampled_from([i for i, (name, _) in enumerate(pairs) if name != "hash"]))
    name, value = pairs[index]
    match draw(st.sampled_from(["change", "drop", "double", "add", "rename"])):
        case "change":
            other = draw(text)
            assume(other != value)
            pairs[index] = (name, other)
        case "drop":
            del pairs[index]
        case "double":
            pairs.append((name, draw(text)))
        case "rename":
            pairs[index] = (f"x{name}", value)
        case _:
            pairs.append(("yes", draw(text)))
    return pairs


@settings(deadline=None)
@given(tampered())
def test_what_was_tampered_with_is_refused_by_both(pairs: Pairs) -> None:
    raw = urlencode(pairs)
    with pytest.raises(InitDataError):
        InitData.parse(raw).check_hash(TOKEN)
    with pytest.raises(InitDataError):
        InitData.parse(raw).check_signature(BOT_ID, PUBLIC_KEY)
    assert not init_data_py.is_valid_by_hash(raw, TOKEN, expires_in=None)
    assert not init_data_py.is_valid_by_signature(raw, BOT_ID, public_key=PUBLIC_KEY, expires_in=None)


# Secrets


def test_no_repr_and_no_error_shows_a_secret() -> None:
    secrets = {
        "query_id": "canary-query",
        "chat_join_request_query_id": "canary-join",
        "field_of_tomorrow": "canary-field",
        "auth_date": "1700000000",
    }
    raw = signed(secrets | {"user": '{"id":1,"first_name":"A","key":"canary-key"}'})
    init_data = InitData.parse(raw)
    shown = [repr(init_data), str(init_data), f"{init_data}"]
    failures: list[Callable[[], Any]] = [
        lambda: init_data.check_hash("1:canary-token"),
        lambda: init_data.check_hash("canary-token"),
        lambda: init_data.check_signature(BOT_ID + 1, PUBLIC_KEY),
        lambda: init_data.check_signature(BOT_ID, "canary-key"),
        lambda: init_data.check_age(1, now=1800000000),
        lambda: InitData.parse(f"{raw}&hash=canary-hash"),
        lambda: InitData.parse(raw.replace("hash=", "canary-hash=")),
    ]
    for fail in failures:
        with pytest.raises(ValueError, match=r"\w") as caught:
            fail()
        shown += [str(caught.value), repr(caught.value)]
        # What a log would hold: the traceback, without this file's own lines.
        shown += traceback.format_exception_only(caught.value)
    assert init_data.signature is not None
    hidden = ["canary", init_data.hash, init_data.signature, raw, TOKEN.partition(":")[2]]
    for line in shown:
        assert not [secret for secret in hidden if secret in line]
