"""The message that a wallet signs, against published values."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_defunct

from launcher.metapro.message import read_message, recover, sign_in_message

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # a public test key
WALLET = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
HASH = "TESTHASH0123456789"
EIP191 = "b675f51f33fa8a8676291c9dda324655980433919e5f4010e77adf87909a2b3c"
SIGNATURE = (
    "0xe4af63fcc26a481fc2cad385508aacd49a99781e7ca72b584d7c4d20e2dc9f9e"
    "3c8d198c2ba488dfb0ab0fdf0fecf92535f3984eed8e77796fb55149226046a71c"
)
TEXT = sign_in_message(WALLET, HASH)


def test_the_message_is_the_documented_one_byte_for_byte() -> None:
    assert len(TEXT.encode()) == 141
    assert _hash_eip191_message(encode_defunct(text=TEXT)).hex() == EIP191


def test_its_signature_is_the_documented_one_and_tells_who_signed() -> None:
    assert "0x" + Account.sign_message(encode_defunct(text=TEXT), KEY).signature.hex() == SIGNATURE
    assert recover(TEXT, SIGNATURE) == WALLET
    assert recover(TEXT + " ", SIGNATURE) != WALLET


def test_a_wallet_in_mixed_case_is_written_in_lower_case() -> None:
    assert sign_in_message("0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266", HASH) == TEXT


def test_a_message_is_read_back() -> None:
    assert read_message(TEXT) == (WALLET, HASH)
    assert read_message(sign_in_message(WALLET, "a-b_C9"))[1] == "a-b_C9"


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "\n", TEXT[:-1] + "\r\n", " " + TEXT, TEXT.replace("\n", "\r\n"), TEXT.replace("\n\n", "\n"),
        TEXT.replace(WALLET, WALLET.upper()), TEXT.replace(WALLET, f"eip155:56:{WALLET}"),
        TEXT.replace(HASH, ""), TEXT.replace("Please", "please"), "",
    ],
)  # fmt: skip
def test_a_text_that_differs_by_a_byte_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is not|its third line"):
        read_message(text)


@pytest.mark.parametrize("signature", ["", "0x", "0x" + "00" * 65, "0x" + "zz" * 65, SIGNATURE[:-2]])
def test_what_is_no_signature_is_refused_without_showing_it(signature: str) -> None:
    with pytest.raises(ValueError, match=r"^it is no signature$"):
        recover(TEXT, signature)
