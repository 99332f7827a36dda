"""The key exchange against Telegram's published numbers, and against both ways of padding."""

import json
import os
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AES
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from launcher.sandbox import exchange

SAMPLE = json.loads((Path(__file__).parent / "data" / "auth_key_sample.json").read_text())
PUBLISHED_FINGERPRINT = int.from_bytes(bytes.fromhex("216be86c022bb4c3"), "little", signed=True)


@pytest.fixture(scope="module")
def rsa_key() -> exchange.RsaKey:
    return exchange.RsaKey()


def published(name: str) -> bytes:
    return bytes.fromhex(SAMPLE[name])


def nonce(name: str) -> int:
    return int.from_bytes(published(name), "little", signed=True)


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def published_answer() -> tuple[Any, bytes]:
    """What the published encrypted_answer holds: the server's half and the stray bytes behind it."""
    plain = AES.decrypt_ige(published("encrypted_answer"), published("tmp_aes_key"), published("tmp_aes_iv"))
    reader = BinaryReader(plain[20:])
    return reader.tgread_object(), plain[20 + reader.tell_position() :]


def inner_data(kind: Any = types.PQInnerData, **more: int) -> Any:
    return kind(
        pq=published("pq"), p=published("p"), q=published("q"), nonce=nonce("nonce"),
        server_nonce=nonce("server_nonce"), new_nonce=nonce("new_nonce"), **more,
    )  # fmt: skip


def with_sha1(data: bytes, key: exchange.RsaKey) -> bytes:
    """The older padding, as Telethon and Kurigram encrypt."""
    block = sha1(data).digest() + data + os.urandom(235 - len(data))
    return pow(number(block), key.e, key.n).to_bytes(256, "big")


def with_rsa_pad(data: bytes, key: exchange.RsaKey) -> bytes:
    """RSA_PAD, as TDLib and mtcute encrypt."""
    data += os.urandom(192 - len(data))
    while True:
        secret = os.urandom(32)
        sealed = AES.encrypt_ige(data[::-1] + sha256(secret + data).digest(), secret, bytes(32))
        mixed = bytes(x ^ y for x, y in zip(secret, sha256(sealed).digest(), strict=True))
        if number(mixed + sealed) < key.n:
            return pow(number(mixed + sealed), key.e, key.n).to_bytes(256, "big")


def dh_request(key: exchange.RsaKey, encrypted: bytes, **changed: Any) -> Any:
    fields = {
        "nonce": nonce("nonce"), "server_nonce": nonce("server_nonce"), "p": published("p"),
        "q": published("q"), "public_key_fingerprint": key.fingerprint, "encrypted_data": encrypted,
    } | changed  # fmt: skip
    return functions.ReqDHParamsRequest(**fields)


PQ_SENT = exchange.PqSent(nonce("nonce"), nonce("server_nonce"))


def test_res_pq_is_the_published_one() -> None:
    request = BinaryReader(published("req_pq")).tgread_object()
    answer, state = exchange.answer_pq(request, PUBLISHED_FINGERPRINT, nonce("server_nonce"))
    assert bytes(answer) == published("resPQ")
    assert state == PQ_SENT


def test_inner_data_is_the_published_one() -> None:
    assert sha1(bytes(inner_data())).digest() == published("sha1_p_q_inner_data")


def test_temporary_key_is_the_published_one() -> None:
    key, iv = exchange.temporary_aes(nonce("new_nonce"), nonce("server_nonce"))
    assert (key, iv) == (published("tmp_aes_key"), published("tmp_aes_iv"))


def test_prime_is_the_published_one() -> None:
    inner, _ = published_answer()
    assert number(inner.dh_prime) == exchange.DH_PRIME
    assert inner.g in (2, 3, 4, 5, 6, 7)


def test_sealing_gives_the_published_answer() -> None:
    inner, padding = published_answer()
    aes = exchange.temporary_aes(nonce("new_nonce"), nonce("server_nonce"))
    assert exchange.seal(bytes(inner), *aes, padding) == published("encrypted_answer")


def test_both_halves_give_the_published_key() -> None:
    """The page tells b, not a. The two can be swapped: we play its client and are given its server's half."""
    inner, _ = published_answer()
    state = exchange.DhSent(
        nonce("nonce"), nonce("server_nonce"), nonce("new_nonce"), a=number(published("b"))
    )
    aes = exchange.temporary_aes(state.new_nonce, state.server_nonce)
    half = types.ClientDHInnerData(state.nonce, state.server_nonce, 0, inner.g_a)
    request = functions.SetClientDHParamsRequest(
        state.nonce, state.server_nonce, exchange.seal(bytes(half), *aes)
    )
    answer, new = exchange.answer_client_dh(state, request)
    assert new.key == published("auth_key")
    assert answer.new_nonce_hash1.to_bytes(16, "little", signed=True) == published("new_nonce_hash1")
    assert new.salt.to_bytes(8, "little", signed=True) == bytes(
        x ^ y for x, y in zip(published("new_nonce")[:8], published("server_nonce")[:8], strict=True)
    )


@pytest.mark.parametrize("encrypt", [with_sha1, with_rsa_pad])
@pytest.mark.parametrize(
    ("kind", "more", "expires_in"),
    [
        (types.PQInnerData, {}, None),
        (types.PQInnerDataDc, {"dc": 2}, None),
        (types.PQInnerDataTemp, {"expires_in": 86400}, 86400),
        (types.PQInnerDataTempDc, {"dc": 2, "expires_in": 60}, 60),
    ],
)
def test_both_paddings_and_all_kinds_of_inner_data(
    rsa_key: exchange.RsaKey, encrypt: Any, kind: Any, more: dict[str, int], expires_in: int | None
) -> None:
    request = dh_request(rsa_key, encrypt(bytes(inner_data(kind, **more)), rsa_key))
    answer, state = exchange.answer_dh_params(PQ_SENT, request, rsa_key, a=7, server_time=1)
    assert state.expires_in == expires_in
    aes = exchange.temporary_aes(nonce("new_nonce"), nonce("server_nonce"))
    inner = BinaryReader(AES.decrypt_ige(answer.encrypted_answer, *aes)[20:]).tgread_object()
    assert number(inner.g_a) == 3**7
    assert (inner.g, inner.server_time) == (3, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": 1},
        {"server_nonce": 1},
        {"public_key_fingerprint": 1},
        {"encrypted_data": b""},
        {"encrypted_data": b"\xff" * 256},
        {"encrypted_data": bytes(256)},
    ],
)
def test_a_slip_in_the_second_step(rsa_key: exchange.RsaKey, changed: dict[str, Any]) -> None:
    request = dh_request(rsa_key, with_rsa_pad(bytes(inner_data()), rsa_key), **changed)
    with pytest.raises(exchange.Slip):
        exchange.answer_dh_params(PQ_SENT, request, rsa_key, a=7, server_time=1)


@pytest.mark.parametrize("change", [{"p": b"\x01"}, {"pq": b"\x15"}, {"nonce": 5}])
def test_inner_data_has_to_fit_its_exchange(rsa_key: exchange.RsaKey, change: dict[str, Any]) -> None:
    inner = inner_data()
    for name, value in change.items():
        setattr(inner, name, value)
    request = dh_request(rsa_key, with_sha1(bytes(inner), rsa_key))
    with pytest.raises(exchange.Slip):
        exchange.answer_dh_params(PQ_SENT, request, rsa_key, a=7, server_time=1)


@pytest.mark.parametrize("g_b", [1, 3, exchange.DH_PRIME - 1])
def test_a_weak_half_is_refused(g_b: int) -> None:
    state = exchange.DhSent(1, 2, 3, a=5)
    half = types.ClientDHInnerData(1, 2, 0, g_b.to_bytes(256, "big"))
    sealed = exchange.seal(bytes(half), *exchange.temporary_aes(3, 2))
    with pytest.raises(exchange.Slip):
        exchange.answer_client_dh(state, functions.SetClientDHParamsRequest(1, 2, sealed))


@given(st.binary(max_size=600))
def test_any_third_step_is_a_slip_at_worst(data: bytes) -> None:
    with pytest.raises(exchange.Slip):
        exchange.answer_client_dh(
            exchange.DhSent(1, 2, 3, a=5), functions.SetClientDHParamsRequest(1, 2, data)
        )


@given(st.binary(min_size=256, max_size=256))
def test_any_decrypted_block_is_a_slip_at_worst(block: bytes) -> None:
    with pytest.raises(exchange.Slip):
        exchange.open_inner_data(block)


def test_secrets_stay_out_of_reprs(rsa_key: exchange.RsaKey) -> None:
    secret = 123456789123456789
    text = repr(
        [exchange.DhSent(1, 2, secret, secret), exchange.NewKey(b"123456789123456789", secret), rsa_key]
    )
    assert str(secret) not in text
    assert str(rsa_key._private.d) not in text
