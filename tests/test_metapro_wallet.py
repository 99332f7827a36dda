"""The wallet without a browser: what it answers, what it signs, what it refuses, what its log says."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from pydantic import SecretStr

from flows import BadInput
from launcher.metapro import Decision, Wallet, WalletPolicy, WalletRefused, WalletRequest
from launcher.metapro.wallet import KEPT
from launcher.metapro.wallet_log import MESSAGES, TRANSACTIONS

KEY = SecretStr("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # everybody knows it
WALLET = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
SIGN_IN = (
    "Please sign to let us verify\nthat you are the owner of this address\n"
    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\n\nRequest ID TESTHASH0123456789"
)
SIGNATURE = (
    "0xe4af63fcc26a481fc2cad385508aacd49a99781e7ca72b584d7c4d20e2dc9f9e"
    "3c8d198c2ba488dfb0ab0fdf0fecf92535f3984eed8e77796fb55149226046a71c"
)
TO = "0x00000000000000000000000000000000000000aa"
SPENDING = WalletPolicy(allowed=MESSAGES | TRANSACTIONS)


def typed(chain_id: Any = 56, **changes: Any) -> dict[str, Any]:
    return {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
            "Mail": [{"name": "to", "type": "address"}, {"name": "text", "type": "string"}],
        },
        "primaryType": "Mail",
        "domain": {"name": "Ledger", "chainId": chain_id},
        "message": {"to": TO, "text": "hello"},
    } | changes


def signer_of_typed(signature: str) -> str:
    return str(Account.recover_message(encode_typed_data(full_message=typed()), signature=signature)).lower()


async def refused(wallet: Wallet, method: str, *params: Any) -> WalletRefused:
    with pytest.raises(WalletRefused) as caught:
        await wallet.answer(method, list(params))
    assert wallet.requests[-1].decision is Decision.REFUSED
    assert wallet.requests[-1].note == caught.value.message
    return caught.value


# Messages


@pytest.mark.parametrize(
    "params",
    [
        [SIGN_IN, WALLET],
        [WALLET, SIGN_IN],
        ["0x" + SIGN_IN.encode().hex(), WALLET],
        [WALLET, "0x" + SIGN_IN.encode().hex().upper()],
        [SIGN_IN, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "a password, as some libraries add"],
    ],
)
async def test_the_documented_message_is_signed_byte_for_byte(params: list[str]) -> None:
    wallet = Wallet(KEY, clock=lambda: 12.5)
    assert wallet.address == WALLET
    assert await wallet.answer("personal_sign", params) == SIGNATURE
    (request,) = wallet.requests
    assert (request.message, request.data, len(request.data)) == (SIGN_IN, SIGN_IN.encode(), 141)
    assert (request.decision, request.address, request.chain_id) == (Decision.SIGNED, WALLET, 56)
    assert request.result == SecretStr(SIGNATURE)
    assert request.time == 12.5
    assert Account.recover_message(encode_defunct(text=SIGN_IN), signature=SIGNATURE).lower() == WALLET


@pytest.mark.parametrize(
    ("message", "text", "data"),
    [
        ("", "", b""),
        ("0x", "", b""),
        ("0xff00", None, b"\xff\x00"),
        ("0xabc", "0xabc", b"0xabc"),
        ("0xnothex", "0xnothex", b"0xnothex"),
        ("Zoë 🦄", "Zoë 🦄", "Zoë 🦄".encode()),
        (TO, None, bytes.fromhex(TO[2:])),  # an address is a message, too
    ],
)
async def test_the_log_has_text_and_bytes_of_a_message(message: str, text: str | None, data: bytes) -> None:
    wallet = Wallet(KEY)
    signature = await wallet.answer("personal_sign", [message, WALLET])
    assert wallet.requests[-1].data == data
    assert wallet.requests[-1].message == text
    assert Account.recover_message(encode_defunct(primitive=data), signature=signature).lower() == WALLET


@pytest.mark.parametrize("method", ["eth_signTypedData", "eth_signTypedData_v3", "eth_signTypedData_v4"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("as_text", [False, True])
async def test_typed_data_are_signed(method: str, swapped: bool, as_text: bool) -> None:
    wallet = Wallet(KEY)
    message = json.dumps(typed()) if as_text else typed()
    params = [message, WALLET] if swapped else [WALLET, message]
    assert signer_of_typed(await wallet.answer(method, params)) == WALLET
    request = wallet.requests[-1]
    assert (json.loads(request.message or ""), request.decision) == (typed(), Decision.SIGNED)
    assert (request.data[:2], len(request.data)) == (b"\x19\x01", 66)


@pytest.mark.parametrize("chain_id", [56, "56", "0x38"])
async def test_the_chain_of_typed_data_may_be_written_in_any_way(chain_id: Any) -> None:
    await Wallet(KEY).answer("eth_signTypedData_v4", [WALLET, typed(chain_id)])


async def test_what_typed_data_do_not_need_does_not_count() -> None:
    extra = typed()
    extra["types"]["Unused"] = [{"name": "x", "type": "uint8"}]
    extra["domain"]["salt"] = "0x" + "11" * 32
    assert signer_of_typed(await Wallet(KEY).answer("eth_signTypedData_v4", [WALLET, extra])) == WALLET


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


ARRAY = {"Mail": [{"name": "to", "type": "address[]"}]}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("personal_sign", [], -32602),
        ("personal_sign", ["x"], -32602),
        ("personal_sign", ["x", "y"], -32602),
        ("personal_sign", [5, WALLET], -32602),
        ("personal_sign", ["\ud800", WALLET], -32602),
        ("personal_sign", ["x", TO], 4100),
        ("eth_signTypedData_v4", [TO, typed()], 4100),
        ("eth_signTypedData_v4", [WALLET, typed(1)], -32602),
        ("eth_signTypedData_v4", [WALLET, typed("what")], -32602),
        ("eth_signTypedData_v4", [WALLET, "{"], -32602),
        ("eth_signTypedData_v4", [WALLET, "[" * 100_000], -32602),
        ("eth_signTypedData_v4", [WALLET, nested(2000)], -32602),
        ("eth_signTypedData_v4", [WALLET, typed(message=None)], -32602),
        ("eth_signTypedData_v4", [WALLET, typed(message={"to": "nobody", "text": ""})], -32602),
        ("eth_signTypedData_v4", [WALLET, typed(types={"Mail": 5})], -32602),
        ("eth_signTypedData_v4", [WALLET, typed(types={"EIP712Domain": [1], "Mail": []})], -32602),
        ("eth_signTypedData_v3", [WALLET, typed(types=ARRAY)], -32602),
        ("eth_signTypedData", [[{"type": "string", "name": "x", "value": "y"}], WALLET], 4200),
        ("eth_sign", [WALLET, "0x" + "11" * 32], 4200),
        ("eth_subscribe", ["newHeads"], 4200),
        ("wallet_switchEthereumChain", [], -32602),
        ("wallet_switchEthereumChain", [{"chainId": 1}], -32602),
        ("wallet_switchEthereumChain", [{"chainId": "0x"}], -32602),
        ("wallet_switchEthereumChain", [{"chainId": "0x1092"}], 4902),
        ("wallet_addEthereumChain", [{}], -32602),
        ("wallet_requestPermissions", [{"eth_everything": {}}], 4200),
        ("eth_getBalance", [WALLET, "latest"], 4200),
        ("eth_call", [{"to": TO, "data": "0x70a08231"}, "latest"], 4200),
        ("eth_getTransactionReceipt", ["0x" + "11" * 32], 4200),
    ],
)
async def test_what_cannot_be_done_is_refused_by_its_number(
    method: str, params: list[Any], code: int
) -> None:
    refusal = await refused(Wallet(KEY), method, *params)
    assert refusal.error == {"code": code, "message": refusal.message}
    assert refusal.message.endswith(".")


# Who decides


@pytest.mark.parametrize("method", sorted(TRANSACTIONS))
async def test_transactions_are_refused_unless_the_policy_says_otherwise(method: str) -> None:
    asked: Any = "0x00" if method == "eth_sendRawTransaction" else {"to": TO, "value": "0x1"}
    wallet = Wallet(KEY)
    assert (await refused(wallet, method, asked)).code == 4001
    if isinstance(asked, dict):
        assert json.loads(wallet.requests[-1].message or "") == asked


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("waits", [True, False])
async def test_a_callable_decides_knowing_the_message(answer: bool, waits: bool) -> None:
    seen = []

    def at_once(request: WalletRequest) -> bool:
        seen.append((request.method, request.message, request.decision))
        return answer

    async def later(request: WalletRequest) -> bool:
        return at_once(request)

    wallet = Wallet(KEY, policy=WalletPolicy(allowed=frozenset(), decide=later if waits else at_once))
    if answer:
        await wallet.answer("personal_sign", ["hello", WALLET])
    else:
        assert (await refused(wallet, "personal_sign", "hello", WALLET)).code == 4001
    assert seen == [("personal_sign", "hello", Decision.ASKED)]


async def test_the_owner_refuses_what_comes_next_and_only_that() -> None:
    wallet = Wallet(KEY)
    wallet.refuse_next("personal_sign")
    wallet.refuse_next(code=-32002, message="Busy.")
    await wallet.answer("eth_accounts")  # nobody decides on that
    refusal = await refused(wallet, "eth_signTypedData_v4", WALLET, typed())
    assert (refusal.code, refusal.message) == (-32002, "Busy.")
    assert (await refused(wallet, "personal_sign", "x", WALLET)).code == 4001
    await wallet.answer("personal_sign", ["x", WALLET])


# Account and chain


class Heard:
    """The events of a wallet, in order."""

    def __init__(self, wallet: Wallet) -> None:
        self.events: list[tuple[str, Any]] = []
        self.stop = wallet.listen(self._hear)

    async def _hear(self, name: str, payload: Any) -> None:
        self.events.append((name, payload))


async def test_the_account_is_connected_from_the_start() -> None:
    wallet = Wallet(KEY)
    caveat = {"type": "restrictReturnedAccounts", "value": [WALLET]}
    allowed = [{"parentCapability": "eth_accounts", "caveats": [caveat]}]
    assert await wallet.answer("eth_accounts") == [WALLET]
    assert await wallet.answer("eth_requestAccounts") == [WALLET]
    assert await wallet.answer("eth_coinbase") == WALLET
    assert await wallet.answer("wallet_getPermissions") == allowed
    assert await wallet.answer("wallet_requestPermissions", [{"eth_accounts": {}}]) == allowed
    assert {request.decision for request in wallet.requests} == {Decision.ANSWERED}


async def test_a_wallet_that_is_not_connected_is_asked_first() -> None:
    wallet = Wallet(KEY, connected=False)
    heard = Heard(wallet)
    assert await wallet.answer("eth_accounts") == []
    assert await wallet.answer("eth_coinbase") is None
    assert await wallet.answer("wallet_getPermissions") == []
    assert (await refused(wallet, "personal_sign", "x", WALLET)).code == 4100
    assert (await refused(wallet, "eth_sendTransaction", {"to": TO})).code == 4100
    wallet.refuse_next()
    assert (await refused(wallet, "eth_requestAccounts")).code == 4001
    assert heard.events == []
    assert await wallet.answer("eth_requestAccounts") == [WALLET]
    assert wallet.requests[-1].decision is Decision.ALLOWED
    assert heard.events == [("connect", {"chainId": "0x38"}), ("accountsChanged", [WALLET])]


async def test_disconnecting_by_the_owner_and_by_the_app_is_told_once() -> None:
    for by_app in (False, True):
        wallet = Wallet(KEY)
        heard = Heard(wallet)
        if by_app:
            await wallet.answer("wallet_revokePermissions", [{"eth_accounts": {}}])
        await wallet.disconnect()
        names = [name for name, _ in heard.events]
        assert names == ["accountsChanged", "disconnect"]
        assert heard.events[0][1] == []
        assert heard.events[1][1]["code"] == 4900


async def test_accounts_are_switched_there_and_back() -> None:
    wallet = Wallet(KEY)
    heard = Heard(wallet)
    second = await wallet.switch_account()
    assert second not in (WALLET, await wallet.switch_account())
    assert (await refused(wallet, "personal_sign", "x", WALLET)).code == 4100
    assert await wallet.switch_account(second.upper().replace("0X", "0x")) == second
    assert await wallet.switch_account(KEY) == WALLET
    assert await wallet.answer("personal_sign", [SIGN_IN, WALLET]) == SIGNATURE
    assert [payload for _, payload in heard.events][0::2] == [[second], [second]]
    with pytest.raises(BadInput, match="no such account"):
        await wallet.switch_account(TO)
    heard.stop()
    await wallet.switch_account()
    assert len(heard.events) == 4


async def test_the_chain_is_switched_by_app_and_owner() -> None:
    wallet = Wallet(KEY, chain_id=97, chain_ids=(56,))
    heard = Heard(wallet)
    assert (await wallet.answer("eth_chainId"), await wallet.answer("net_version")) == ("0x61", "97")
    assert await wallet.answer("wallet_switchEthereumChain", [{"chainId": "0x61"}]) is None
    assert heard.events == []
    assert await wallet.answer("wallet_switchEthereumChain", [{"chainId": "0x38"}]) is None
    assert (await refused(wallet, "wallet_switchEthereumChain", {"chainId": "0x1"})).code == 4902
    assert await wallet.answer("wallet_addEthereumChain", [{"chainId": "0x1"}]) is None
    await wallet.switch_chain(4242)
    await wallet.switch_chain(4242)
    assert heard.events == [("chainChanged", chain) for chain in ("0x38", "0x1", "0x1092")]
    assert (await wallet.answer("eth_chainId"), wallet.chain_id) == ("0x1092", 4242)
    await wallet.answer("wallet_switchEthereumChain", [{"chainId": "0x61"}])
    await wallet.answer("wallet_switchEthereumChain", [{"chainId": "0x1092"}])


# The chain's node


class ChainNode:
    """A node on the loopback: `answers` are its results by method, or its errors; `asked` is what it was."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"eth_chainId": "0x38"} | answers
        self.asked: list[tuple[str, Any]] = []

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[SecretStr]:
        """Its URL, which holds a key."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield SecretStr(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2/secret-of-the-node")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        question = json.loads(await reader.readexactly(length))
        self.asked.append((question["method"], question["params"]))
        body = self._answer(self.answers.get(question["method"], {"nothing": 0}))
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    def _answer(self, answer: Any) -> bytes:
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, dict) and "number" not in answer:
            return json.dumps({"id": 1, "error": answer}).encode()
        return json.dumps({"id": 1, "result": answer}).encode()


async def test_reads_go_to_the_node() -> None:
    node = ChainNode(eth_getBalance="0xff", eth_call={"code": 3, "message": "reverted", "data": "0x08c379a0"})
    async with node.at_work() as url:
        wallet = Wallet(KEY, rpc_url=url)
        assert await wallet.answer("eth_getBalance", [WALLET, "latest"]) == "0xff"
        assert wallet.requests[-1].note == ""
        refusal = await refused(wallet, "eth_call", {"to": TO}, "latest")
        assert refusal.error == {"code": 3, "message": "reverted", "data": "0x08c379a0"}
        assert node.asked[-2:] == [
            ("eth_getBalance", [WALLET, "latest"]),
            ("eth_call", [{"to": TO}, "latest"]),
        ]


async def test_a_node_is_asked_only_on_its_chain() -> None:
    node = ChainNode(eth_getBalance="0xff", eth_blockNumber="0x5")
    async with node.at_work() as url:
        wallet = Wallet(KEY, rpc_url=url, chain_id=97, policy=SPENDING)
        assert (await refused(wallet, "eth_getBalance", WALLET, "latest")).code == 4200
        assert await wallet.answer("eth_blockNumber") != "0x5"
        assert (await refused(wallet, "eth_sendRawTransaction", "0x00")).code == 4200
        await wallet.switch_chain(56)
        assert await wallet.answer("eth_blockNumber") == "0x5"
        assert {method for method, _ in node.asked} == {"eth_chainId", "eth_blockNumber"}


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"{}", b'{"error": "no"}', b'{"error": {"code": "x"}}'])
async def test_a_node_that_gives_no_answer_is_named(answer: bytes) -> None:
    node = ChainNode(eth_getBalance=answer)
    async with node.at_work() as url:
        refusal = await refused(Wallet(KEY, rpc_url=url), "eth_getBalance", WALLET, "latest")
    assert (refusal.code, "RPC node" in refusal.message) == (-32603, True)


async def test_reads_before_a_transaction_succeed_without_a_node_and_the_log_says_how() -> None:
    wallet = Wallet(KEY)
    assert int(await wallet.answer("eth_gasPrice"), 16) > 0
    assert int(await wallet.answer("eth_estimateGas", [{"to": TO}]), 16) >= 21_000
    block = await wallet.answer("eth_getBlockByNumber", ["latest", False])
    assert block["number"] == await wallet.answer("eth_blockNumber")
    assert await wallet.answer("eth_getTransactionCount", [WALLET, "pending"]) == "0x0"
    assert await wallet.answer("eth_call", [{"to": TO, "value": "0x1"}, "latest"]) == "0x"
    assert {request.note for request in wallet.requests} == {
        "a constant: the wallet has no RPC URL for chain 56."
    }


SENDS = {
    "eth_getTransactionCount": "0x7",
    "eth_estimateGas": "0x5208",
    "eth_gasPrice": "0x3b9aca00",
    "eth_sendRawTransaction": "0x" + "ab" * 32,
}


async def test_a_transaction_is_signed_here_and_sent_when_the_policy_allows() -> None:
    node = ChainNode(**SENDS)
    async with node.at_work() as url:
        wallet = Wallet(KEY, rpc_url=url, policy=SPENDING)
        asked = {"from": WALLET, "to": TO, "value": "0x1", "data": "0x0102"}
        assert await wallet.answer("eth_sendTransaction", [asked]) == "0x" + "ab" * 32
    assert wallet.requests[-1].decision is Decision.SENT
    assert ("eth_getTransactionCount", [WALLET, "pending"]) in node.asked
    method, (raw,) = node.asked[-1]
    assert method == "eth_sendRawTransaction"
    assert Account.recover_transaction(raw).lower() == WALLET


@pytest.mark.parametrize(
    "fees",
    [{"gasPrice": "0x1"}, {"maxFeePerGas": "0x2", "maxPriorityFeePerGas": "0x1"}, {"maxFeePerGas": "0x2"}],
)
async def test_a_whole_transaction_needs_no_node_to_be_signed(fees: dict[str, str]) -> None:
    wallet = Wallet(KEY, policy=SPENDING)
    whole = {"to": TO, "nonce": "0x0", "gas": "0x5208", "chainId": "0x38", "accessList": []} | fees
    raw = await wallet.answer("eth_signTransaction", [whole])
    assert Account.recover_transaction(raw).lower() == WALLET
    assert (wallet.requests[-1].decision, wallet.requests[-1].result) == (Decision.SIGNED, SecretStr(raw))
    refusal = await refused(wallet, "eth_sendTransaction", whole)
    assert (refusal.code, "no RPC URL" in refusal.message) == (4200, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"from": TO}, 4100),
        ({"chainId": "0x1"}, -32602),
        ({"to": "0x12"}, -32602),
        ({"to": 12}, -32602),
        ({"data": "0xabc"}, -32602),
        ({"data": 5}, -32602),
        ({"value": 5}, -32602),
        ({"value": "0x" + "f" * 65}, -32602),
        ({"maxPriorityFeePerGas": "0x1"}, -32602),
        ({"gasPrice": "0x1", "maxFeePerGas": "0x1"}, -32602),
        ({}, 4200),
    ],
)
async def test_a_transaction_that_cannot_be_is_not_signed(change: dict[str, Any], code: int) -> None:
    whole = {"to": TO, "nonce": "0x0", "gas": "0x5208"} | change
    refusal = await refused(Wallet(KEY, policy=SPENDING), "eth_signTransaction", whole)
    assert refusal.code == code


# The log and the secrets


async def test_the_limit_of_recursion_stays_what_it_was() -> None:
    """Importing eth-account raises it, and a page could end the process by JSON that is nested deep."""
    script = "import sys; sys.setrecursionlimit(999); import launcher.metapro; print(sys.getrecursionlimit())"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    assert (await process.communicate())[0] == b"999\n"


async def test_the_log_is_bounded() -> None:
    wallet = Wallet(KEY)
    for _ in range(KEPT + 5):
        await wallet.answer("eth_accounts")
    assert len(wallet.requests) == KEPT


async def test_wallets_share_nothing() -> None:
    one, two = Wallet(), Wallet()
    await one.switch_chain(1)
    await one.answer("eth_accounts")
    assert one.address != two.address
    assert (two.chain_id, len(two.requests)) == (56, 0)


BAD = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff8g"


@pytest.mark.parametrize("key", [BAD, BAD[:-1], "", "0x" + "0" * 64, "0x" + "f" * 64, "ключ"])
def test_a_key_that_is_none_is_not_told(key: str) -> None:
    with pytest.raises(BadInput) as caught:
        Wallet(SecretStr(key))
    text = "".join(traceback.format_exception(caught.value))
    assert "64 hexadecimal digits" in text
    assert not key or key not in text


async def test_no_secret_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    shown: list[str] = []
    show: Callable[[Any], None] = lambda value: shown.extend((repr(value), str(value)))  # noqa: E731
    async with ChainNode(**SENDS).at_work() as url:
        wallet = Wallet(KEY, rpc_url=url, policy=SPENDING)
        await wallet.answer("personal_sign", [SIGN_IN, WALLET])
        await wallet.answer("eth_sendTransaction", [{"to": TO}])
        try:
            await wallet.answer("eth_getBalance", [WALLET, "latest"])
        except WalletRefused as refusal:
            show("".join(traceback.format_exception(refusal)))
    late = Wallet(KEY, rpc_url=url)
    try:
        await late.answer("eth_getBalance", [WALLET, "latest"])  # nobody is there any more
    except WalletRefused as refusal:
        show("".join(traceback.format_exception(refusal)))
    show([wallet, list(wallet.requests), wallet.policy, late, list(late.requests), vars(late), vars(wallet)])
    everything = "\n".join([*shown, *(record.getMessage() for record in caplog.records)])
    assert "Request ID TESTHASH" in everything
    for secret in (KEY.get_secret_value()[2:], SIGNATURE[2:], "secret-of-the-node"):
        assert secret not in everything
