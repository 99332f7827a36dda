"""Telegram's published example of a key exchange, computed by the code that Telethon and Kurigram run.

What the sandbox makes of the same numbers stands in `test_sandbox_exchange.py`. Both clients and the sandbox
are held against numbers that none of them has made.
"""

import json
from collections.abc import Callable
from hashlib import sha1
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyrogram import raw
from pyrogram.crypto import aes, prime
from pyrogram.raw.core import TLObject
from telethon.crypto import AES, AuthKey, Factorization
from telethon.extensions import BinaryReader
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions, types

SAMPLE = json.loads((Path(__file__).parent / "data" / "auth_key_sample.json").read_text())
DECRYPT = {"telethon": AES.decrypt_ige, "kurigram": aes.ige256_decrypt}
ENCRYPT = {"telethon": AES.encrypt_ige, "kurigram": aes.ige256_encrypt}
clients = pytest.mark.parametrize("client", ["telethon", "kurigram"])


def published(name: str) -> bytes:
    return bytes.fromhex(SAMPLE[name])


def nonce(name: str) -> int:
    return int.from_bytes(published(name), "little", signed=True)


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def decrypted(client: str) -> bytes:
    """The server's answer in the clear: SHA-1, server_DH_inner_data, stray bytes."""
    key, iv = published("tmp_aes_key"), published("tmp_aes_iv")
    return bytes(DECRYPT[client](published("encrypted_answer"), key, iv))


def read(client: str, data: bytes) -> tuple[Any, bytes]:
    """An object, and how the client writes it."""
    if client == "telethon":
        made = BinaryReader(data).tgread_object()
        return made, bytes(made)
    made = TLObject.read(BytesIO(data))
    return made, made.write()


@pytest.mark.parametrize(
    "factorise", [Factorization.factorize, lambda pq: (prime.decompose(pq), 0)], ids=["telethon", "kurigram"]
)
def test_pq_falls_into_p_and_q(factorise: Callable[[int], tuple[int, int]]) -> None:
    pq = number(published("pq"))
    found = factorise(pq)[0]
    assert sorted((found, pq // found)) == [number(published("p")), number(published("q"))]
    assert found * (pq // found) == pq


@clients
def test_the_first_request(client: str) -> None:
    build = functions.ReqPqRequest if client == "telethon" else raw.functions.ReqPq
    request = build(nonce=nonce("nonce"))
    written = bytes(request) if client == "telethon" else request.write()
    # The page shows req_pq, which req_pq_multi has replaced.
    assert written.hex() == published("req_pq").hex()
    assert read(client, published("req_pq"))[1] == published("req_pq")


@clients
def test_the_first_answer(client: str) -> None:
    answer, again = read(client, published("resPQ"))
    assert again == published("resPQ")
    assert (answer.nonce, answer.server_nonce) == (nonce("nonce"), nonce("server_nonce"))
    assert answer.pq == published("pq")
    assert len(answer.server_public_key_fingerprints) == 1


@clients
def test_the_inner_data(client: str) -> None:
    fields: dict[str, Any] = {name: published(name) for name in ("pq", "p", "q")}
    fields |= {name: nonce(name) for name in ("nonce", "server_nonce", "new_nonce")}
    made = types.PQInnerData(**fields) if client == "telethon" else raw.types.PQInnerData(**fields)
    written = bytes(made) if client == "telethon" else made.write()
    assert sha1(written).digest() == published("sha1_p_q_inner_data")


def test_the_temporary_key() -> None:
    key, iv = generate_key_data_from_nonce(nonce("server_nonce"), nonce("new_nonce"))
    assert (key, iv) == (published("tmp_aes_key"), published("tmp_aes_iv"))


@clients
def test_the_encrypted_answer(client: str) -> None:
    plain = decrypted(client)
    inner, written = read(client, plain[20:])
    assert sha1(written).digest() == plain[:20]
    assert plain[20:].startswith(written)
    assert (inner.nonce, inner.server_nonce) == (nonce("nonce"), nonce("server_nonce"))
    assert number(inner.dh_prime) == prime.CURRENT_DH_PRIME
    again = ENCRYPT[client](plain, published("tmp_aes_key"), published("tmp_aes_iv"))
    assert again == published("encrypted_answer")


@clients
def test_the_key(client: str) -> None:
    """g_a to the power of b; the published key is the same for either."""
    inner, _ = read(client, decrypted(client)[20:])
    key = pow(number(inner.g_a), number(published("b")), number(inner.dh_prime))
    assert key.to_bytes(256, "big") == published("auth_key")


def test_the_hash_that_proves_the_key() -> None:
    found = AuthKey(published("auth_key")).calc_new_nonce_hash(nonce("new_nonce"), 1)
    assert found.to_bytes(16, "little", signed=True) == published("new_nonce_hash1")
