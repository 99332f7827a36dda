"""Metapro's HTTP API as its apps use it: one client, one connection pool, one person's token in memory.

    async with MetaproClient(settings) as metapro:
        login = await metapro.telegram_login(app.init_data.raw)
        user = await metapro.me()

A token that no longer counts (401) is replaced once by a new login, by `log_in_again` or else with the init
data of the last login, and the call is repeated once; a second 401 is an error, never a loop.
Only reads are repeated, and only after connect errors, 429 and 5xx. Nothing is sent with settings that mix
environments, nothing is written to production unless they allow it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from flows import InitData
from launcher.hosts.launch_secrets import shown_url
from launcher.metapro.answers import (
    at,
    broken,
    json_of,
    parsed,
    pause_after,
    refusal,
    unreachable_because,
    without_request,
)
from launcher.metapro.errors import TOO_MANY, MetaproBroken, MetaproMisconfigured, MetaproUnreachable
from launcher.metapro.models import (
    Asset,
    Attached,
    Login,
    MetaproApp,
    Page,
    PersonalScore,
    Reached,
    Registration,
    ScoreTotal,
    User,
)
from launcher.metapro.redaction import Redaction
from launcher.metapro.settings import MetaproSettings
from launcher.metapro.token_auth import TokenAuth

__all__ = ["Exchange", "MetaproClient"]

RETRIES = (0.2, 0.6)
"""Pauses before a read is repeated."""
AUTH, DATA = "metapro-auth", "metapro-data"
_SERVICE, _BEGAN = "metapro_service", "metapro_began"
"""What a request's extensions hold for its `Exchange`."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it; `status` None when no answer came. No secrets."""

    service: str
    method: str
    url: str
    status: int | None
    seconds: float


class MetaproClient:
    """One person's session with Metapro.

    `transport` replaces the network, `wait` lets time pass between attempts, `on_exchange` hears of every
    request. `log_in_again` is asked for a login of this client when its token has to be replaced; it may
    raise what says why not; without it the init data of the last login are used again. With `keep` off a
    token is never replaced. `logins` counts the Telegram logins.
    """

    def __init__(
        self,
        settings: MetaproSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        log_in_again: Callable[[MetaproClient], Awaitable[Login]] | None = None,
        keep: bool = True,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        _http: httpx.AsyncClient | None = None,
        _redaction: Redaction | None = None,
    ) -> None:
        self.settings = settings
        self.user_id: str | None = None
        self.token: SecretStr | None = None
        self.log_in_again = log_in_again
        self.keep = keep
        self.logins = 0
        self._shares = _http is not None
        self._http = _http or httpx.AsyncClient(
            transport=transport, timeout=None, verify=_trust(), follow_redirects=False, cookies=_no_cookies(),
            event_hooks={"request": [self._begun], "response": [self._answered]},
        )  # fmt: skip
        self._on_exchange = on_exchange
        self._wait = wait
        self._renewing = asyncio.Lock()
        self._last_init_data: SecretStr | None = None
        self._redaction = _redaction or Redaction()
        self._redaction.add(*settings.secrets)
        self._misfits = settings.misfits()
        self._read = lru_cache(maxsize=4)(_read)  # several clients log in with the same init data

    async def __aenter__(self) -> Self:
        if not self._shares:
            await self._http.__aenter__()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        if not self._shares:
            await self._http.__aexit__(*failure)

    def another(self, settings: MetaproSettings) -> MetaproClient:
        """A session of its own over the same connections: without a token, and good while this one is."""
        client = MetaproClient(
            settings, on_exchange=self._on_exchange, keep=self.keep, wait=self._wait, _http=self._http,
            _redaction=self._redaction,
        )  # fmt: skip
        client._read = self._read
        return client

    # Logging in

    async def telegram_login(self, init_data: str, *, referral_code: str | None = None) -> Login:
        """Log in with raw init data. Raises MetaproError."""
        knobs = self.settings.telegram_login
        read = self._read(init_data)
        self._redaction.add(init_data, *_proofs(read))
        self._last_init_data = SecretStr(init_data)
        self.logins += 1
        body = self._login_body(init_data, read, referral_code)
        answer = await self._ask(
            "users", "POST", knobs.path, json=body | knobs.extra_body, headers=knobs.extra_headers
        )
        return self._logged_in(answer)

    def _login_body(self, init_data: str, read: InitData | None, referral_code: str | None) -> dict[str, Any]:
        knobs = self.settings.telegram_login
        body = {
            knobs.user_field: _user_object(read) if knobs.send_user_object else None,
            knobs.string_field: init_data,
            knobs.project_field: self.settings.project_id,
            knobs.platform_field: self.settings.platform_id,
            knobs.bot_field: self.settings.bot_name,
            knobs.referral_field: referral_code or None,
        }
        return {name: value for name, value in body.items() if name and value is not None}

    def _logged_in(self, answer: httpx.Response) -> Login:
        """Take token and person from a login's answer, and use them from now on."""
        content = json_of(answer, AUTH)
        knobs = self.settings.telegram_login
        token, user_id = at(content, knobs.token_path), at(content, knobs.user_id_path)
        if not isinstance(token, str) or not token:
            raise broken("the answer to the login has no token", AUTH, answer)
        if not isinstance(user_id, str) or not user_id:
            raise broken("the answer to the login has no Metapro ID", AUTH, answer)
        account = content.get("account")
        known = {**account, "userId": user_id} if isinstance(account, dict) else {"userId": user_id}
        user = parsed(User, known, AUTH, answer)
        login = Login(user, SecretStr(token), answer.status_code, at(content, "token.tokenType"))
        self._redaction.add(token)
        self.take(login)
        return login

    def take(self, login: Login) -> None:
        """Go on as this person, with this token."""
        self.token, self.user_id = login.token, login.account.user_id

    async def signature_hash(self, wallet: str) -> str:
        """What the wallet has to sign. Raises MetaproError."""
        wallet = wallet.lower()
        answer = await self._ask("users", "GET", "/auth/signature/hash", headers={"x-account-wallet": wallet})
        found = json_of(answer, AUTH)
        if not isinstance(found, dict) or not isinstance(found.get("hash"), str) or not found["hash"]:
            raise broken("the answer has no hash", AUTH, answer)
        return str(found["hash"])

    async def web3_check(self, wallet: str) -> Registration:
        """What is known of a wallet's account."""
        answer = await self._ask(
            "users", "GET", f"/v2/auth/web3/check/{_part(wallet.lower())}", params=self._project()
        )
        return parsed(Registration, json_of(answer, AUTH), AUTH, answer)

    async def web3_login(
        self,
        wallet: str,
        signature: str,
        hash: str,
        *,
        rules_checked: bool | None = None,
        referral_code: str | None = None,
    ) -> Login:
        """Log in with a signed message (`message.sign_in_message`). `rules_checked` is needed as long as the
        account has not accepted the rules. The first login makes an account, so it counts as writing: see
        `attach_wallet`. Raises MetaproError."""
        self._writes("the login of a wallet")
        wallet = wallet.lower()
        self._redaction.add(signature)
        body = {
            "wallet": wallet,
            "signature": signature,
            "projectId": self.settings.project_id,
            "platformId": self.settings.platform_id,
            "rulesChecked": rules_checked,
            "referralSettingsId": self.settings.referral_settings_id if referral_code else None,
            "referralCode": referral_code or None,
        }
        answer = await self._ask(
            "users", "POST", "/v2/auth/web3/login",
            headers={"x-account-wallet": wallet, "x-account-login-hash": hash},
            json={name: value for name, value in body.items() if value is not None},
        )  # fmt: skip
        return self._logged_in(answer)

    async def attach_wallet(self, wallet: str, signature: str, hash: str) -> Attached:
        """Attach a wallet to the account that is logged in. It writes, and merges accounts. Raises
        MetaproMisconfigured in production unless `settings.allow_writes`."""
        self._writes("attaching a wallet")
        wallet = wallet.lower()
        self._redaction.add(signature)
        answer = await self._ask(
            "users", "POST", "/v2/auth/web3/new-address", authorised=True,
            headers={"x-account-wallet": wallet, "x-account-login-hash": hash},
            json={"wallet": wallet, "signature": signature, "merge": True},
        )  # fmt: skip
        return Attached(parsed(User, json_of(answer, AUTH), AUTH, answer), answer.status_code)

    def _writes(self, what: str) -> None:
        if self.settings.environment == "production" and not self.settings.allow_writes:
            raise MetaproMisconfigured(
                f"Production is read-only, and {what} writes.", "Allow it: METAPRO_ALLOW_WRITES=1."
            )

    # People

    async def me(self, wallet: str | None = None) -> User:
        """The account of the token."""
        headers = {"x-account-wallet": wallet.lower()} if wallet else {}
        answer = await self._ask("users", "GET", "/me", authorised=True, headers=headers)
        return parsed(User, json_of(answer, AUTH), AUTH, answer)

    async def me_with(self, authorization: str | None) -> int:
        """The status that `GET me` is answered with under exactly this header, or under none. Nothing is
        renewed or repeated."""
        headers = {"x-account-userid": self.user_id or ""}
        if authorization is not None:
            headers["Authorization"] = authorization
        return (await self._send("users", "GET", "/me", headers=headers)).status_code

    async def profile(self, user_id: str) -> User:
        """A person, by Metapro ID (a wallet probably works as well)."""
        answer = await self._ask("users", "GET", f"/profile/{_part(user_id)}", layer=DATA)
        return parsed(User, json_of(answer, DATA), DATA, answer)

    async def profiles(
        self,
        *,
        user_ids: Sequence[str] = (),
        wallets: Sequence[str] = (),
        roles: Sequence[str] = (),
        sort: Mapping[str, str] | None = None,
        skip: int = 0,
        limit: int = 20,
    ) -> Page[User]:
        """People, by any of these; `sort` such as {"createdAt": "desc"}."""
        query = {"userIds": list(user_ids), "wallets": [wallet.lower() for wallet in wallets],
                 "roles": list(roles), "skip": skip, "limit": limit, **_sorted(sort)}  # fmt: skip
        answer = await self._ask("users", "GET", "/profiles", params=query, layer=DATA)
        return parsed(Page[User], json_of(answer, DATA), DATA, answer)

    async def is_available(self, user_name: str) -> bool:
        """Whether nobody has this user name yet."""
        answer = await self._ask(
            "users", "GET", f"/availability/{_part(user_name)}", authorised=True, layer=DATA
        )
        found = at(json_of(answer, DATA), "isAvailable")
        if not isinstance(found, bool):
            raise broken("isAvailable is neither true nor false", DATA, answer)
        return found

    async def app(self) -> MetaproApp:
        """The record of the app `settings.app_id`, which names its leaderboard."""
        path = f"/v1/apps/{_part(self.settings.app_id or '')}"
        answer = await self._ask("teams", "GET", path, layer=DATA)
        return parsed(MetaproApp, json_of(answer, DATA), DATA, answer)

    # Assets and scores

    async def wallet_tokens(self, wallet: str, *, skip: int = 0, limit: int = 20) -> Page[Asset]:
        """What a wallet holds, newest first."""
        query = {"_items": "true", **_sorted({"token.creationBlock": "desc"}), "skip": skip, "limit": limit}
        path = f"/v1/user/{_part(wallet.lower())}/tokens"
        answer = await self._ask("nft", "GET", path, params=query, layer=DATA)
        return parsed(Page[Asset], json_of(answer, DATA), DATA, answer)

    async def tokens(self, tokens: Mapping[str, Sequence[int]]) -> Page[Asset]:
        """Tokens by contract and number."""
        query = {f"tokens[{contract.lower()}]": list(numbers) for contract, numbers in tokens.items()}
        answer = await self._ask("nft", "GET", "/v1/tokens", params=query, layer=DATA)
        return parsed(Page[Asset], json_of(answer, DATA), DATA, answer)

    async def leaderboard(self, limit: int = 20) -> list[ScoreTotal]:
        answer = await self._ask(
            "leaderboard", "GET", f"/score-total/leaderboard/{self._leaderboard}",
            params={"limit": limit}, headers=self._leaderboard_key(), layer=DATA,
        )  # fmt: skip
        return parsed(list[ScoreTotal], json_of(answer, DATA), DATA, answer)

    async def leaderboard_with(self, key: str | None) -> httpx.Response:
        """The answer to the list under exactly this key, or under none. Nothing is repeated."""
        headers = {} if key is None else {"leaderboardApiKey": key}
        path = f"/score-total/leaderboard/{self._leaderboard}"
        return await self._send("leaderboard", "GET", path, params={"limit": 1}, headers=headers)

    async def personal_score(self, user_id: str) -> PersonalScore:
        answer = await self._ask(
            "leaderboard", "GET", f"/score-total/personal/{self._leaderboard}/{_part(user_id)}",
            headers=self._leaderboard_key(), layer=DATA,
        )  # fmt: skip
        return parsed(PersonalScore, json_of(answer, DATA), DATA, answer)

    async def leaderboard_count(self) -> int:
        """How many play; answered as plain text, or as JSON."""
        answer = await self._ask(
            "leaderboard", "GET", f"/score-total/count/leaderboard/{self._leaderboard}",
            headers=self._leaderboard_key(), layer=DATA,
        )  # fmt: skip
        text = answer.text.strip().strip('"')
        if not text.isascii() or not text.isdigit():
            raise broken("the count of the leaderboard is no number", DATA, answer)
        return int(text)

    @property
    def _leaderboard(self) -> str:
        return _part(self.settings.leaderboard_id or "")

    def _project(self) -> dict[str, str]:
        return {"projectId": self.settings.project_id} if self.settings.project_id else {}

    def _leaderboard_key(self) -> dict[str, str]:
        key = self.settings.leaderboard_key
        return {} if key is None else {"leaderboardApiKey": key.get_secret_value()}

    async def reach(self, service: str) -> Reached:
        """Knock once: any answer below 500 proves life, save one that wants no more requests. Raises
        MetaproUnreachable, MetaproBroken or, for 429, MetaproRefused."""
        began = time.perf_counter()
        answer = await self._send(service, "GET", "/")
        if answer.status_code == TOO_MANY:
            raise refusal(service, answer, "network", self._redaction.mask)
        if answer.status_code >= 500:
            raise MetaproBroken(
                f"The {service} service answers with status {answer.status_code}.",
                "Look whether it is up; this is not about the app.",
                layer="network", status=answer.status_code,
            )  # fmt: skip
        if answer.status_code == 200 and not answer.content:
            raise MetaproBroken(
                f"The {service} service answers with nothing.",
                "Look whether it is up; this is not about the app.", layer="network", status=200,
            )  # fmt: skip
        return Reached(answer.status_code, time.perf_counter() - began)

    # The token

    def sign(self, request: httpx.Request) -> SecretStr | None:
        """Put the token, and whose it is, on a request; returns which."""
        if self.token is not None:
            request.headers["Authorization"] = self.authorization(self.token)
        if self.user_id is not None:
            request.headers["x-account-userid"] = self.user_id
        return self.token

    def authorization(self, token: SecretStr) -> str:
        """The header for a token. A secret."""
        return ("Bearer " if self.settings.auth_scheme == "bearer" else "") + token.get_secret_value()

    async def renew(self, used: SecretStr | None) -> bool:
        """Replace a token that no longer counts; whether there is another one now. At once, calls that met
        the same 401 log in once."""
        if not self.keep:
            return False
        async with self._renewing:
            if self.token is not used:
                return True
            if self.log_in_again is not None:
                await self.log_in_again(self)
            elif self._last_init_data is not None:
                await self.telegram_login(self._last_init_data.get_secret_value())
            else:
                return False
        return True

    # Requests

    async def _ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        authorised: bool = False,
        layer: str = AUTH,
        **rest: Any,
    ) -> httpx.Response:
        """An answer of 2xx. Raises MetaproRefused, MetaproBroken or MetaproUnreachable."""
        pauses = iter(RETRIES if method == "GET" else ())
        auth = TokenAuth(self) if authorised else None
        while True:
            try:
                answer = await self._send(service, method, path, auth=auth, **rest)
            except MetaproUnreachable as failure:
                pause = next(pauses, None)
                if pause is None or not _never_connected(failure):
                    raise
            else:
                if answer.is_success:
                    return answer
                if auth is not None and auth.failure is not None:
                    raise auth.failure
                pause = pause_after(answer, next(pauses, None))
                if pause is None:
                    raise refusal(service, answer, layer, self._redaction.mask)
            await self._wait(pause)

    async def _send(
        self,
        service: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        auth: TokenAuth | None = None,
        **rest: Any,
    ) -> httpx.Response:
        if self._misfits:
            raise MetaproMisconfigured(" ".join(self._misfits), "Nothing was sent.")
        url = self.settings.url(service) + path
        asked = f"{url}?{httpx.QueryParams(params)}" if params else url
        request = None
        try:
            # httpx's own limit would start anew with every byte
            async with asyncio.timeout(self.settings.timeout) as limit:
                request = self._http.build_request(method, _parsed_url(asked), **self._with_api_key(rest))
                request.extensions[_SERVICE] = service
                return await self._http.send(request, auth=auth and auth.within(limit))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as failure:
            if request is not None:
                self._tell(request, None)
            raise MetaproUnreachable(
                f"The {service} service gives no answer: {unreachable_because(failure)}.",
                f"Check METAPRO_{service.upper()}_URL, the network, and whether the service is up.",
            ) from without_request(failure)

    async def _begun(self, request: httpx.Request) -> None:
        request.extensions[_BEGAN] = time.perf_counter()

    async def _answered(self, answer: httpx.Response) -> None:
        await answer.aread()
        self._tell(answer.request, answer.status_code)

    def _tell(self, request: httpx.Request, status: int | None) -> None:
        began = request.extensions.pop(_BEGAN, None)
        if began is not None and self._on_exchange is not None:
            service, url = request.extensions[_SERVICE], shown_url(str(request.url))
            seconds = time.perf_counter() - began
            self._on_exchange(Exchange(service, request.method, url, status, seconds))

    def _with_api_key(self, rest: dict[str, Any]) -> dict[str, Any]:
        key, name = self.settings.api_key, self.settings.api_key_name
        if key is None or self.settings.api_key_place == "none":
            return rest
        if self.settings.api_key_place == "header":
            return rest | {"headers": {**rest.get("headers", {}), name: key.get_secret_value()}}
        return rest | {"json": {**rest["json"], name: key.get_secret_value()}} if "json" in rest else rest


def _no_cookies() -> CookieJar:
    """People share the connections: with cookies they would be one to a service that sets any."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Loaded once for all clients: reading the certificates takes longer than a request."""
    return httpx.create_ssl_context()


_parsed_url = lru_cache(maxsize=512)(httpx.URL)
"""Most addresses are asked again, by this drive or the next one, and reading one takes longer than most else
that is done for a request."""


def _read(init_data: str) -> InitData | None:
    """None when they cannot be read: whether they will do is for Metapro to say."""
    try:
        return InitData.parse(init_data)
    except ValueError:
        return None


def _user_object(read: InitData | None) -> Any:
    """The user of init data as the page reads it; an object of the sample's four fields."""
    if read is None:
        return None
    user = read.user
    names = ("id", "first_name", "last_name", "username")
    found = {name: getattr(user, name) for name in names} if user else {}
    return {name: value for name, value in found.items() if value is not None}


def _proofs(read: InitData | None) -> list[str]:
    """What in init data proves who somebody is."""
    return [proof for proof in (read.hash, read.signature) if proof] if read else []


def _part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="") if text not in (".", "..") else quote(text, safe="").replace(".", "%2E")


def _sorted(by: Mapping[str, str] | None) -> dict[str, str]:
    return {f"sort[{key}]": order for key, order in (by or {}).items()}


def _never_connected(failure: MetaproUnreachable) -> bool:
    return isinstance(failure.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
