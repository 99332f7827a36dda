"""A wallet in front of real pages: ethers 5 and 6, viem, web3.js in real Chromium; and what a page may not.

`FEATURES` is one table that every library passes row by row; with the libraries it makes
`tests/data/wallet_matrix.md`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from flows import BadInput
from launcher.hosting import Hosting
from launcher.hosts.browser import Browser
from launcher.hosts.browser_host import BrowserHost
from launcher.metapro import Decision, Wallet, WalletPolicy, WalletRequest
from launcher.metapro.injected import OPEN, ProviderInfo, inject
from tests.browsers import SECONDS, Posted, browser
from tests.pages import Pages, app
from tests.test_hosted import showing, shown
from tests.wallet_libraries import LIBRARIES, Library, files

__all__ = ["browser"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

MATRIX = Path(__file__).parent / "data" / "wallet_matrix.md"
ACCOUNT, OTHER = "the account", "another account"
BNB, ETHEREUM = 56, 1
Act = Callable[[Wallet], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Feature:
    """What an app does, and what it comes to.

    Before it, the wallet is connected and on chain 56. `owner` acts before the script runs. `value` is the
    script's; a number for a refusal. `last` is the method that the wallet was asked last.
    """

    name: str
    script: str
    value: Any
    owner: Act | None = None
    last: str | None = None


def refuse(method: str | None = None) -> Act:
    async def act(wallet: Wallet) -> None:
        wallet.refuse_next(method)

    return act


async def another_account(wallet: Wallet) -> None:
    await wallet.switch_account()


async def another_chain(wallet: Wallet) -> None:
    await wallet.switch_chain(ETHEREUM)


async def unexpected_chain(wallet: Wallet) -> None:
    await wallet.switch_chain(4242)


async def disconnect(wallet: Wallet) -> None:
    await wallet.disconnect()


FEATURES = (
    Feature("account and chain before any script", "early", {"account": ACCOUNT, "chain": "0x38"}),
    Feature(
        "found by EIP-6963",
        "[found.length, found[0].info.rdns, provider === window.ethereum, Object.isFrozen(found[0].info)]",
        [1, "one.metapro.wallet", True, True],
    ),
    Feature("connects", "lib.connect()", [ACCOUNT]),
    Feature("is connected without asking", "lib.accounts()", [ACCOUNT]),
    Feature("reads the chain", "lib.chain()", BNB),
    Feature("signs a text", "lib.sign('Zoë\\n\\n0x 🦄')", ACCOUNT),
    Feature("signs no text at all", "lib.sign('')", ACCOUNT),
    Feature("signs typed data", "lib.typed(56)", ACCOUNT, last="eth_signTypedData_v4"),
    Feature("typed data of another chain are refused", "refusal(lib.typed(1))", -32602),
    Feature(
        "switches the chain",
        "lib.switchTo('0x1').then(async () => [provider.chainId, await lib.chain(), heard])",
        ["0x1", ETHEREUM, [["chainChanged", "0x1"]]],
    ),
    Feature("an unknown chain is refused", "refusal(lib.switchTo('0x1234'))", 4902),
    Feature("adds a chain", "lib.addChain().then(() => [provider.chainId, heard])",
            ["0x14a34", [["chainChanged", "0x14a34"]]]),
    Feature("reads a block without a node", "lib.block()", 0x1000000),
    Feature("a balance is refused without a node", "refusal(lib.balance())", 4200),
    Feature("a text is refused by the user", "refusal(lib.sign('x'))", 4001, refuse()),
    Feature("typed data are refused by the user", "refusal(lib.typed(56))", 4001, refuse()),
    Feature("connecting is refused by the user", "refusal(lib.connect())", 4001,
            refuse("eth_requestAccounts")),
    Feature("switching is refused by the user", "refusal(lib.switchTo('0x1'))", 4001, refuse()),
    Feature("a transfer is refused when it is asked for", "refusal(lib.send())", 4001,
            last="eth_sendTransaction"),
    Feature("a contract's method is refused when it is asked for", "refusal(lib.call())", 4001,
            last="eth_sendTransaction"),
    Feature(
        "hears of another account and signs with it",
        "lib.sign('x').then(async who => [who, await lib.accounts(), provider.selectedAddress, heard])",
        [OTHER, [OTHER], OTHER, [["accountsChanged", [OTHER]]]],
        another_account,
    ),
    Feature("hears of another chain", "lib.chain().then(chain => [chain, heard])",
            [ETHEREUM, [["chainChanged", "0x1"]]], another_chain),
    Feature("finds itself on a chain nobody expects", "lib.chain()", 4242, unexpected_chain),
    Feature(
        "hears that it was disconnected",
        "lib.accounts().then(list => [list, provider.selectedAddress, provider.isConnected(), heard])",
        [[], None, False, [["accountsChanged", []], ["disconnect", 4900]]],
        disconnect,
    ),
    Feature("nothing is signed when disconnected",
            "refusal(provider.request({ method: 'personal_sign', params: ['x', early.account] }))", 4100,
            disconnect),
    Feature(
        "connects again",
        "lib.connect().then(list => [list, provider.isConnected(), heard.slice(2)])",
        [[ACCOUNT], True, [["connect", {"chainId": "0x38"}], ["accountsChanged", [ACCOUNT]]]],
        disconnect,
    ),
)  # fmt: skip


def matrix() -> str:
    names = [library.name for library in LIBRARIES]
    count = f"{len(FEATURES)} features, {len(names)} libraries, {len(FEATURES) * len(names)} checks."
    head = ["# What libraries get from the wallet", "", count, "", f"| feature | {' | '.join(names)} |"]
    rows = [f"| {feature.name} |{' yes |' * len(names)}" for feature in FEATURES]
    refusals = [f"- {library.name}: {library.rejected}" for library in LIBRARIES]
    after = ["", "How the user's refusal (4001) surfaces, as name and code of the error:", "", *refusals]
    return "\n".join([*head, "|---" * (len(names) + 1) + "|", *rows, *after]) + "\n"


async def test_the_matrix_is_what_is_tested() -> None:
    """Made anew by `MATRIX.write_text(matrix())`."""
    assert MATRIX.read_text() == matrix()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pages(request: pytest.FixtureRequest) -> AsyncIterator[Pages]:
    found = await asyncio.to_thread(files, request.config.cache)
    async with Pages(found) as served:
        yield served


@asynccontextmanager
async def before(browser: Browser, url: str, wallet: Wallet) -> AsyncIterator[BrowserHost]:
    """A page with this wallet before it, loaded."""
    async with (
        asyncio.timeout(4 * SECONDS),
        browser.open(url, on_event=Posted(), prepare=partial(inject, wallet)) as host,
    ):
        assert (await host.loaded()).failure is None
        yield host


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)
async def test_a_library_gets_every_feature(library: Library, browser: Browser, pages: Pages) -> None:
    wallet = Wallet()
    async with before(browser, pages.url(f"/{library.name}"), wallet) as host:
        problems = [await _problem(host, wallet, feature) for feature in FEATURES]
        assert [problem for problem in problems if problem] == []
        wallet.refuse_next()
        surfaced = "lib.sign('x').catch(failure => `${failure.name} ${failure.code}`)"
        assert await host.page.evaluate(surfaced) == library.rejected


async def _problem(host: BrowserHost, wallet: Wallet, feature: Feature) -> str | None:
    first = wallet.address
    await wallet.answer("eth_requestAccounts")
    await wallet.switch_chain(BNB)
    await host.page.evaluate("() => { heard.length = 0; }")
    if feature.owner:
        await feature.owner(wallet)
    got = await host.page.evaluate(f"Promise.resolve({feature.script})")
    last = wallet.requests[-1].method
    named = json.loads(json.dumps(got).lower().replace(first, ACCOUNT).replace(wallet.address, OTHER))
    await wallet.switch_account(first)
    if named != json.loads(json.dumps(feature.value).lower()) or feature.last not in (None, last):
        return f"{feature.name}: {got!r} after {last}, and not {feature.value!r}"
    return None


# The provider without a library

BARE = """
const ask = (method, ...params) => ethereum.request({ method, params })
  .then(result => result, failure => failure.code);
"""


@asynccontextmanager
async def bare(browser: Browser, wallet: Wallet, body: str = "") -> AsyncIterator[tuple[BrowserHost, Pages]]:
    """A page of ours with `ask(method, ...params)`, which gives the result or the refusal's number."""
    async with Pages({"/": app(BARE, body), "/part": app(BARE)}) as pages:
        async with before(browser, pages.url(), wallet) as host:
            yield host, pages


async def test_a_reload_keeps_the_provider_as_it_is_by_then(browser: Browser) -> None:
    wallet = Wallet()
    async with bare(browser, wallet) as (host, _):
        await wallet.switch_account()
        await wallet.switch_chain(97)
        await wallet.switch_chain(137)
        await host.page.reload()
        seen = "[ethereum.selectedAddress, ethereum.chainId, ethereum.networkVersion]"
        assert await host.page.evaluate(seen) == [wallet.address, "0x89", "137"]
        assert await host.page.evaluate("ask('eth_chainId')") == "0x89"
        await wallet.disconnect()
        await host.page.reload()
        assert await host.page.evaluate("ethereum.selectedAddress") is None


async def test_a_page_that_reloads_while_it_waits_gets_the_next_answer(browser: Browser) -> None:
    asked, decided = asyncio.Event(), asyncio.Event()

    async def decide(request: WalletRequest) -> bool:
        asked.set()
        await decided.wait()
        return True

    wallet = Wallet(policy=WalletPolicy(allowed=frozenset(), decide=decide))
    async with bare(browser, wallet) as (host, _):
        await host.page.evaluate("account => { ask('personal_sign', 'x', account); }", wallet.address)
        await asked.wait()
        await host.page.reload()
        decided.set()
        assert await host.page.evaluate("ask('eth_accounts')") == [wallet.address]
        assert len(await host.page.evaluate("ask('personal_sign', 'x', ethereum.selectedAddress)")) == 132


NO_REQUESTS = {
    "undefined": -32602,
    "{}": -32602,
    "{ method: 5 }": -32602,
    "{ method: 'eth_accounts', params: {} }": -32602,
    "{ method: 'personal_sign', params: [1n] }": -32602,
    "{ method: 'personal_sign', params: ['x'.repeat(2 ** 20)] }": -32005,
    "{ method: 'eth_nothing' }": 4200,
}


async def test_a_bare_page_asks_and_hears(browser: Browser) -> None:
    """A request that is none is refused; it hears by `on` and `once` until it removes; and the way to the
    wallet is not in its window."""
    wallet = Wallet()
    async with bare(browser, wallet) as (host, _):
        for asked, number in NO_REQUESTS.items():
            got = await host.page.evaluate(f"ethereum.request({asked}).catch(failure => failure.code)")
            assert (asked, got) == (asked, number)
        await host.page.evaluate("""() => {
          window.heard = [];
          const twice = chain => heard.push(`twice ${chain}`);
          ethereum.on('chainChanged', () => { throw new Error('mine'); });
          ethereum.on('chainChanged', twice).on('chainChanged', twice);
          ethereum.once('chainChanged', chain => { heard.push(`once ${chain}`); });
          ethereum.removeListener('chainChanged', twice).removeListener('chainChanged', () => 0);
        }""")
        await wallet.switch_chain(1)
        await wallet.switch_chain(97)
        assert await host.page.evaluate("heard") == ["twice 0x1", "once 0x1", "twice 0x61"]
        names = "Object.getOwnPropertyNames(window).filter(name => /^w[0-9a-f]{32}$/.test(name))"
        assert await host.page.evaluate(f"{names}.map(name => typeof window[name])") == ["object"]


async def test_a_frame_of_the_same_origin_is_served_and_a_foreign_one_refused(browser: Browser) -> None:
    wallet = Wallet()
    async with bare(browser, wallet, "<iframe src='/part'></iframe><iframe id=foreign></iframe>") as (
        host,
        pages,
    ):
        foreign = pages.url("/part", host="localhost")
        await host.page.evaluate(
            "url => new Promise(done => { foreign.onload = done; foreign.src = url; })", foreign
        )
        asks = "Promise.all([ethereum.selectedAddress, ask('eth_accounts'), ask('personal_sign', 'x', '%s')])"
        mine, theirs = [
            await frame.evaluate(asks % wallet.address) for frame in host.page.main_frame.child_frames
        ]
        assert mine[:2] == [wallet.address, [wallet.address]]
        assert len(mine[2]) == 132
        assert theirs == [None, 4100, 4100]
        await wallet.switch_account()
        told = [await frame.evaluate("ethereum.selectedAddress") for frame in host.page.frames]
        assert sorted(map(str, told)) == sorted([wallet.address, wallet.address, "None"])


async def test_the_app_in_a_web_client_s_frame_is_served(browser: Browser) -> None:
    wallet, posted = Wallet(), Posted()
    opening = partial(browser.open, on_event=posted, prepare=partial(inject, wallet), platform="weba")
    async with Pages({"/": app(f"{BARE} post('shown')")}) as pages, opening(pages.url()) as host:
        await posted.first("shown")
        assert await host.frame.evaluate("ethereum.selectedAddress") == wallet.address
        assert await host.frame.evaluate("ask('eth_requestAccounts')") == [wallet.address]
        await wallet.switch_chain(1)
        assert await host.frame.evaluate("ethereum.chainId") == "0x1"
        outer = "ethereum.request({ method: 'eth_accounts' }).catch(failure => failure.code)"
        assert await host.page.evaluate(outer) == 4100


async def test_only_so_many_requests_may_be_open(browser: Browser) -> None:
    decided = asyncio.Event()

    async def decide(_: WalletRequest) -> bool:
        await decided.wait()
        return False

    wallet = Wallet(policy=WalletPolicy(allowed=frozenset(), decide=decide))
    async with bare(browser, wallet) as (host, _):
        await host.page.evaluate(f"""() => {{
          const one = () => ask('personal_sign', 'x', ethereum.selectedAddress);
          window.all = Array.from({{ length: {OPEN} }}, one);
        }}""")
        assert await host.page.evaluate("ask('eth_accounts')") == -32005
        decided.set()
        assert await host.page.evaluate("Promise.all(all)") == [4001] * OPEN
        assert await host.page.evaluate("ask('eth_accounts')") == [wallet.address]


async def test_the_wallet_s_name_the_link_s_code_and_the_pace_are_arguments(browser: Browser) -> None:
    info = ProviderInfo(name="Mine", rdns="org.example.mine")
    prepare = partial(inject, Wallet(), info=info, ref_code="abc", rate=(3, 0))
    listening = app(f"""{BARE}
      addEventListener('eip6963:announceProvider', event => {{ window.info = event.detail.info; }});
      dispatchEvent(new Event('eip6963:requestProvider'));
    """)
    async with Pages({"/": listening}) as pages:
        async with browser.open(pages.url(), on_event=Posted(), prepare=prepare) as host:
            await host.loaded()
            assert await host.page.evaluate("metapro.queryParams") == {"refCode": "abc"}
            found = await host.page.evaluate("info")
            asked = [await host.page.evaluate("ask('eth_chainId')") for _ in range(4)]
    assert asked == ["0x38", "0x38", "0x38", -32005]
    assert (found["name"], found["rdns"], found["icon"][:19]) == (
        "Mine",
        "org.example.mine",
        "data:image/svg+xml,",
    )


async def test_two_launches_never_share_a_wallet(browser: Browser) -> None:
    one, two = Wallet(), Wallet()
    async with bare(browser, one) as (first, pages):
        with pytest.raises(BadInput, match="Make a Wallet for each launch"):
            async with before(browser, pages.url(), one):
                pass
        async with before(browser, pages.url(), two) as second:
            await one.switch_chain(1)
            seen = "Promise.all([ask('eth_accounts'), ethereum.chainId])"
            assert await first.page.evaluate(seen) == [[one.address], "0x1"]
            assert await second.page.evaluate(seen) == [[two.address], "0x38"]
            assert await second.page.evaluate(f"ask('personal_sign', 'x', '{one.address}')") == 4100
    async with bare(browser, one) as (again, _):
        assert await again.page.evaluate("ask('eth_accounts')") == [one.address]


async def test_a_live_app_has_the_wallet_it_was_prepared_with(browser: Browser) -> None:
    wallet = Wallet()
    hosting = Hosting("browser", prepare=partial(inject, wallet))
    async with (
        showing(browser) as (launcher, _, _),
        shown(launcher, "@demo_bot", via="main_app", hosting=hosting) as live,
    ):
        script = "account => ethereum.request({ method: 'personal_sign', params: ['hello', account] })"
        assert len(await live.page.evaluate(script, wallet.address)) == 132
    assert [(request.message, request.decision) for request in wallet.requests] == [
        ("hello", Decision.SIGNED)
    ]
