"""WalletConnect, the wallet's side, before the client that Mini Apps use: @walletconnect/universal-provider
in real Chromium."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from pydantic import SecretStr

from launcher.hosts.browser import Browser
from launcher.metapro import Decision, Wallet, WalletPolicy
from launcher.metapro.walletconnect import PairingUri, ProposalRejected, RelayRefused, SessionEnd
from launcher.sandbox.relay import Relay
from tests.browsers import browser
from tests.running import in_own_task
from tests.walletconnect_app import NEWEST, OLDER, WALLET_LINK, Stand, standing

__all__ = ["browser"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = SecretStr("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
"""Of a well-known account of development chains, that nobody funds."""
ADDRESS = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
MESSAGE = (
    "Please sign to let us verify\nthat you are the owner of this address\n"
    f"{ADDRESS}\n\nRequest ID TESTHASH0123456789"
)
SIGNATURE = (
    "0xe4af63fcc26a481fc2cad385508aacd49a99781e7ca72b584d7c4d20e2dc9f9e"
    "3c8d198c2ba488dfb0ab0fdf0fecf92535f3984eed8e77796fb55149226046a71c"
)
TYPED: dict[str, Any] = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Greeting": [{"name": "text", "type": "string"}],
    },
    "primaryType": "Greeting",
    "domain": {"name": "app", "chainId": 1},
    "message": {"text": "hello"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stand(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    async with in_own_task(standing(browser, request.config.cache)) as stand:
        yield stand


@pytest.mark.parametrize("package", [NEWEST, OLDER])
async def test_an_app_connects_and_has_its_message_signed(stand: Stand, package: str) -> None:
    async with stand.page(Wallet(KEY), package) as page:
        link = await page.link()
        assert link.startswith(f"{WALLET_LINK}wc:")
        session = await page.connect.pair(link)
        assert await page.live.frame.evaluate("connecting") == {"result": [ADDRESS]}
        assert session.app["name"] == "app"
        assert session.granted.chains == (56, 1)
        signed = await page.run("request", "personal_sign", [MESSAGE, ADDRESS])
        assert signed == {"result": SIGNATURE}
        assert page.wallet.requests[-1].message == MESSAGE
        assert [said.tag for said in page.relay.log] == [1100, 1101, 1102, 1103, 1108, 1109]
        assert [said.ttl for said in page.relay.log[:4]] == [300] * 4


async def test_what_is_signed_follows_the_chain_and_the_account(stand: Stand) -> None:
    """Those that the app names, and those that it hears of. Metapro's Mini App keeps the account of
    `session_update`, written as CAIP-10, and may sign with it next: the wallet refuses, and its log shows
    what it was given."""
    async with stand.page() as page:
        session = await page.connected()
        before = page.wallet.address
        params = [before, TYPED]
        wrong = await page.run("request", "eth_signTypedData", params)
        assert wrong["code"] == -32602
        signed = await page.run("request", "eth_signTypedData", params, "eip155:1")
        signer = Account.recover_message(encode_typed_data(full_message=TYPED), signature=signed["result"])
        assert signer.lower() == before
        assert page.wallet.chain_id == 1
        await page.wallet.switch_chain(56)
        await page.live.frame.wait_for_function(
            "heard.some(([name, data]) => name == 'chainChanged' && data == '56')"
        )
        await page.wallet.switch_chain(137)
        assert session.granted.chains == (56, 1, 137)
        update = await page.run("until", "session_update")
        assert update["params"]["namespaces"]["eip155"]["accounts"][-1] == f"eip155:137:{before}"
        account = await page.wallet.switch_account()
        assert account != before
        await page.live.frame.wait_for_function(f"stored.endsWith('{account}')")
        await page.live.frame.wait_for_function(f"heard.some(([, data]) => data[0] === '{account}')")
        signed = await page.run("request", "personal_sign", ["0x68656c6c6f", account])
        signer = Account.recover_message(encode_defunct(text="hello"), signature=signed["result"])
        assert signer.lower() == account
        stored = await page.live.frame.evaluate("stored")
        assert stored == f"eip155:56:{account}"
        refused = await page.run("request", "personal_sign", ["hello", stored])
        assert refused["code"] == -32602
        assert page.wallet.requests[-1].decision is Decision.REFUSED
        assert page.wallet.requests[-1].params == ["hello", stored]


async def test_a_refusal_reaches_the_app_as_it_is(stand: Stand) -> None:
    async with stand.page(Wallet(policy=WalletPolicy(allowed=frozenset()))) as page:
        await page.connected()
        refused = await page.run("request", "personal_sign", ["hello", page.wallet.address])
        assert refused["code"] == 4001
        sent = await page.run("request", "eth_sendTransaction", [{"to": ADDRESS, "value": "0x1"}])
        assert sent["code"] == 4001
        old = await page.run("request", "eth_sign", [page.wallet.address, "0x00"])
        assert old["code"] == 4200


async def test_an_app_that_signs_in_at_once_or_names_another_chain_is_served(stand: Stand) -> None:
    """The one falls back to connecting; the other asks for a chain that it did not propose."""
    async with stand.page() as page:
        session = await page.connect.pair(await page.opened("authenticate"))
        accounts = [f"eip155:56:{page.wallet.address}"]
        assert await page.live.frame.evaluate("connecting") == {"result": accounts}
        assert session.granted.chains == (56,)
        await page.run("provider.disconnect.bind(provider)")
        assert await session.closed() is SessionEnd.APP
        switching = "wallet_switchEthereumChain"
        session = await page.connect.pair(await page.link(methods=[switching]))
        await page.live.frame.evaluate("connecting")
        unknown = await page.run("request", switching, [{"chainId": "0x539"}])
        assert unknown["code"] == 4902
        assert await page.run("request", switching, [{"chainId": "0x89"}]) == {"result": None}
        assert (page.wallet.chain_id, session.granted.chains) == (137, (56, 1, 137))


async def test_either_side_ends_the_session_and_may_begin_another(stand: Stand) -> None:
    async with stand.page() as page:
        first = await page.connected()
        await page.run("provider.disconnect.bind(provider)")
        assert await first.closed() is SessionEnd.APP
        assert page.connect.sessions == []
        second = await page.connected()
        await second.disconnect()
        assert await second.closed() is SessionEnd.WALLET
        assert (await page.run("until", "disconnect"))["code"] == 6000
        third = await page.connected()
        await page.wallet.disconnect()
        assert await third.closed() is SessionEnd.WALLET
        await page.live.frame.wait_for_function("heard.filter(([name]) => name == 'disconnect').length == 2")
        await page.connected()
        assert "result" in await page.run("request", "personal_sign", ["hello", page.wallet.address])


async def test_the_app_hears_why_a_wallet_does_not_connect(stand: Stand) -> None:
    async with stand.page(package=OLDER) as page:
        page.connect.reject_next()
        for changes, code in (
            ({}, 5000),
            ({"chains": ["eip155:424242"]}, 5100),
            ({"methods": ["wallet_sendCalls"]}, 5101),
            ({"events": ["weatherChanged"]}, 5102),
        ):
            with pytest.raises(ProposalRejected) as rejected:
                await page.connect.pair(await page.link(**changes))
            assert rejected.value.code == code
            told = await page.live.frame.evaluate("connecting")
            assert told == {"code": code, "message": rejected.value.reason}
        page.wallet.refuse_next("eth_requestAccounts")
        with pytest.raises(ProposalRejected, match="5000"):
            await page.connect.pair(await page.link())
        assert {said.tag for said in page.relay.log} == {1100, 1120}
        await page.connected()


async def test_a_relay_that_restarts_goes_unnoticed_unless_it_turns_the_wallet_away(stand: Stand) -> None:
    behind = 0
    async with stand.page(relay=Relay(now=lambda: time.time() - behind), pauses=(0.02,)) as page:
        session = await page.connected()
        await session.ping()
        await page.relay.stop()
        asked = asyncio.create_task(page.run("request", "personal_sign", ["hello", page.wallet.address]))
        await page.relay.start()
        assert "result" in await asked
        await page.relay.stop()
        changing = asyncio.create_task(page.wallet.switch_chain(1))
        await page.relay.start()
        assert await page.run("until", "chainChanged") == "1"
        await changing
        behind = 3_600
        await page.relay.stop()
        await page.relay.start()
        assert await session.closed() is SessionEnd.LOST
        assert page.connect.sessions == []
        with pytest.raises(RelayRefused, match="401"):
            await session.ping()


@pytest.mark.slow
async def test_the_app_ends_a_session_when_its_time_is_over(stand: Stand) -> None:
    """By the page's clock: an hour as the wallet has settled it, a week from when it was extended."""
    passed = 0
    async with stand.page(clock=True, lifetime=3_600.0, now=lambda: time.time() + passed) as page:
        signing = "personal_sign", ["hello", page.wallet.address]
        for extends, lasts in ((False, 3_600), (True, 604_800)):
            session = await page.connected()
            if extends:
                await session.extend()
            await page.live.page.clock.fast_forward((lasts - 600) * 1_000)
            assert "result" in await page.run("request", *signing)
            await page.live.page.clock.fast_forward(1_200_000)
            assert (await page.run("until", "disconnect"))["code"] == 6000
            await page.live.frame.evaluate("heard.splice(0)")
            passed += lasts + 600


async def test_the_wallet_ends_a_session_when_its_time_is_over(stand: Stand) -> None:
    """By its own clock, at the latest when it is asked something, and by itself."""
    passed = 0.0
    async with stand.page(lifetime=3_600.0, now=lambda: time.time() + passed) as page:
        signing = "personal_sign", ["hello", page.wallet.address]
        asked = await page.connected()
        passed = 3_601
        assert (await page.run("request", *signing))["code"] == 7001
        assert await asked.closed() is SessionEnd.EXPIRED
        assert page.connect.sessions == []
        passed = 0
        await page.run("provider.disconnect.bind(provider)")
        left_alone = await page.connected()
        passed = left_alone.expires - time.time() - 0.5
        await page.run("request", *signing)
        assert await left_alone.closed() is SessionEnd.EXPIRED


async def test_what_an_app_may_not_say_is_answered_with_its_error(stand: Stand) -> None:
    signing = {"method": "personal_sign", "params": ["hello", ADDRESS]}
    async with stand.page() as page:
        link = await page.link()
        session = await page.connect.pair(link)
        await page.live.frame.evaluate("connecting")
        pairing = PairingUri.parse(link).topic
        for topic, method, params, answer in (
            (session.topic, "wc_sessionPing", {}, True),
            (session.topic, "wc_sessionRequest", {"chainId": "eip155:10", "request": signing}, 3005),
            (
                session.topic,
                "wc_sessionRequest",
                {"chainId": "eip155:1", "request": {"method": "eth_call"}},
                3001,
            ),
            (session.topic, "wc_sessionRequest", {"chainId": "eip155:1"}, -32602),
            (
                session.topic,
                "wc_sessionRequest",
                {"chainId": "eip155:1", "request": signing | {"expiryTimestamp": 1}},
                8000,
            ),
            (session.topic, "wc_sessionUpdate", {"namespaces": {}}, 3003),
            (session.topic, "wc_sessionEvent", {"event": {"name": "chainChanged", "data": 1}}, True),
            (session.topic, "wc_sessionEvent", {"event": {"name": "weatherChanged"}}, 1002),
            (session.topic, "wc_sessionExtend", {}, True),
            (session.topic, "wc_sessionExtend", {"expiry": 9_999_999_999}, 1004),
            (session.topic, "wc_sessionDance", {}, 10001),
            (pairing, "wc_sessionPropose", {}, -32602),
            (
                pairing,
                "wc_sessionPropose",
                {"requiredNamespaces": {"solana": {"chains": ["solana:1"]}}},
                5104,
            ),
            (pairing, "wc_sessionDance", {}, 10001),
            (pairing, "wc_pairingPing", {}, True),
            (pairing, "wc_pairingDelete", {}, True),
            (session.topic, "wc_sessionDelete", {}, True),
        ):
            assert (method, params, await page.run("raw", topic, method, params)) == (method, params, answer)
        assert await session.closed() is SessionEnd.APP
