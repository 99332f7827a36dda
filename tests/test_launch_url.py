"""Launch URLs, against Telegram's published rules and a known signed sample."""

import base64
import json
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from launcher.sandbox.launch_url import Launch, as_json, bot_hash, launch_url, query_id_text, sign

# Public test data of the tma.js libraries.
SAMPLE_TOKEN = "5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8"
SAMPLE_FIELDS = {
    "query_id": "AAHdF6IQAAAAAN0XohDhrOrc",
    "user": '{"id":279058397,"first_name":"Vladislav","last_name":"Kibenko","username":"vdkfrost",'
    '"language_code":"ru","is_premium":true}',
    "auth_date": "1662771648",
}
SAMPLE_HASH = "c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2"


def test_the_hash_of_the_published_sample() -> None:
    assert bot_hash(SAMPLE_FIELDS, SAMPLE_TOKEN) == SAMPLE_HASH


def test_the_hash_covers_the_signature() -> None:
    fields = dict(parse_qsl(sign(SAMPLE_FIELDS, token=SAMPLE_TOKEN, key=Ed25519PrivateKey.generate())))
    digest = fields.pop("hash")
    assert digest == bot_hash(fields, SAMPLE_TOKEN)
    del fields["signature"]
    assert digest != bot_hash(fields, SAMPLE_TOKEN)


def test_the_signature_needs_no_token() -> None:
    key = Ed25519PrivateKey.generate()
    fields = dict(parse_qsl(sign(SAMPLE_FIELDS, token=SAMPLE_TOKEN, key=key)))
    signature = base64.urlsafe_b64decode(fields["signature"] + "==")
    lines = "\n".join(sorted(f"{name}={value}" for name, value in SAMPLE_FIELDS.items()))
    key.public_key().verify(signature, f"5768337691:WebAppData\n{lines}".encode())
    with pytest.raises(InvalidSignature):
        key.public_key().verify(signature, f"5768337692:WebAppData\n{lines}".encode())
    assert "=" not in fields["signature"]


def test_init_data_keeps_the_order_of_its_fields() -> None:
    signed = sign(SAMPLE_FIELDS, token=SAMPLE_TOKEN, key=Ed25519PrivateKey.generate())
    assert [name for name, _ in parse_qsl(signed)] == [*SAMPLE_FIELDS, "signature", "hash"]


def test_a_query_id_text_is_of_the_form_of_real_ones() -> None:
    """The published sample holds its user's id twice: alone, and as the low half of the number."""
    number = int.from_bytes(base64.b64decode("3ReiEOGs6tw="), "little", signed=True)
    assert query_id_text(279058397, number) == SAMPLE_FIELDS["query_id"]


@pytest.mark.parametrize(
    ("app", "joined"),
    [
        ("https://demo.example/app", "https://demo.example/app#"),
        ("https://demo.example/app#", "https://demo.example/app#"),
        ("https://demo.example/app#/route", "https://demo.example/app#/route?"),
        ("https://demo.example/app#/route?a=1", "https://demo.example/app#/route?a=1&"),
        ("https://demo.example/app#a=1", "https://demo.example/app#a=1&"),
        ("https://demo.example/app#tab?", "https://demo.example/app#tab?&"),
        ("https://demo.example/app?a=1", "https://demo.example/app?a=1#"),
    ],
)
def test_the_fragment_of_the_app_stays(app: str, joined: str) -> None:
    url = launch_url(app, Launch("android"))
    assert url == f"{joined}tgWebAppVersion=9.6&tgWebAppPlatform=android"


@pytest.mark.parametrize(
    ("app", "query"),
    [
        ("https://demo.example/app", "tgWebAppStartParam=a-b_1"),
        ("https://demo.example/app?a=1", "a=1&tgWebAppStartParam=a-b_1"),
        ("https://demo.example/app#/route", "tgWebAppStartParam=a-b_1"),
    ],
)
def test_the_start_parameter_is_in_the_query_string(app: str, query: str) -> None:
    url = urlsplit(launch_url(app, Launch("ios", start_param="a-b_1")))
    assert url.query == query
    assert "tgWebAppStartParam" not in url.fragment


def test_an_empty_start_parameter_is_absent() -> None:
    assert urlsplit(launch_url("https://demo.example/app", Launch("ios", start_param=""))).query == ""


def test_everything_the_fragment_may_say() -> None:
    init_data = sign(SAMPLE_FIELDS, token=SAMPLE_TOKEN, key=Ed25519PrivateKey.generate())
    theme = '{"bg_color": "#ffffff"}'
    colors = {"bg_color": "#000000", "header_color": "#111111"}
    launch = Launch("tdesktop", init_data, theme, True, True, True, colors, "x")
    said = parse_qs(urlsplit(launch_url("https://demo.example/app", launch)).fragment)
    assert {name: values[0] for name, values in said.items()} == {
        "tgWebAppData": init_data,
        "tgWebAppVersion": "9.6",
        "tgWebAppPlatform": "tdesktop",
        "tgWebAppBotInline": "1",
        "tgWebAppShowSettings": "1",
        "tgWebAppFullscreen": "1",
        "tgWebAppThemeParams": theme,
        "tgWebAppDefaultColors": '{"bg_color":"#000000","header_color":"#111111"}',
    }


def test_what_is_not_said_is_absent() -> None:
    said = parse_qs(urlsplit(launch_url("https://demo.example/app", Launch("web"))).fragment)
    assert set(said) == {"tgWebAppVersion", "tgWebAppPlatform"}


def test_json_is_written_as_the_servers_do() -> None:
    assert as_json({"photo_url": "https://t.me/i/a.svg", "first_name": "Ал"}) == (
        '{"photo_url":"https:\\/\\/t.me\\/i\\/a.svg","first_name":"Ал"}'
    )
    assert json.loads(as_json({"a": "/"})) == {"a": "/"}


def test_a_launch_hides_its_init_data() -> None:
    assert "hash=" not in repr(Launch("web", "user=1&hash=2"))
