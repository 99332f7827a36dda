"""What a wallet and a relay say on the wire: links, envelopes, tokens, proposals, mail.

Keys and envelopes are the vectors of WalletConnect's own libraries, token and proposals those of its pages.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from typing import Any
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect as connect_socket
from websockets.exceptions import InvalidStatus

from flows import BadInput
from launcher.hosts.launch_secrets import LaunchSecrets
from launcher.metapro import Wallet
from launcher.metapro.walletconnect import (
    AppFailed,
    NoProposal,
    PairingUri,
    RelayRefused,
    RelayUnreachable,
    WalletConnect,
)
from launcher.metapro.walletconnect.client_id import relay_token
from launcher.metapro.walletconnect.crypto import (
    Unreadable,
    open_envelope,
    public_key,
    seal,
    shared_key,
    topic_of,
)
from launcher.metapro.walletconnect.methods import METHODS, Refused
from launcher.metapro.walletconnect.namespaces import Granted, grant
from launcher.metapro.walletconnect.relay import Relay as Client
from launcher.sandbox.relay import Relay
from tests.browsers import SECONDS

# Links

TOPIC = "7f6e504bfad60b485450578e05678ed3e8e8c4751d3c6160be17160d63ec90f9"
KEY = "587d5484ce2a2a6ee3ba1962fdd7e8588e06200c46823bd18fbd67def96ad303"
LINK = f"wc:{TOPIC}@2?relay-protocol=irn&symKey={KEY}"
EXPIRING = f"wc:{TOPIC}@2?expiryTimestamp=1705667684&relay-protocol=irn&symKey={KEY}"
WALLET = "https://metapro.one/app/wc?uri="
PAIRING = PairingUri(TOPIC, bytes.fromhex(KEY))


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        f"  {LINK}\n",
        f"wc:{TOPIC.upper()}@2?symKey={KEY}&methods=[wc_sessionPropose],[wc_authRequest]",
        f"wc://{TOPIC}@2?symKey={KEY}",
        f"{WALLET}{LINK}",
        f"https://wallet.metapro.one/app/wc?uri={LINK}",
        f"metapro://wc?uri={LINK}",
        f"{WALLET}{quote(LINK, safe='')}",
        f"{WALLET}{quote(LINK, safe='').replace('%3A', '%3a')}&from=telegram#top",
        f"{WALLET}{EXPIRING.replace('expiryTimestamp=1705667684', '')}",
    ],
)
def test_a_link_is_read_in_each_of_its_forms(link: str) -> None:
    assert PairingUri.parse(link) == PAIRING


def test_a_link_says_until_when_it_is_good() -> None:
    uri = PairingUri.parse(f"{WALLET}{EXPIRING}")
    assert uri.expires == 1705667684
    assert uri.seconds_left(1705667684 - 60) == 60
    assert uri.seconds_left(0) == 300
    assert PAIRING.seconds_left(0) == 300
    with pytest.raises(BadInput, match="expired"):
        uri.seconds_left(1705667684)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "https://metapro.one/app/wc",
        "https://metapro.one/app/wc?uri=",
        f"wc:{TOPIC}@1?bridge=https%3A%2F%2Fbridge&key={KEY}",
        f"wc:{TOPIC}@2?relay-protocol=irn",
        f"wc:{TOPIC}@2?symKey={KEY[:-1]}",
        f"wc:{TOPIC[1:]}@2?symKey={KEY}",
        f"wc:{TOPIC}@2?relay-protocol=waku&symKey={KEY}",
        f"{WALLET}{LINK.replace('@2', '')}",
    ],
)
def test_what_is_no_link_is_said_without_showing_it(link: str) -> None:
    with pytest.raises(BadInput) as failure:
        PairingUri.parse(link)
    assert KEY[:8] not in str(failure.value)
    assert failure.value.__suppress_context__ or failure.value.__context__ is None


def test_the_key_is_in_no_text() -> None:
    assert KEY not in repr(PAIRING)
    assert repr(bytes.fromhex(KEY)) not in repr(PAIRING)


@pytest.mark.parametrize("link", [LINK, quote(LINK), quote(LINK, safe=""), quote(quote(LINK, safe=""))])
def test_the_key_is_struck_out_of_what_is_shown_of_a_page(link: str) -> None:
    shown = LaunchSecrets("https://demo.example/").mask(f'web_app_open_link {{"url": "{WALLET}{link}"}}')
    assert KEY not in shown
    assert TOPIC in shown


# Envelopes

OURS = bytes.fromhex("1fb63fca5c6ac731246f2f069d3bc2454345d5208254aa8ea7bffc6d110c8862")
THEIRS = bytes.fromhex("36bf507903537de91f5e573666eaa69b1fa313974f23b2b59645f20fea505854")
OURS_PUBLIC = "ff7a7d5767c362b0a17ad92299ebdb7831dcbd9a56959c01368c7404543b3342"
SHARED = "0653ca620c7b4990392e1c53c4a51c14a2840cd20f0f1524cf435b17b6fe988c"
TEXT = '{"id":1,"jsonrpc":"2.0","method":"test_method","params":{}}'
TYPE_0 = (
    "AHF3ZWNmYWFzZGFkc3paHoQ96/mLAdanVxi17icRXq+jyrqXA8ocVgGmryQZ"
    "BFMg+uwgc8yLa43EOeY+IWEv84g8hn4L3Ncsgz6397sgNKnsNcL7A9k3Mg=="
)
TYPE_1 = (
    "Af96fVdnw2KwoXrZIpnr23gx3L2aVpWcATaMdARUOzNCcXdlY2ZhYXNkYWRzeloehD3r+YsB1qdX"
    "GLXuJxFer6PKupcDyhxWAaavJBkEUyD67CBzzItrjcQ55j4hYS/ziDyGfgvc1yyDPrf3uyA0qew1wvsD2Tcy"
)


def test_keys_are_agreed_on_as_everywhere() -> None:
    assert public_key(OURS).hex() == OURS_PUBLIC
    assert public_key(THEIRS).hex() == "590c2c627be7af08597091ff80dd41f7fa28acd10ef7191d7e830e116d3a186a"
    assert shared_key(OURS, public_key(THEIRS)).hex() == SHARED
    assert shared_key(THEIRS, public_key(OURS)).hex() == SHARED
    secret = bytes.fromhex("9c87e48e69b33a613907515bcd5b1b4cc10bbaf15167b19804b00f0a9217e607")
    assert topic_of(secret) == "a492906ccc809a411bb53a84572b57329375378c6ad7566f3e1c688200123e77"


def test_envelopes_are_sealed_and_opened_as_everywhere() -> None:
    key = bytes.fromhex(SHARED)
    assert seal(key, TEXT, bytes.fromhex("717765636661617364616473")) == TYPE_0
    assert open_envelope(key, TYPE_0) == open_envelope(key, TYPE_1) == TEXT


@pytest.mark.parametrize("envelope", ["", "?", "AA==", TYPE_0[:-8], "Ag" + TYPE_0[2:], "AAA" + TYPE_0[3:]])
def test_a_damaged_envelope_is_not_opened(envelope: str) -> None:
    with pytest.raises(Unreadable):
        open_envelope(bytes.fromhex(SHARED), envelope)


# Who a client is

SEED = bytes.fromhex("58e0254c211b858ef7896b00e3f36beeb13d568d47c6031c4218b87718061295")
SUBJECT = "c479fe5dc464e771e78b193d239a65b58d278cad1c34bfb0b5716e5bb514928e"
TOKEN = (
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJkaWQ6a2V5Ono2TWtvZEhad25lVlJTaHRhTGY4SktZa3hwREdwMXZHWm5w"
    "R21kQnBYOE0yZXh4SCIsInN1YiI6ImM0NzlmZTVkYzQ2NGU3NzFlNzhiMTkzZDIzOWE2NWI1OGQyNzhjYWQxYzM0YmZiMGI1NzE2ZTVi"
    "YjUxNDkyOGUiLCJhdWQiOiJ3c3M6Ly9yZWxheS53YWxsZXRjb25uZWN0LmNvbSIsImlhdCI6MTY1NjkxMDA5NywiZXhwIjoxNjU2OTk2"
    "NDk3fQ.bAKl1swvwqqV_FgwvD4Bx3Yp987B9gTpZctyBviA-EkAuWc8iI8SyokOjkv9GJESgid4U8Tf2foCgrQp2qrxBA"
)


def test_a_token_is_signed_as_the_page_has_it() -> None:
    assert relay_token(SEED, "wss://relay.walletconnect.com", SUBJECT, 1656910097) == TOKEN


NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (101, {}),
        (400, {"project": ""}),
        (401, {"url": "ws://127.0.0.1:1"}),
        (401, {"issued": NOW + 120}),
        (401, {"issued": NOW - 86_400}),
        (401, {"token": ""}),
        (401, {"token": TOKEN}),
        (401, {"forged": True}),
    ],
)
async def test_the_relay_lets_in_who_proves_it(status: int, change: dict[str, Any]) -> None:
    async with Relay(now=lambda: float(NOW)) as relay:
        token = relay_token(SEED, change.get("url", relay.url), SUBJECT, change.get("issued", NOW))
        if change.get("forged"):
            token = (
                relay_token(OURS, relay.url, SUBJECT, NOW).rpartition(".")[0] + "." + token.rpartition(".")[2]
            )
        url = f"{relay.url}?auth={change.get('token', token)}&projectId={change.get('project', 'tests')}"
        try:
            async with connect_socket(url):
                answered = 101
        except InvalidStatus as refused:
            answered = refused.response.status_code
        assert answered == status


# Proposals: the numbers are those of the page's cases

CHAINS = {"chains": ["eip155:1", "eip155:56"]}
SIGNING = {"methods": ["personal_sign"], "events": []}
EIP155 = CHAINS | {"methods": ["personal_sign", "eth_sign"], "events": ["chainChanged"]}


@pytest.mark.parametrize(
    ("proposal", "granted"),
    [
        (
            {"requiredNamespaces": {"eip155": EIP155}},
            Granted((56, 1), ("personal_sign", "eth_sign"), ("chainChanged",)),
        ),
        ({"requiredNamespaces": {"eip155:1": SIGNING}}, Granted((1,), ("personal_sign",), ())),  # 1.1, 1.3
        ({"requiredNamespaces": {"eip155": CHAINS}}, Granted((56, 1), (), ())),  # 1.5
        ({}, Granted((56, 1, 137), (), ())),  # 1.9
        (  # what is optional is given as far as it is there
            {
                "requiredNamespaces": {"eip155:1": SIGNING},
                "optionalNamespaces": {
                    "eip155": {"chains": ["eip155:10", "eip155:137"], "methods": ["eth_dance"]},
                    "solana": {"chains": ["solana:1"]},
                },
            },
            Granted((1, 137), ("personal_sign",), ()),
        ),
    ],
)
def test_a_wallet_grants_what_it_can(proposal: dict[str, Any], granted: Granted) -> None:
    assert grant(proposal, (1, 56, 137), 56) == granted


@pytest.mark.parametrize(
    ("code", "proposal"),
    [
        (5100, {"requiredNamespaces": {"eip155": EIP155 | {"chains": []}}}),  # 1.2
        (5100, {"requiredNamespaces": {"eip155": EIP155 | {"chains": ["42"]}}}),  # 1.4
        (5100, {"requiredNamespaces": {"eip155": EIP155 | {"chains": ["eip155:1", "cosmos:hub"]}}}),  # 1.6
        (5104, {"requiredNamespaces": {"": {"chains": [":1"]}}}),  # 1.7
        (5104, {"optionalNamespaces": {"**": {"chains": ["**:1"]}}}),
        (5100, {"requiredNamespaces": {"eip155": EIP155, "cosmos": {"chains": []}}}),  # 1.8
        (5104, {"requiredNamespaces": {"cosmos": {"chains": ["cosmos:hub"]}}}),
        (5104, {"requiredNamespaces": ["eip155"]}),
        (5100, {"requiredNamespaces": {"eip155:10": EIP155}}),
        (5100, {"optionalNamespaces": {"eip155:10": EIP155}}),
        (5101, {"requiredNamespaces": {"eip155": EIP155 | {"methods": ["wallet_sendCalls"]}}}),
        (5102, {"requiredNamespaces": {"eip155": EIP155 | {"events": ["message"]}}}),
    ],
)
def test_a_wallet_refuses_what_it_cannot(code: int, proposal: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        grant(proposal, (1, 56, 137), 56)
    assert refused.value.code == code


# Mail

PING = METHODS["wc_sessionPing"]


class Party:
    """A client of a relay, and what it heard."""

    def __init__(self, url: str) -> None:
        self.heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.client = Client(
            url,
            "tests",
            os.urandom(32),
            self._hear,
            random=os.urandom,
            now=lambda: float(NOW),
            pauses=(0.01,),
        )

    def _hear(self, topic: str, envelope: str) -> None:
        self.heard.put_nowait((topic, envelope))

    async def __aenter__(self) -> Client:
        self._running = asyncio.create_task(self.client.run())
        await self.client.connected()
        return self.client

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)


async def test_mail_waits_until_its_time_is_over() -> None:
    now = float(NOW)
    async with Relay(now=lambda: now) as relay:
        async with Party(relay.url) as sender:
            await sender.publish(TOPIC, "early", 1114, METHODS["wc_pairingPing"])
            await sender.publish(TOPIC, "late", 1114, PING)
        now += 31
        reader = Party(relay.url)
        async with asyncio.timeout(SECONDS), reader as client:
            await client.subscribe(TOPIC)
            assert await reader.heard.get() == (TOPIC, "late")
            assert reader.heard.empty()


async def test_a_restart_of_the_relay_loses_nothing_and_repeats_nothing() -> None:
    async with Relay(now=lambda: float(NOW)) as relay:
        reader, sender = Party(relay.url), Party(relay.url)
        async with asyncio.timeout(SECONDS), reader as reading, sender as sending:
            await reading.subscribe(TOPIC)
            for number in range(5):
                publishing = asyncio.create_task(sending.publish(TOPIC, str(number), 1114, PING))
                await relay.stop()
                await relay.start()
                await publishing
            assert sorted([(await reader.heard.get())[1] for _ in range(5)]) == ["0", "1", "2", "3", "4"]
            await sending.publish(TOPIC, "last", 1114, PING)
            assert (await reader.heard.get())[1] == "last"
            await reading.unsubscribe(TOPIC)
            await sending.publish(TOPIC, "unheard", 1114, PING)
            assert reader.heard.empty()


async def test_the_relay_says_what_it_has_kept_and_what_it_does_not_know() -> None:
    async with Relay(now=lambda: float(NOW)) as relay, Party(relay.url) as sender:
        await sender.publish(TOPIC, "kept", 1114, PING)
        token = relay_token(SEED, relay.url, SUBJECT, NOW)
        headers = {"Authorization": f"Bearer {token}"}
        async with connect_socket(f"{relay.url}?projectId=tests", additional_headers=headers) as socket:

            async def ask(method: str, **params: Any) -> Any:
                await socket.send(
                    json.dumps({"id": "a", "jsonrpc": "2.0", "method": method, "params": params})
                )
                answer = json.loads(await socket.recv())
                return answer.get("result", answer.get("error", {}).get("code"))

            kept = {
                "topic": TOPIC,
                "message": "kept",
                "publishedAt": NOW * 1_000,
                "tag": 1114,
                "attestation": None,
            }
            assert await ask("irn_fetchMessages", topic=TOPIC) == {"messages": [kept], "hasMore": False}
            assert await ask("irn_batchFetchMessages", topics=[TOPIC]) == {"messages": [], "hasMore": False}
            assert await ask("irn_dance") == -32601
            assert await ask("irn_subscribe") == -32602
            assert await ask("irn_subscribe", topic="short") == -32602
            await socket.send("{")
            await socket.wait_closed()
            assert socket.close_code == 1007


# A wallet without an app that answers


async def test_a_wallet_that_the_relay_turns_away_says_so() -> None:
    async with Relay() as relay:
        with pytest.raises(RelayRefused, match="400"):
            async with WalletConnect(Wallet(), project_id="", relay_url=relay.url):
                pass


async def test_a_relay_that_is_not_there_is_given_up() -> None:
    async with Relay() as relay:
        url = relay.url
    with pytest.raises(RelayUnreachable, match=r"0\.1 s") as failure:
        async with WalletConnect(Wallet(), project_id="tests", relay_url=url, pauses=(0.01,), patience=0.1):
            pass
    assert failure.value.layer == "network"


@pytest.mark.parametrize("url", ["", "https://relay.example", "wss://", "wss://[x"])
def test_what_is_no_url_of_a_relay_is_said(url: str) -> None:
    with pytest.raises(BadInput, match="URL"):
        WalletConnect(Wallet(), project_id="tests", relay_url=url)


async def test_a_link_without_an_app_is_given_up_and_used_once() -> None:
    async with Relay() as relay:
        async with WalletConnect(Wallet(), project_id="tests", relay_url=relay.url, timeout=0.1) as connect:
            first, second = await asyncio.gather(
                connect.pair(LINK), connect.pair(LINK), return_exceptions=True
            )
            assert isinstance(first, NoProposal)
            assert isinstance(second, BadInput)
            with pytest.raises(NoProposal, match=r"0\.1 s"):
                await connect.pair(LINK)


async def test_an_app_is_waited_for_until_its_link_expires() -> None:
    now = 1705667684 - 0.125
    async with (
        Relay(now=lambda: now) as relay,
        WalletConnect(Wallet(), project_id="tests", relay_url=relay.url, now=lambda: now) as connect,
    ):
        with pytest.raises(NoProposal, match=r"0\.125 s"):
            await connect.pair(EXPIRING)
        now += 0.125
        with pytest.raises(BadInput, match="expired"):
            await connect.pair(EXPIRING)


async def test_an_app_that_does_not_take_its_session_is_given_up() -> None:
    proposal = {"id": 1, "method": "wc_sessionPropose", "params": {"proposer": {"publicKey": OURS_PUBLIC}}}
    rubbish = ("", seal(PAIRING.key, "[1]", bytes(12)), seal(PAIRING.key, "[" * 100_000, bytes(12)))
    async with (
        Relay(now=lambda: float(NOW)) as relay,
        Party(relay.url) as app,
        WalletConnect(
            Wallet(), project_id="tests", relay_url=relay.url, timeout=1.0, now=lambda: float(NOW)
        ) as connect,
    ):
        for envelope in (*rubbish, seal(PAIRING.key, json.dumps(proposal), bytes(12))):
            await app.publish(TOPIC, envelope, 1100, METHODS["wc_sessionPropose"])
        with pytest.raises(AppFailed, match="did not answer wc_sessionSettle") as failure:
            await connect.pair(LINK)
        assert failure.value.code is None
        assert connect.sessions == []


async def test_no_secret_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """websockets logs requests at level DEBUG, and the token is in the URL of one."""
    caplog.set_level(logging.DEBUG)
    async with Relay() as relay:
        async with WalletConnect(Wallet(), project_id="tests", relay_url=relay.url, timeout=0.1) as connect:
            with pytest.raises(NoProposal):
                await connect.pair(LINK)
            await relay.stop()
    assert "auth=" not in caplog.text
    assert KEY not in caplog.text
