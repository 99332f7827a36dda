"""Metapro's HTTP API as its apps use it: one client, one connection pool, one person's token in memory.

    async with MetaproClient(settings) as metapro:
        login = await metapro.telegram_login(app.init_data.raw)
        user = await metapro.me()

A token that no longer counts (401) is replaced once, by `log_in_again`, and the call is repeated once; a
second 401 is an error, never a loop. Only reads are repeated, and only after connect errors, 429 and 5xx.
Every answer is read with doubt: text where JSON is expected, HTML of a proxy, either shape of an error.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self, TypeVar, cast

import httpx
from pydantic import SecretStr, TypeAdapter, ValidationError

from flows import InitData
from launcher.hosts.launch_secrets import shown_url
from launcher.metapro.errors import MetaproBroken, MetaproError, MetaproRefused, MetaproUnreachable
from launcher.metapro.models import Asset, Login, Page, PersonalScore, Reached, ScoreTotal, User
from launcher.metapro.settings import MetaproSettings

__all__ = ["Exchange", "MetaproClient", "at"]

T = TypeVar("T")
RETRIES = (0.2, 0.6)
"""Pauses before a read is repeated."""
LONGEST_PAUSE = 10.0
AUTH, DATA = "metapro-auth", "metapro-data"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it; `status` None when no answer came. No secrets."""

    service: str
    method: str
    url: str
    status: int | None
    seconds: float


class _Token(httpx.Auth):
    """Sends the token; after a 401 logs in once and sends the request once more."""

    def __init__(self, client: MetaproClient) -> None:
        self._client = client

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raise RuntimeError("this client is asynchronous")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        used = self._client.sign(request)
        response = yield request
        if response.status_code == 401 and await self._client.renew(used):
            self._client.sign(request)
            yield request


class MetaproClient:
    """One person's session with Metapro.

    `transport` replaces the network, `wait` lets time pass between attempts, `on_exchange` hears of every
    request. `log_in_again` is asked for a login of this client when its token has to be replaced; it may
    raise what says why not. `logins` counts the Telegram logins.
    """

    def __init__(
        self,
        settings: MetaproSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        log_in_again: Callable[[MetaproClient], Awaitable[Login]] | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        _http: httpx.AsyncClient | None = None,
    ) -> None:
        self.settings = settings
        self.user_id: str | None = None
        self.token: SecretStr | None = None
        self.log_in_again = log_in_again
        self.logins = 0
        self._shares = _http is not None
        self._http = _http or httpx.AsyncClient(
            transport=transport, timeout=settings.timeout, verify=_trust(), follow_redirects=False
        )
        self._auth = _Token(self)
        self._on_exchange = on_exchange
        self._wait = wait
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        if not self._shares:
            await self._http.__aenter__()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        if not self._shares:
            await self._http.__aexit__(*failure)

    def another(self, settings: MetaproSettings) -> MetaproClient:
        """A session of its own over the same connections: without a token, and good while this one is."""
        return MetaproClient(settings, on_exchange=self._on_exchange, wait=self._wait, _http=self._http)

    # Logging in

    async def telegram_login(self, init_data: str, *, referral_code: str | None = None) -> Login:
        """Log in with raw init data. Raises MetaproError."""
        knobs = self.settings.telegram_login
        body: dict[str, Any] = {knobs.string_field: init_data}
        if knobs.send_user_object:
            body[knobs.user_field] = _user_object(init_data)
        body |= {
            "projectId": self.settings.project_id,
            "platformId": self.settings.platform_id,
            "telegramBotName": self.settings.bot_name,
        }
        if referral_code:
            body["referralCode"] = referral_code
        self.logins += 1
        answer = await self._ask(
            "users", "POST", knobs.path, json=body | knobs.extra_body, headers=knobs.extra_headers
        )
        return self._logged_in(answer)

    def _logged_in(self, answer: httpx.Response) -> Login:
        """Take token and person from a login's answer, and use them from now on."""
        content = _json(answer, AUTH)
        knobs = self.settings.telegram_login
        token, user_id = at(content, knobs.token_path), at(content, knobs.user_id_path)
        if not isinstance(token, str) or not token:
            raise _broken("the answer to the login has no token", AUTH, answer)
        if not isinstance(user_id, str) or not user_id:
            raise _broken("the answer to the login has no Metapro ID", AUTH, answer)
        account = content.get("account")
        known = {**account, "userId": user_id} if isinstance(account, dict) else {"userId": user_id}
        user = _parsed(User, known, AUTH, answer)
        login = Login(user, SecretStr(token), answer.status_code, at(content, "token.tokenType"))
        self.take(login)
        return login

    def take(self, login: Login) -> None:
        """Go on as this person, with this token."""
        self.token, self.user_id = login.token, login.account.user_id

    async def signature_hash(self, wallet: str) -> str:
        """What the wallet has to sign. Raises MetaproError."""
        wallet = wallet.lower()
        answer = await self._ask("users", "GET", "/auth/signature/hash", headers={"x-account-wallet": wallet})
        found = _json(answer, AUTH)
        if not isinstance(found, dict) or not isinstance(found.get("hash"), str) or not found["hash"]:
            raise _broken("the answer has no hash", AUTH, answer)
        return str(found["hash"])

    async def attach_wallet(self, wallet: str, signature: str, hash: str) -> User:
        """Attach a wallet to the account that is logged in. It writes, and merges accounts."""
        wallet = wallet.lower()
        answer = await self._ask(
            "users", "POST", "/v2/auth/web3/new-address", authorised=True,
            headers={"x-account-wallet": wallet, "x-account-login-hash": hash},
            json={"wallet": wallet, "signature": signature, "merge": True},
        )  # fmt: skip
        return _parsed(User, _json(answer, AUTH), AUTH, answer)

    # People

    async def me(self) -> User:
        """The account of the token."""
        answer = await self._ask("users", "GET", "/me", authorised=True)
        return _parsed(User, _json(answer, AUTH), AUTH, answer)

    async def me_with(self, authorization: str | None) -> int:
        """The status that `GET me` is answered with under exactly this header, or under none. Nothing is
        renewed or repeated."""
        headers = {"x-account-userid": self.user_id or ""}
        if authorization is not None:
            headers["Authorization"] = authorization
        return (await self._send("users", "GET", "/me", headers=headers)).status_code

    async def profile(self, user_id: str) -> User:
        answer = await self._ask("users", "GET", f"/profile/{user_id}", layer=DATA)
        return _parsed(User, _json(answer, DATA), DATA, answer)

    # Assets and scores

    async def wallet_tokens(self, wallet: str, limit: int = 20) -> Page[Asset]:
        query = {"_items": "true", "sort[token.creationBlock]": "desc", "skip": 0, "limit": limit}
        answer = await self._ask("nft", "GET", f"/v1/user/{wallet.lower()}/tokens", params=query, layer=DATA)
        return _parsed(Page[Asset], _json(answer, DATA), DATA, answer)

    async def leaderboard(self, limit: int = 20) -> list[ScoreTotal]:
        answer = await self._ask(
            "leaderboard", "GET", f"/score-total/leaderboard/{self.settings.leaderboard_id}",
            params={"limit": limit}, headers=self._leaderboard_key(), layer=DATA,
        )  # fmt: skip
        return _parsed(list[ScoreTotal], _json(answer, DATA), DATA, answer)

    async def leaderboard_with(self, key: str | None) -> httpx.Response:
        """The answer to the list under exactly this key, or under none. Nothing is repeated."""
        headers = {} if key is None else {"leaderboardApiKey": key}
        path = f"/score-total/leaderboard/{self.settings.leaderboard_id}"
        return await self._send("leaderboard", "GET", path, params={"limit": 1}, headers=headers)

    async def personal_score(self, user_id: str) -> PersonalScore:
        answer = await self._ask(
            "leaderboard", "GET", f"/score-total/personal/{self.settings.leaderboard_id}/{user_id}",
            headers=self._leaderboard_key(), layer=DATA,
        )  # fmt: skip
        return _parsed(PersonalScore, _json(answer, DATA), DATA, answer)

    async def leaderboard_count(self) -> int:
        """How many play; answered as plain text, or as JSON."""
        answer = await self._ask(
            "leaderboard", "GET", f"/score-total/count/leaderboard/{self.settings.leaderboard_id}",
            headers=self._leaderboard_key(), layer=DATA,
        )  # fmt: skip
        text = answer.text.strip().strip('"')
        if not text.isascii() or not text.isdigit():
            raise _broken("the count of the leaderboard is no number", DATA, answer)
        return int(text)

    def _leaderboard_key(self) -> dict[str, str]:
        key = self.settings.leaderboard_key
        return {} if key is None else {"leaderboardApiKey": key.get_secret_value()}

    async def reach(self, service: str) -> Reached:
        """Knock once: any answer below 500 proves life. Raises MetaproUnreachable or MetaproBroken."""
        began = time.perf_counter()
        answer = await self._send(service, "GET", "/")
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
        """Put the token on a request; returns which."""
        token = self.token
        if token is not None:
            request.headers["Authorization"] = self.authorization(token)
        if self.user_id is not None:
            request.headers["x-account-userid"] = self.user_id
        return token

    def authorization(self, token: SecretStr) -> str:
        """The header for a token. A secret."""
        return ("Bearer " if self.settings.auth_scheme == "bearer" else "") + token.get_secret_value()

    async def renew(self, used: SecretStr | None) -> bool:
        """Replace a token that no longer counts; whether there is another one now. At once, calls that met
        the same 401 log in once."""
        if self.log_in_again is None:
            return False
        async with self._renewing:
            if self.token is used:
                await self.log_in_again(self)
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
        auth = self._auth if authorised else None
        while True:
            pause = next(pauses, None)
            try:
                answer = await self._send(service, method, path, auth=auth, **rest)
            except MetaproUnreachable as failure:
                if pause is None or not isinstance(failure.__cause__, httpx.ConnectError):
                    raise
            else:
                if answer.is_success:
                    return answer
                pause = _pause(answer, pause)
                if pause is None:
                    raise _refusal(service, answer, layer)
            await self._wait(pause)

    async def _send(
        self, service: str, method: str, path: str, *, auth: httpx.Auth | None = None, **rest: Any
    ) -> httpx.Response:
        url = self.settings.url(service) + path
        began, status = time.perf_counter(), None
        try:
            answer = await self._http.request(method, url, auth=auth, **self._with_api_key(rest))
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise MetaproUnreachable(
                f"The {service} service gives no answer: {_why(failure)}.",
                f"Check METAPRO_{service.upper()}_URL, the network, and whether the service is up.",
            ) from _without_request(failure)
        finally:
            if self._on_exchange is not None:
                seconds = time.perf_counter() - began
                self._on_exchange(Exchange(service, method, shown_url(url), status, seconds))
        return answer

    def _with_api_key(self, rest: dict[str, Any]) -> dict[str, Any]:
        key, name = self.settings.api_key, self.settings.api_key_name
        if key is None or self.settings.api_key_place == "none":
            return rest
        if self.settings.api_key_place == "header":
            return rest | {"headers": {**rest.get("headers", {}), name: key.get_secret_value()}}
        return rest | {"json": {**rest["json"], name: key.get_secret_value()}} if "json" in rest else rest


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Loaded once for all clients: reading the certificates takes longer than a request."""
    return httpx.create_ssl_context()


def _user_object(init_data: str) -> Any:
    """The user of init data as the page reads it; an object of the sample's four fields."""
    try:
        user = InitData.parse(init_data).user
    except ValueError:
        return None
    names = ("id", "first_name", "last_name", "username")
    found = {name: getattr(user, name) for name in names} if user else {}
    return {name: value for name, value in found.items() if value is not None}


def at(content: Any, path: str) -> Any:
    """What stands there in a JSON value: `token.accessToken`; None when nothing does."""
    for step in path.split("."):
        content = content.get(step) if isinstance(content, dict) else None
    return content


def _json(answer: httpx.Response, layer: str) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise _broken("the answer is no JSON", layer, answer) from None


def _parsed(kind: type[T], content: Any, layer: str, answer: httpx.Response) -> T:
    try:
        found: T = _adapter(cast(Hashable, kind)).validate_python(content)
        return found
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        why = f"the answer is not as documented: {where}: {first['msg']}"
    raise _broken(why, layer, answer)


@lru_cache(maxsize=32)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _broken(why: str, layer: str, answer: httpx.Response) -> MetaproBroken:
    return MetaproBroken(
        f"Metapro's answer cannot be used: {why}.",
        "Compare it with the documentation: the service or the knobs have changed.",
        layer=layer, status=answer.status_code,
    )  # fmt: skip


def _refusal(service: str, answer: httpx.Response, layer: str) -> MetaproError:
    status, messages = answer.status_code, _messages(answer)
    said = f": {'; '.join(messages)}" if messages else ""
    if status >= 500:
        return MetaproBroken(
            f"The {service} service fails with status {status}{said}.", "Look whether it is up.",
            layer="network", status=status,
        )  # fmt: skip
    remedy = _REMEDIES.get(status, "Compare the request with the documentation.")
    return MetaproRefused(
        f"The {service} service refuses with status {status}{said}.", remedy,
        layer=layer, status=status, messages=messages,
    )  # fmt: skip


_REMEDIES = {
    400: "Check the ids, and the fields of the request (METAPRO_TELEGRAM_LOGIN__…).",
    401: "Check keys and bot registration; init data that are too old need a new launch.",
    403: "Check the keys, and what this project may do.",
    404: "Check the address of the service and the ids.",
    429: "Ask less often.",
}


def _messages(answer: httpx.Response) -> tuple[str, ...]:
    """The service's own words in either shape, at most three, cut short."""
    try:
        content = answer.json()
    except ValueError:
        return ()
    if not isinstance(content, dict):
        return ()
    said = content.get("messages") or content.get("message") or []
    lines = said if isinstance(said, list) else [said]
    return tuple(" ".join(str(line).split())[:120] for line in lines[:3])


def _pause(answer: httpx.Response, pause: float | None) -> float | None:
    """How long to wait before the next attempt; None when there is to be none."""
    if pause is None or not (answer.status_code == 429 or answer.status_code >= 500):
        return None
    after = answer.headers.get("Retry-After", "")
    wanted = float(after) if after.isascii() and after.isdigit() else pause
    return wanted if wanted <= LONGEST_PAUSE else None


def _why(failure: Exception) -> str:
    text = str(failure)
    match failure:
        case httpx.ConnectTimeout() | httpx.ReadTimeout() | httpx.WriteTimeout() | httpx.PoolTimeout():
            return "it takes too long"
        case httpx.ConnectError() if "SSL" in text or "certificate" in text.lower():
            return "TLS failed"
        case httpx.ConnectError() if any(hint in text for hint in _NO_NAME):
            return "the host name has no address"
        case httpx.ConnectError():
            return "the connection is refused"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return "its address is none"
    return "the connection broke"


_NO_NAME = ("Name or service", "nodename", "No address associated", "name resolution", "getaddrinfo")


def _without_request(failure: Exception) -> Exception:
    """httpx's errors hold the request, and so its headers: the same kind of error without it."""
    bare = type(failure)("") if isinstance(failure, httpx.RequestError) else failure
    return bare.with_traceback(None)
