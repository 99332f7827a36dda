"""The stand-in of Metapro over real HTTP: each documented call, and each switch both ways."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account as Key
from eth_account.messages import encode_defunct
from pydantic import ValidationError

from launcher.sandbox import Sandbox
from launcher.sandbox.default_world import METAPRO_BOT_NAME, default_world
from launcher.sandbox.launch_url import sign
from launcher.sandbox.metapro import MetaproStandIn, Switches
from launcher.sandbox.metapro.signed_message import signed_by

LOGIN = "/v2/auth/telegram/login/simple"
KEY = Key.from_key("0x" + "11" * 32)
WALLET = KEY.address.lower()
OTHER_KEY = Key.from_key("0x" + "22" * 32)
ALICE = {"id": 1001, "first_name": "Alice", "last_name": "Liddell", "username": "alice"}
BOB = {"id": 1002, "first_name": "Bob", "last_name": "", "username": "bob_builds"}
DATA_CENTRE_KEY = Ed25519PrivateKey.generate()


@dataclass
class Client:
    """An app's side: plain HTTP, and the token that it keeps."""

    metapro: MetaproStandIn
    http: httpx.AsyncClient
    time: list[float]
    auth: dict[str, str] = field(default_factory=dict)

    @property
    def switches(self) -> Switches:
        return self.metapro.switches

    @property
    def ids(self) -> dict[str, str]:
        return self.metapro.ids

    @property
    def key(self) -> dict[str, str]:
        return {"leaderboardApiKey": self.ids["leaderboard_key"]}

    async def ask(self, service: str, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        return await self.http.request(method, self.metapro.services[service] + path, **options)

    async def status(self, service: str, path: str, method: str = "GET", **options: Any) -> int:
        return (await self.ask(service, path, method, **options)).status_code

    async def read(self, service: str, path: str, method: str = "GET", **options: Any) -> Any:
        """The JSON of an answer that must be good."""
        answer = await self.ask(service, path, method, **options)
        assert answer.is_success, answer.text
        return answer.json()

    # Telegram

    def init_data(self, user: Any = ALICE, *, age: float = 0, bot: str = METAPRO_BOT_NAME) -> str:
        fields = {"user": json.dumps(user), "auth_date": str(int(self.time[0] - age))}
        return sign(fields, token=self.metapro.world.bot(bot).token, key=DATA_CENTRE_KEY)

    def login_body(self, user: Any = ALICE, **changes: Any) -> dict[str, Any]:
        return {
            "telegramSimpleData": user,
            "telegramSimpleString": self.init_data(user),
            "projectId": self.ids["project_id"],
            "platformId": self.ids["platform_id"],
            "telegramBotName": self.ids["bot_name"],
        } | changes

    async def try_login(self, user: Any = ALICE, **changes: Any) -> httpx.Response:
        return await self.ask("users", LOGIN, "POST", json=self.login_body(user, **changes))

    async def log_in(self, user: Any = ALICE, **changes: Any) -> dict[str, Any]:
        """Log in, keep the token, and give the account."""
        answer = await self.try_login(user, **changes)
        assert answer.is_success, answer.text
        return self.keep(answer.json())

    def keep(self, login: Any) -> dict[str, Any]:
        account: dict[str, Any] = login["account"]
        self.auth = {
            "Authorization": login["token"]["accessToken"],
            "x-account-userid": account["userId"],
        }
        return account

    async def me(self) -> int:
        return await self.status("users", "/me", headers=self.auth)

    # Wallets

    async def hash(self, key: Any = KEY) -> str:
        answer = await self.read(
            "users", "/v2/auth/web3/signature/hash", headers={"x-account-wallet": key.address}
        )
        return str(answer["hash"])

    async def proof(self, key: Any = KEY, **body: Any) -> dict[str, Any]:
        """Headers and body of a call that proves a wallet."""
        made = await self.hash(key)
        wallet = key.address.lower()
        headers = {"x-account-wallet": wallet, "x-account-login-hash": made}
        return {"headers": headers, "json": {"wallet": wallet, "signature": signature(made, key)} | body}

    async def attach(self, key: Any = KEY, **body: Any) -> httpx.Response:
        proof = await self.proof(key, **({"merge": True} | body))
        return await self.ask(
            "users", "/v2/auth/web3/new-address", "POST",
            headers=proof["headers"] | self.auth, json=proof["json"],
        )  # fmt: skip

    async def web3(self, key: Any = KEY, **body: Any) -> httpx.Response:
        proof = await self.proof(key, **({"projectId": self.ids["project_id"]} | body))
        return await self.ask("users", "/v2/auth/web3/login", "POST", **proof)


def signature(made: str, key: Any = KEY, wallet: str = "") -> str:
    """What a wallet answers; the text stands here once more, independently of the stand-in's."""
    text = (
        "Please sign to let us verify\nthat you are the owner of this address\n"
        f"{wallet or key.address.lower()}\n\nRequest ID {made}"
    )
    signed: bytes = key.sign_message(encode_defunct(text=text)).signature
    return f"0x{bytes(signed).hex()}"


@asynccontextmanager
async def standing(**switches: Any) -> AsyncIterator[Client]:
    time = [1_800_000_000.0]
    async with (
        asyncio.timeout(60),
        MetaproStandIn(default_world(), Switches(**switches), clock=lambda: time[0], seed=1) as metapro,
        httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as http,
    ):
        yield Client(metapro, http, time)


# Logging in with Telegram


async def test_a_telegram_login_makes_one_account_for_each_user() -> None:
    async with standing() as client:
        first = await client.try_login(referralCode="FRIEND42")
        assert first.status_code == 201
        token = first.json()["token"]
        assert set(token) == {"accessToken", "tokenType"}
        account = client.keep(first.json())
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", account["userId"])
        assert account["externalAccounts"] == [
            {"name": "telegram", "data": {"id": "1001", "username": "alice"}}
        ]
        assert account["personalDetails"] == {
            "username": "alice",
            "firstName": "Alice",
            "lastName": "Liddell",
        }
        again = await client.try_login(referralCode="LATER")
        assert again.json()["account"]["userId"] == account["userId"]
        assert again.json()["token"] != token
        assert (await client.log_in(BOB))["userId"] != account["userId"]
        assert client.metapro.accounts.by_id[account["userId"]].invited_by == "FRIEND42"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"telegramSimpleString": "user=%7B%7D&auth_date=1&hash=00"}, 401),
        ({"telegramSimpleString": ""}, 400),
        ({"telegramSimpleData": BOB}, 401),
        ({"telegramBotName": "demo_bot"}, 401),
        ({"telegramBotName": "no_such_bot"}, 404),
        ({"telegramBotName": "alice"}, 404),
        ({"telegramBotName": ""}, 400),
        ({"projectId": "another"}, 404),
        ({"platformId": "another"}, 404),
        ({"projectId": None}, 400),
    ],
)
async def test_a_login_that_proves_nothing_gives_no_token(change: dict[str, Any], status: int) -> None:
    async with standing() as client:
        answer = await client.try_login(**change)
        assert answer.status_code == status
        assert "token" not in answer.json()
        assert client.metapro.accounts.of_telegram(1001) is None


async def test_any_change_of_the_init_data_breaks_them() -> None:
    async with standing() as client:
        data = client.init_data()
        for changed in (data.replace("Alice", "Malice"), data[:-1] + ("0" if data[-1] != "0" else "1")):
            assert (await client.try_login(telegramSimpleString=changed)).status_code == 401
        assert client.init_data(bot="demo_bot") != data
        wrong_bot = client.init_data(bot="demo_bot")
        assert (await client.try_login(telegramSimpleString=wrong_bot)).status_code == 401


async def test_how_strictly_init_data_are_checked() -> None:
    async with standing(login_refusal=403) as client:
        forged = client.init_data().replace("Alice", "Malice")
        assert (await client.try_login(telegramSimpleString=forged)).status_code == 403
        client.switches.init_data = "off"
        off = await client.log_in(telegramSimpleString=forged, telegramSimpleData=BOB)
        assert off["personalDetails"]["firstName"] == "Malice"
        client.switches.init_data = "user_object"
        believed = await client.log_in(telegramSimpleString="nonsense", telegramSimpleData=BOB)
        assert believed["personalDetails"]["firstName"] == "Bob"
        assert (await client.try_login(telegramSimpleData=None)).status_code == 400


async def test_how_old_init_data_may_be() -> None:
    async with standing(max_auth_age=60) as client:
        young, old = client.init_data(age=60), client.init_data(age=61)
        assert (await client.try_login(telegramSimpleString=young)).status_code == 201
        assert (await client.try_login(telegramSimpleString=old)).status_code == 401
        client.switches.max_auth_age = None
        assert (await client.try_login(telegramSimpleString=old)).status_code == 201


async def test_whether_init_data_may_be_used_twice() -> None:
    async with standing() as client:
        body = client.login_body()
        assert [await client.status("users", LOGIN, "POST", json=body) for _ in range(2)] == [201, 201]
        client.switches.init_data_reuse = False
        fresh = client.login_body(BOB)
        assert [await client.status("users", LOGIN, "POST", json=fresh) for _ in range(2)] == [201, 401]


async def test_how_the_bot_is_named() -> None:
    async with standing() as client:
        names = (METAPRO_BOT_NAME, f"@{METAPRO_BOT_NAME}")
        expected = {"either": [201, 201], "bare": [201, 400], "at": [400, 201]}
        for form, statuses in expected.items():
            client.metapro.switches = Switches.model_validate({"bot_name_form": form})
            tried = [(await client.try_login(telegramBotName=name)).status_code for name in names]
            assert (form, tried) == (form, statuses)


async def test_whether_an_unknown_project_or_a_missing_name_is_refused() -> None:
    async with standing(refuse_unknown_project=False) as client:
        assert (await client.try_login(projectId="x", platformId="y")).status_code == 201
        assert (await client.try_login(BOB)).status_code == 201
        client.switches.names_needed = True
        assert (await client.try_login(BOB)).status_code == 400


# Tokens


async def test_a_token_is_wanted_as_the_switch_says() -> None:
    async with standing() as client:
        await client.log_in()
        raw, bearer = client.auth, client.auth | {"Authorization": f"Bearer {client.auth['Authorization']}"}
        expected = {"raw": [200, 401], "bearer": [401, 200], "both": [200, 200]}
        for scheme, statuses in expected.items():
            client.metapro.switches = Switches.model_validate({"auth_scheme": scheme})
            told = [await client.status("users", "/me", headers=headers) for headers in (raw, bearer)]
            assert (scheme, told) == (scheme, statuses)


async def test_a_token_needs_its_own_user_id() -> None:
    async with standing() as client:
        other = await client.log_in(BOB)
        await client.log_in()
        alone = {"Authorization": client.auth["Authorization"]}
        assert await client.me() == 200
        assert await client.status("users", "/me", headers=alone) == 401
        client.switches.user_id_needed = False
        assert await client.status("users", "/me", headers=alone) == 200
        assert (
            await client.status("users", "/me", headers=alone | {"x-account-userid": other["userId"]}) == 401
        )
        assert await client.status("users", "/me") == 401


async def test_using_a_token_extends_it_up_to_a_maximum() -> None:
    async with standing(token_lifetime=100, token_maximum=250) as client:
        await client.log_in()
        statuses = []
        for _ in range(4):
            statuses.append(await client.me())
            client.time[0] += 70
        assert statuses == [200, 200, 200, 200]
        assert await client.me() == 401  # 280 s


@pytest.mark.parametrize(
    ("switches", "statuses"),
    [
        ({}, [200, 200, 200]),
        ({"sliding": False}, [200, 200, 401]),
        ({"extending": ["availability"]}, [200, 200, 401]),
        ({"extending": ["me"]}, [200, 200, 200]),
        ({"token_lifetime": 50}, [200, 401, 401]),
    ],
)
async def test_what_extends_a_token(switches: dict[str, Any], statuses: list[int]) -> None:
    async with standing(**({"token_lifetime": 100} | switches)) as client:
        await client.log_in()
        told = []
        for _ in statuses:
            told.append(await client.me())
            client.time[0] += 60
        assert told == statuses


async def test_a_second_login_may_give_the_same_token() -> None:
    async with standing(one_token=True, token_lifetime=10) as client:
        tokens = []
        for _ in range(2):
            await client.log_in()
            tokens.append(client.auth["Authorization"])
        client.time[0] += 10
        await client.log_in()
        assert tokens[0] == tokens[1] != client.auth["Authorization"]


@pytest.mark.parametrize("success", [200, 201])
async def test_the_status_of_success(success: int) -> None:
    async with standing(success=success) as client:
        assert (await client.try_login()).status_code == success


# Wallets


def test_the_documented_signature_is_known() -> None:
    signed = (
        "0xe4af63fcc26a481fc2cad385508aacd49a99781e7ca72b584d7c4d20e2dc9f9e"
        "3c8d198c2ba488dfb0ab0fdf0fecf92535f3984eed8e77796fb55149226046a71c"
    )
    wallet = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert signed_by(wallet, "TESTHASH0123456789", signed)
    assert not signed_by(wallet, "TESTHASH0123456780", signed)
    assert not signed_by(WALLET, "TESTHASH0123456789", signed)
    for broken in ("", "0x", signed[:-2], "0x" + "ff" * 65, "0x" + "00" * 65):
        assert not signed_by(wallet, "TESTHASH0123456789", broken)


async def test_a_wallet_logs_in_once_the_rules_are_accepted() -> None:
    async with standing() as client:
        check = f"/v2/auth/web3/check/{WALLET}"
        old_check = f"/auth/check/wallet/{WALLET}"
        assert await client.read("users", check) == {"hasAccount": False, "hasRulesChecked": False}
        assert (await client.web3()).status_code == 400
        login = await client.web3(rulesChecked=True, referralCode="FRIEND42")
        assert login.status_code == 201
        account = client.keep(login.json())
        assert [address["wallet"] for address in account["addresses"]] == [WALLET]
        assert account["rulesCheckbox"]["checked"] is True
        assert await client.read("users", check) == {"hasAccount": True, "hasRulesChecked": True}
        assert await client.read("users", old_check) == {
            "hasAccount": True, "hasExternalAccount": False, "rulesCheckbox": False,
        }  # fmt: skip
        assert (await client.web3()).json()["account"]["userId"] == account["userId"]
        assert await client.me() == 200
        assert (await client.web3(projectId="another")).status_code == 404


async def test_the_rules_may_go_unasked() -> None:
    async with standing(rules_needed=False) as client:
        assert (await client.web3()).status_code == 201


async def test_the_older_calls_of_a_wallet() -> None:
    async with standing(rules_needed=False) as client:
        hash_call = ("users", "/auth/signature/hash")
        made = (await client.read(*hash_call, headers={"x-account-wallet": WALLET}))["hash"]
        assert len(made) == 50
        body = {"wallet": WALLET, "signature": signature(made)}
        assert await client.status("users", "/auth/login", "POST", json=body) == 201
        made = (await client.read(*hash_call, headers={"x-account-wallet": KEY.address}))["hash"]
        body = {"wallet": KEY.address, "signature": signature(made, wallet=KEY.address)}
        assert await client.status("users", "/auth/login", "POST", json=body) == 201
        assert await client.status(*hash_call) == 400
        assert await client.status(*hash_call, headers={"x-account-wallet": "eip155:56:" + WALLET}) == 400


async def test_only_the_wallets_own_signature_of_its_own_hash_counts() -> None:
    async with standing(rules_needed=False) as client:
        proof = await client.proof(projectId=client.ids["project_id"])
        call = ("users", "/v2/auth/web3/login", "POST")
        made = proof["headers"]["x-account-login-hash"]
        wrong_hash = proof["headers"] | {"x-account-login-hash": "another"}
        wrong_wallet = proof["headers"] | {"x-account-wallet": OTHER_KEY.address}
        forged = proof["json"] | {"signature": signature(made, OTHER_KEY, WALLET)}
        assert await client.status(*call, headers=wrong_hash, json=proof["json"]) == 401
        assert await client.status(*call, headers=wrong_wallet, json=proof["json"]) == 400
        assert await client.status(*call, headers=proof["headers"], json=forged) == 401
        assert await client.status(*call, **proof) == 201
        assert await client.status(*call, **proof) == 401  # used up
        client.switches.hash_single_use = False
        proof = await client.proof(projectId=client.ids["project_id"])
        assert [await client.status(*call, **proof) for _ in range(2)] == [201, 201]


async def test_how_long_a_hash_can_be_signed() -> None:
    async with standing(rules_needed=False, hash_lifetime=30) as client:
        call = ("users", "/v2/auth/web3/login", "POST")
        proof = await client.proof(projectId=client.ids["project_id"])
        client.time[0] += 30
        assert await client.status(*call, **proof) == 401
        client.switches.hash_lifetime = None
        assert await client.status(*call, **proof) == 201


async def test_a_wallet_is_attached_to_a_telegram_account() -> None:
    async with standing() as client:
        account = await client.log_in()
        answer = await client.attach()
        assert answer.status_code == 201
        assert "token" not in answer.json()
        assert [one["wallet"] for one in answer.json()["addresses"]] == [WALLET]
        assert (await client.read("users", f"/profile/{WALLET}"))["userId"] == account["userId"]
        client.switches.profile_by_wallet = False
        assert await client.status("users", f"/profile/{WALLET}") == 404
        client.auth = {}
        assert (await client.attach()).status_code == 401


@pytest.mark.parametrize(
    ("elsewhere", "merge", "status", "other_stays"),
    [("merge", True, 201, False), ("move", True, 201, True), ("refuse", True, 409, True),
     ("merge", False, 409, True)],
)  # fmt: skip
async def test_a_wallet_that_another_account_has(
    elsewhere: str, merge: bool, status: int, other_stays: bool
) -> None:
    async with standing(wallet_elsewhere=elsewhere) as client:
        other = (await client.web3(rulesChecked=True)).json()
        client.metapro.scores.add(other["account"]["userId"], 30)
        me = (await client.log_in())["userId"]
        client.metapro.scores.add(me, 12)
        assert (await client.attach(merge=merge)).status_code == status
        mine = client.metapro.scores.of(me)
        assert mine is not None
        assert mine["totalRoundData"]["score"] == (12 if other_stays else 42)
        assert len(client.metapro.scores.players) == (14 if other_stays else 13)
        told = await client.read("users", "/me", headers=client.auth)
        assert [one["wallet"] for one in told["addresses"]] == ([WALLET] if status == 201 else [])
        assert await client.status("users", f"/profile/{other['account']['userId']}") == (
            200 if other_stays else 404
        )
        client.keep(other)
        assert await client.me() == (200 if other_stays else 401)


async def test_without_eth_account_it_says_which_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with standing() as client:
        proof = await client.proof(projectId=client.ids["project_id"])
        monkeypatch.setitem(sys.modules, "eth_account", None)
        answer = await client.ask("users", "/v2/auth/web3/login", "POST", **proof)
        assert answer.status_code == 501
        assert ".[metapro]" in answer.json()["message"]
        assert (await client.try_login()).status_code == 201


# People


async def test_people_are_found_and_changed() -> None:
    async with standing() as client:
        account = await client.log_in()
        mine = await client.read("users", "/me", headers=client.auth)
        assert await client.read("users", f"/profile/{account['userId']}") == mine
        changed = await client.read(
            "users", "/update", "PATCH", headers=client.auth,
            json={"personalDetails": {"bio": "Curious"}, "socialMedia": [{"name": "x", "value": "@a"}]},
        )  # fmt: skip
        assert (changed["personalDetails"]["bio"], changed["personalDetails"]["username"]) == (
            "Curious",
            "alice",
        )
        assert changed["socialMedia"] == [{"name": "x", "value": "@a"}]
        assert await client.status("users", "/update", "PATCH", headers=client.auth, json={}) == 400
        assert await client.status("users", "/update", "PATCH", json={"personalDetails": {}}) == 401
        for name, free in (("Ada", False), ("alice", True), ("nobody", True)):
            found = await client.read("users", f"/availability/{name}", headers=client.auth)
            assert found == {"isAvailable": free}
        assert await client.status("users", "/availability/ada") == 401
        assert await client.status("users", "/profile/nobody") == 404


async def test_lists_of_people() -> None:
    async with standing() as client:
        alice, bob = await client.log_in(), await client.log_in(BOB)
        await client.attach()
        chosen = {"userIds": [alice["userId"]], "wallets": [KEY.address]}
        found = await client.read("users", "/profiles", params=chosen)
        assert [one["userId"] for one in found["results"]] == [alice["userId"], bob["userId"]]
        best = await client.read(
            "users", "/profiles", params={"sort[engagementPoints]": "desc", "limit": 2, "skip": 1}
        )
        assert [one["personalDetails"]["username"] for one in best["results"]] == ["brunel", "curie"]
        assert best["count"] == 14
        assert (await client.read("users", "/profiles", params={"roles": "ADMIN"}))["count"] == 0
        assert await client.status("users", "/profiles", params={"sort[age]": "asc"}) == 400
        assert await client.status("users", "/profiles", params={"limit": "-1"}) == 400


async def test_the_path_of_the_production_host_works_as_well() -> None:
    async with standing() as client:
        answer = await client.http.get(f"{client.metapro.url}/users-service/profiles")
        assert answer.json()["count"] == 12


# Assets, teams, referrals


async def test_the_tokens_of_a_wallet() -> None:
    async with standing() as client:
        path = f"/v1/user/{WALLET}/tokens"
        asked = {"_items": "true", "sort[token.creationBlock]": "desc", "limit": 2}
        page = await client.read("nft", path, params=asked)
        assert page["count"] == 3
        assert [one["token"]["_tokenId"] for one in page["results"]] == [7, 102]
        assert {one["chainId"] for one in page["results"]} == {137, 56}
        assert page["results"][0]["owners"][0]["_quantity"] == 1
        only = await client.read("nft", path, params={"network": "polygon"})
        assert [one["token"]["tokenName"] for one in only["results"]] == ["Harbour card"]
        everything = (await client.read("nft", path))["results"]
        assert {type(one["token"]["properties"]) for one in everything} == {dict, list}
        for bad in ("/v1/user/0x12/tokens", f"{path}?sort[token]=asc", f"{path}?skip=x"):
            assert await client.status("nft", bad) == 400
        client.metapro.owned[WALLET] = {}
        assert await client.read("nft", path) == {"results": [], "count": 0}


async def test_single_tokens_in_every_spelling() -> None:
    async with standing() as client:
        contract = "0x00000000000000000000000000000000000ca947"
        listed = json.dumps([{"chainId": 56, "contractAddress": contract, "tokenId": 102}])
        by = ({"tokenIds": ["101", "7"]}, {f"tokens[{contract}]": "101"}, {"tokens": listed})
        found = [await client.read("nft", "/v1/tokens", params=params) for params in by]
        names = [[one["token"]["_tokenId"] for one in page["results"]] for page in found]
        assert names == [[101, 7], [101], [102]]
        assert await client.status("nft", "/v1/tokens", params={"tokens": "nonsense"}) == 400
        one = await client.read("nft", f"/v1/tokens/{contract}/id/101")
        assert one["token"]["tokenName"] == "Captain"
        assert await client.status("nft", f"/v1/tokens/{contract}/id/999") == 404
        assert await client.status("nft", "/v1/tokens/0x1/id/101") == 400


async def test_teams_and_apps() -> None:
    async with standing() as client:
        teams = await client.read("teams", "/v1/teams")
        assert (teams["count"], teams["results"][0]["name"]) == (1, "Sample team")
        app = client.ids["app_id"]
        for path in (f"/apps/{app}", f"/v1/apps/{app}"):
            assert (await client.read("teams", path))["leaderboardId"] == client.ids["leaderboard_id"]
        assert await client.status("teams", "/apps/other") == 404
        items = await client.read("teams", "/v1/items", params={"appId": app})
        assert [item["_tokenId"] for item in items["results"]] == [101, 102]
        by_key = await client.read("apps", f"/v1/apps/appkey/{client.ids['app_key']}")
        assert (by_key["appId"], by_key["gallery"]) == (app, [])
        assert await client.status("apps", "/v1/apps/appkey/other") == 404


async def test_a_referral_code_is_made_once() -> None:
    async with standing() as client:
        await client.log_in()
        mine = f"/users/projects/{client.ids['project_id']}/referral-code"
        new = {"json": {"projectId": client.ids["project_id"]}, "headers": client.auth}
        path = "/users/projects/referral-code"
        assert await client.status("referral", mine, headers=client.auth) == 404
        code = (await client.read("referral", path, "POST", **new))["referralCode"]
        assert await client.read("referral", mine, headers=client.auth) == {"referralCode": code}
        assert await client.status("referral", path, "POST", **new) == 400
        assert await client.status("referral", mine) == 401
        settings = f"/referral-settings/{client.ids['referral_settings_id']}"
        assert (await client.read("referral", settings))["projectId"] == client.ids["project_id"]
        inviter = client.auth["x-account-userid"]
        await client.log_in(BOB, referralCode=code)
        levels = await client.read(
            "leaderboard", f"/score-total/downline/{client.ids['leaderboard_id']}/{inviter}"
        )
        assert [(level["percentage"], level["count"]) for level in levels] == [(10, 1), (5, 0), (2, 0)]


# The leaderboard


async def test_the_leaderboard_is_read() -> None:
    async with standing() as client:
        board = client.ids["leaderboard_id"]
        listed = await client.read("leaderboard", f"/score-total/leaderboard/{board}", params={"limit": 3})
        assert [row["position"] for row in listed] == [1, 2, 3]
        assert listed[0]["currentRoundData"]["score"] > listed[1]["currentRoundData"]["score"]
        between = {"minBalance": 1000, "maxBalance": 1100}
        some = await client.read("leaderboard", f"/score-total/leaderboard/{board}", params=between)
        assert [row["position"] for row in some] == [3]
        first = listed[0]["userId"]
        one = await client.read(
            "leaderboard", "/score-total/get", params={"leaderboardId": board, "userId": first}
        )
        assert one == listed[0]
        personal = await client.read("leaderboard", f"/score-total/personal/{board}/{first}")
        assert (personal["mainScore"], len(personal["scores"])) == (listed[0], 3)
        nobody = await client.read("leaderboard", f"/score-total/personal/{board}/nobody")
        assert (nobody["scores"], nobody["mainScore"]["totalRoundData"]) == ([], {"score": 0})
        for path in ("/score-total/leaderboard/x", "/score-total/personal/x/y", "/maps/get/all/x"):
            assert await client.status("leaderboard", path) == 404


async def test_scores_matches_and_runs_are_written() -> None:
    async with standing() as client:
        me = (await client.log_in())["userId"]
        ours = {"leaderboardId": client.ids["leaderboard_id"], "projectId": client.ids["project_id"]}

        async def write(path: str, method: str, body: dict[str, Any], **headers: str) -> httpx.Response:
            return await client.ask("leaderboard", path, method, json=body, headers=client.key | headers)

        score = f"/score-total/{me}"
        await write(score, "PUT", ours | {"roundData": {"score": 50}})
        less = (await write(score, "PUT", ours | {"roundData": {"score": -20}})).json()["scoreTotal"]
        assert (less["currentRoundData"]["score"], less["totalRoundData"]["score"]) == (30, 50)
        assert (await write(score, "PUT", ours | {"roundData": {}})).status_code == 400
        assert (
            await write("/score-total/nobody", "PUT", ours | {"roundData": {"score": 1}})
        ).status_code == 404
        assert (await write(score, "PUT", ours, leaderboardApiKey="wrong")).status_code == 401
        match = (await write("/match-data/create", "POST", ours)).text
        run = ours | {
            "userId": me, "matchId": match, "map": "quarry", "roundData": {"score": 9},
            "startedAt": "2026-01-01T00:00:00Z", "endedAt": "2026-01-01T00:01:00Z",
        }  # fmt: skip
        assert (await write("/score-map/create", "POST", run)).status_code == 201
        assert (await write("/score-map/create", "POST", run | {"matchId": "x"})).status_code == 404
        asked: Any = {"params": {"leaderboardId": ours["leaderboardId"], "map": "quarry"}}
        mine = await client.read("leaderboard", f"/score-map/get/personal/{me}", **asked)
        assert [row["roundData"] for row in mine] == [{"score": 9}]
        assert (await client.read("leaderboard", "/score-map/get", **asked))["count"] == 5
        assert (await client.ask("leaderboard", f"/score-map/get/count/{me}", **asked)).text == "1"


async def test_challenges_and_maps() -> None:
    async with standing() as client:
        listed = await client.read("leaderboard", "/challenges/get/all")
        assert listed["count"] == 2
        first = listed["results"][0]
        assert await client.read("leaderboard", f"/challenges/get/{first['_id']}") == first
        assert await client.status("leaderboard", "/challenges/get/none") == 404
        maps = await client.read("leaderboard", f"/maps/get/all/{client.ids['leaderboard_id']}")
        assert first["map"] in [one["map"] for one in maps]


async def test_counts_and_match_ids_are_text_or_json() -> None:
    async with standing() as client:
        board = client.ids["leaderboard_id"]
        new_match = {"json": {"leaderboardId": board}, "headers": client.key}
        for text_answers, kind in ((True, "text/plain; charset=utf-8"), (False, "application/json")):
            client.switches.text_answers = text_answers
            count = await client.ask("leaderboard", f"/score-total/count/leaderboard/{board}")
            assert (count.text, count.headers["content-type"]) == ("12", kind)
            challenges = await client.ask("leaderboard", "/score-map/get/challenge/count")
            assert (challenges.text, challenges.headers["content-type"]) == ("2", kind)
            match = await client.ask("leaderboard", "/match-data/create", "POST", **new_match)
            assert match.headers["content-type"] == kind
            assert match.text.startswith('"') is not text_answers


@pytest.mark.parametrize(("refusal", "reads"), [(401, "key"), (403, "key"), (401, "open")])
async def test_whether_reads_of_the_leaderboard_need_the_key(refusal: int, reads: str) -> None:
    async with standing(leaderboard_refusal=refusal, leaderboard_reads=reads) as client:
        path = f"/score-total/leaderboard/{client.ids['leaderboard_id']}"
        expected = 200 if reads == "open" else refusal
        assert await client.status("leaderboard", path) == expected
        assert await client.status("leaderboard", path, headers={"leaderboardApiKey": "wrong"}) == expected
        assert await client.status("leaderboard", path, headers=client.key) == 200
        assert await client.status("leaderboard", "/score-map/get/challenge/count") == 200
        body = {"leaderboardId": client.ids["leaderboard_id"]}
        assert await client.status("leaderboard", "/match-data/create", "POST", json=body) == refusal


# What holds for all services


async def test_where_the_api_key_goes() -> None:
    async with standing() as client:
        key = client.ids["api_key"]
        assert (await client.try_login()).status_code == 201
        client.switches.api_key_place = "header"
        client.switches.api_key_services = frozenset({"users", "nft"})
        assert (await client.try_login()).status_code == 401
        assert await client.status("nft", "/v1/tokens") == 401
        assert await client.status("nft", "/v1/tokens", headers={"x-api-key": key}) == 200
        assert await client.status("teams", "/v1/teams") == 200
        client.switches.api_key_place, client.switches.api_key_name = "body", "portalKey"
        assert (await client.try_login(portalKey="wrong")).status_code == 401
        assert (await client.try_login(portalKey=key)).status_code == 201
        assert await client.status("nft", "/v1/tokens") == 200


@pytest.mark.parametrize(
    ("shape", "kind", "body"),
    [
        ("nest", "application/json", {"statusCode": 404, "message": "User not found", "error": "Not Found"}),
        ("messages", "application/json", {"messages": ["User not found"]}),
        (
            "message_list",
            "application/json",
            {"statusCode": 404, "message": ["User not found"], "error": "Not Found"},
        ),
        ("html", "text/html; charset=utf-8", None),
    ],
)
async def test_the_shape_of_errors(shape: str, kind: str, body: Any) -> None:
    async with standing(errors=shape) as client:
        answer = await client.ask("users", "/profile/nobody")
        assert (answer.status_code, answer.headers["content-type"]) == (404, kind)
        assert "User not found" in answer.text
        assert body is None or answer.json() == body


async def test_what_is_no_call_and_what_is_no_json() -> None:
    async with standing() as client:
        for path in ("", "/", "/nothing", "/v1/collect"):
            assert await client.status("teams", path) == 404
        assert await client.status("users", "/me", "POST") == 404
        for content, status in ((b"{", 400), (b"[]", 400), (b"[" * 100_000, 400), (b"x" * 1_000_001, 413)):
            assert await client.status("users", LOGIN, "POST", content=content) == status


LATE = httpx.Timeout(20.0, read=0.1)
"""Of a service that answers, but not soon enough."""


async def test_services_that_are_down() -> None:
    async with standing() as client:
        path = ("nft", "/v1/tokens")
        client.switches.outages = {"nft": "bad_gateway"}
        page = await client.ask(*path)
        assert (page.status_code, page.headers["content-type"]) == (502, "text/html; charset=utf-8")
        assert await client.status("nft", "/nothing") == 502
        assert await client.status("teams", "/v1/teams") == 200
        client.switches.outages = {"nft": "unavailable"}
        answer = await client.ask(*path)
        assert (answer.status_code, answer.json()["statusCode"]) == (503, 503)
        client.switches.outages = {"nft": "empty"}
        assert ((await client.ask(*path)).content, await client.status(*path)) == (b"", 200)
        client.switches.outages = {"nft": "refused"}
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.ask(*path)
        client.switches.outages = {"nft": "timeout"}
        with pytest.raises(httpx.ReadTimeout):
            await client.ask(*path, timeout=LATE)
        client.switches.slow_for = 1.0
        client.switches.outages = {"nft": "slow"}
        with pytest.raises(httpx.ReadTimeout):
            await client.ask(*path, timeout=LATE)
        assert await client.status(*path) == 200
        client.switches.outages, client.switches.latency = {}, 1.0
        with pytest.raises(httpx.ReadTimeout):
            await client.ask(*path, timeout=LATE)


async def test_it_ends_at_once_though_somebody_waits() -> None:
    async with standing(outages={"nft": "timeout"}, latency=3600) as client:
        sent: asyncio.Queue[str] = asyncio.Queue()

        async def trace(event: str, _: Any) -> None:
            if event == "http11.send_request_body.complete":
                sent.put_nowait(event)

        options: Any = {"timeout": None, "extensions": {"trace": trace}}
        waiting = [asyncio.ensure_future(client.ask(name, "/x", **options)) for name in ("nft", "teams")]
        for _ in waiting:
            await sent.get()
        await client.http.get(client.metapro.url)  # answered: what was sent before has been read
        await client.metapro.__aexit__()
        for failure in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(failure, httpx.TransportError)


async def test_too_many_requests() -> None:
    async with standing(rate_limit=2, rate_window=10, retry_after=3) as client:
        call = ("teams", "/v1/teams")
        assert [await client.status(*call) for _ in range(2)] == [200, 200]
        refused = await client.ask(*call)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
        assert await client.status("nft", "/v1/tokens") == 200
        client.time[0] += 10
        assert await client.status(*call) == 200
        client.switches.retry_after, client.switches.rate_limit = None, 0
        assert "retry-after" not in (await client.ask(*call)).headers


async def test_pages_of_other_origins_may_read_or_not() -> None:
    async with standing() as client:
        origin = {"Origin": "http://127.0.0.1:1234"}
        asking = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
        before = await client.ask("users", "/update", "OPTIONS", headers=origin | asking)
        assert before.status_code == 200
        assert "authorization" in before.headers["access-control-allow-headers"]
        answer = await client.ask("users", "/me", headers=origin)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "*")
        client.switches.cors = False
        assert await client.status("users", "/update", "OPTIONS", headers=origin | asking) >= 400
        assert "access-control-allow-origin" not in (await client.ask("users", "/me", headers=origin)).headers


async def test_it_is_labelled_wherever_it_is_seen() -> None:
    async with standing(outages={"nft": "bad_gateway"}) as client:
        label = "assumption model; not Metapro"
        for service in client.metapro.services:
            assert (await client.ask(service, "/")).headers["x-assumption-model"] == label
        page = await client.http.get(client.metapro.url)
        assert page.headers["x-assumption-model"] == label
        assert label in page.text
        assert all(name in page.text for name in Switches.model_fields)
        assert client.ids["leaderboard_key"] not in page.text


def test_every_switch_says_which_question_it_answers() -> None:
    assert all("?" in (field.description or "") for field in Switches.model_fields.values())


def test_a_position_that_does_not_exist_is_refused() -> None:
    switches = Switches()
    with pytest.raises(ValidationError):
        switches.success = 204  # type: ignore[assignment]
    with pytest.raises(ValidationError):
        Switches.model_validate({"outages": {"nft": "sleepy"}})
    with pytest.raises(ValidationError):
        Switches.model_validate({"no_such_switch": True})
    assert switches == Switches()


async def test_the_log_shows_what_was_asked_and_no_secret() -> None:
    async with standing(api_key_place="header") as client:
        client.http.headers["x-api-key"] = client.ids["api_key"]
        await client.log_in()
        await client.me()
        proof = await client.proof(rulesChecked=True, projectId=client.ids["project_id"])
        await client.ask("users", "/v2/auth/web3/login", "POST", **proof)
        board = f"/score-total/leaderboard/{client.ids['leaderboard_id']}"
        await client.ask("leaderboard", board, headers=client.key)
        await client.ask("apps", f"/v1/apps/appkey/{client.ids['app_key']}")
        private = {"personalDetails": {"email": "a@example.org", "birthDate": "1990-05-04"}}
        await client.ask("users", "/update", "PATCH", headers=client.auth, json=private)
        log = list(client.metapro.log)
        assert [(one.endpoint, one.status) for one in log] == [
            ("telegram_login", 201), ("me", 200), ("signature_hash", 200), ("web3_login", 201),
            ("score_list", 200), ("app_of_key", 200), ("update", 200),
        ]  # fmt: skip
        assert log[0].body["telegramSimpleString"] == "***"
        assert log[0].body["telegramSimpleData"] == ALICE
        assert log[1].headers["authorization"] == "***"
        secrets = [
            *(client.ids[name] for name in ("leaderboard_key", "api_key", "app_key")),
            client.auth["Authorization"], proof["json"]["signature"], "a@example.org", "1990-05-04",
            proof["headers"]["x-account-login-hash"], parse_qs(client.init_data())["hash"][0],
        ]  # fmt: skip
        assert [secret for secret in secrets if secret in repr(log)] == []


async def test_ids_are_the_same_in_every_run_and_keys_are_fresh() -> None:
    async with Sandbox() as sandbox:
        one, other = MetaproStandIn(sandbox), MetaproStandIn(sandbox)
        keys = {name for name in one.ids if name.endswith("_key")}
        assert {name for name in one.ids if one.ids[name] != other.ids[name]} == keys
        assert one.now() == pytest.approx(sandbox.now(), abs=5)


async def test_two_at_once_know_nothing_of_one_another() -> None:
    async with standing() as one, standing() as other:
        await one.log_in()
        other.auth = one.auth
        assert (await one.me(), await other.me()) == (200, 401)
        taken = MetaproStandIn(default_world(), port=one.metapro.port)
        with pytest.raises(OSError, match="in use"):
            await taken.__aenter__()
