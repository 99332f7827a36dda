"""The server's half of SRP against the client halves of Telethon and Kurigram."""

import hashlib
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from pyrogram import raw
from pyrogram.utils import compute_password_check
from telethon import password as telethon_password
from telethon.tl import types

from launcher.sandbox.srp import GENERATOR, PRIME, Challenge, Verifier

PASSWORD = "correct hörse"


@cache
def verifier() -> Verifier:
    return Verifier.of(PASSWORD)


def telethon_answer(challenge: Challenge, password: str) -> Any:
    algo = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        challenge.verifier.salt1, challenge.verifier.salt2, GENERATOR, PRIME.to_bytes(256, "big")
    )
    asked = SimpleNamespace(current_algo=algo, srp_B=challenge.srp_B, srp_id=7)
    return telethon_password.compute_check(asked, password)


def kurigram_answer(challenge: Challenge, password: str) -> Any:
    algo = raw.types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        salt1=challenge.verifier.salt1,
        salt2=challenge.verifier.salt2,
        g=GENERATOR,
        p=PRIME.to_bytes(256, "big"),
    )
    asked: Any = SimpleNamespace(current_algo=algo, srp_B=challenge.srp_B, srp_id=7)
    return compute_password_check(asked, password)


@pytest.mark.parametrize("answer", [telethon_answer, kurigram_answer], ids=["telethon", "kurigram"])
def test_a_client_that_knows_the_password_is_believed(answer: Any) -> None:
    challenge = Challenge(verifier())
    proof = answer(challenge, PASSWORD)
    assert challenge.proves(proof.A, proof.M1)
    assert not Challenge(verifier()).proves(proof.A, proof.M1), "a proof is good for one challenge only"


@pytest.mark.parametrize("answer", [telethon_answer, kurigram_answer], ids=["telethon", "kurigram"])
def test_a_client_that_guesses_is_not_believed(answer: Any) -> None:
    challenge = Challenge(verifier())
    proof = answer(challenge, "correct horse")
    assert not challenge.proves(proof.A, proof.M1)


@pytest.mark.parametrize("a", [0, PRIME], ids=["zero", "modulus"])
def test_a_value_that_would_fix_the_key_beforehand_is_refused(a: int) -> None:
    challenge = Challenge(verifier())
    key_of_zero = hashlib.sha256(bytes(256)).digest()
    forged = challenge._proof(a.to_bytes(256, "big"), key_of_zero)
    assert not challenge.proves(a.to_bytes(256, "big"), forged)


def test_salts_differ_and_the_verifier_does_not_show_itself() -> None:
    one, other = verifier(), Verifier.of(PASSWORD)
    assert one.v != other.v
    assert str(one.v) not in repr(one)
    assert str(Challenge(one).b) not in repr(Challenge(one))
