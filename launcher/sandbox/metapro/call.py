"""One request as an endpoint sees it, and the table that endpoints are entered into.

An endpoint is a function from `Call` to what is answered: JSON, or a text where Metapro answers text. What it
refuses, it raises as `Refused`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request

from launcher.sandbox.metapro.accounts import Account
from launcher.sandbox.metapro.refusal import Refused

if TYPE_CHECKING:
    from launcher.sandbox.metapro.stand_in import MetaproStandIn

__all__ = ["Answer", "Call", "Endpoint", "Endpoints"]

Answer = Callable[["Call"], Any]
A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A call of one service; `path` is below the service's base URL and in Starlette's form."""

    method: str
    path: str
    answer: Answer

    @property
    def name(self) -> str:
        return self.answer.__name__


class Endpoints:
    """The calls of a service: `@users("GET", "/me")` enters the function below it."""

    def __init__(self) -> None:
        self.all: list[Endpoint] = []

    def __call__(self, method: str, *paths: str) -> Callable[[A], A]:
        def enter(answer: A) -> A:
            self.all += [Endpoint(method, path, answer) for path in paths]
            return answer

        return enter


@dataclass(frozen=True, slots=True)
class Call:
    """A request, its body as the JSON object it must be (empty without one), and the stand-in it came to."""

    metapro: MetaproStandIn
    endpoint: Endpoint
    request: Request
    body: dict[str, Any]

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, name: str, default: str | None = None) -> str:
        """A query parameter; without a default it must be there."""
        value = self.request.query_params.get(name, default)
        if value is None:
            raise Refused(400, f"{name} should not be empty")
        return value

    def number(self, name: str, default: int) -> int:
        """A query parameter that is a whole number and not negative."""
        value = self.query(name, str(default))
        if not (value.isascii() and value.isdigit()):
            raise Refused(400, f"{name} must be an integer number")
        return int(value)

    def queries(self, name: str) -> list[str]:
        return self.request.query_params.getlist(name)

    def sorting(self) -> tuple[str, bool] | None:
        """What `sort[key]=asc|desc` asks for: the key, and whether it is descending."""
        for name, order in self.request.query_params.multi_items():
            if name.startswith("sort[") and name.endswith("]"):
                return name[5:-1], order == "desc"
        return None

    def page(self, everything: list[Any]) -> dict[str, Any]:
        """`{results, count}` with the part that `skip` and `limit` ask for."""
        skip, limit = self.number("skip", 0), self.number("limit", 20)
        return {"results": everything[skip : skip + limit], "count": len(everything)}

    def header(self, name: str) -> str:
        """A header, which must be there."""
        value = self.request.headers.get(name, "")
        if not value:
            raise Refused(400, f"the header {name} is missing")
        return value

    def field(self, name: str) -> str:
        """A text of the body, which must be there."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise Refused(400, f"{name} should not be empty")
        return value

    def owner(self) -> Account:
        """Whose token came with the request; using it may extend it. Raises `Refused` with 401."""
        switches, now = self.metapro.switches, self.metapro.now()
        given = self.request.headers.get("authorization", "")
        bare = given.removeprefix("Bearer ")
        right_scheme = {"raw": bare == given, "bearer": bare != given, "both": True}[switches.auth_scheme]
        token = self.metapro.accounts.tokens.get(bare) if right_scheme else None
        if token is None or not token.is_good(switches, now):
            raise Refused(401, "Unauthorized")
        user_id = self.request.headers.get("x-account-userid")
        wrong = user_id != token.account.user_id
        if wrong and (user_id is not None or switches.user_id_needed):
            raise Refused(401, "Unauthorized")
        if switches.sliding and (switches.extending is None or self.endpoint.name in switches.extending):
            token.used = now
        token.account.visited = now
        return token.account

    def leaderboard_key(self, *, write: bool = False) -> None:
        """Raise `Refused` unless the request has the leaderboard's key, or needs none."""
        switches = self.metapro.switches
        if not write and switches.leaderboard_reads == "open":
            return
        given = self.request.headers.get("leaderboardApiKey", "")
        if not hmac.compare_digest(given.encode(), self.metapro.ids["leaderboard_key"].encode()):
            raise Refused(switches.leaderboard_refusal, "leaderboardApiKey is not valid")

    def known(self, id_name: str, value: str) -> str:
        """A value that must be the stand-in's own id of that name, else 404."""
        if value != self.metapro.ids[id_name]:
            raise Refused(404, f"{id_name.replace('_id', '').replace('_', ' ')} not found")
        return value
