"""The target file: what is to be watched, how often, and what counts as well.

    server: production          # default: TELEGRAM_SERVER
    accounts:
      alice: {budget: 20}       # requests to Telegram in a minute; 20 by default
    defaults:                   # for every target that does not say otherwise
      period: 5m
    targets:
      - name: shop
        link: t.me/shop_bot/app?startapp=probe
        host: browser
        expect: {ready_within: 5s, selector: "#app"}
      - name: menu
        bot: "@shop_bot"
        via: menu_button

Who names accounts names all that targets have; targets that name none are checked as the only one that the
file knows, or as that of --account. Durations are numbers of seconds, or "30s", "5m", "24h", "7d".
Everything that is wrong is told with its line.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from flows import FLOWS, BadInput, Question, links
from flows.resolve import Options, agreeing
from launcher.bridge.platforms import PLATFORMS
from launcher.masks import MASK, masked_target
from launcher.probe.lines import Document, read_yaml

__all__ = ["Account", "Expectations", "Target", "Targets", "read_targets", "target_of"]

_UNITS = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NAME = re.compile(r"[\w.-]{1,100}")
STEADY_REQUESTS = {"direct_link": 2, "inline_mode": 2, "chat_join": 2}
"""Requests of a check whose bot is known: the others make one."""


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    read = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*", value)
    if read is None:
        raise ValueError('a duration is a number of seconds, or a text such as "30s", "5m", "24h"')
    return float(read[1]) * _UNITS[read[2]]


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=366 * 86400, allow_inf_nan=False)]


def _words(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Account(_Strict):
    """An account that checks are made as. `budget`: requests to Telegram in a minute, checks beyond wait."""

    budget: float = Field(default=20.0, gt=0, le=600)


class Expectations(_Strict):
    """What counts as well; everything is optional.

    `final_host`: the host of the page after all redirects. `status`: the document's HTTP status (below 400
    by default). `text` and `selector` (CSS, or any Playwright selector): seen on the page (browser only;
    `text` is looked for in the document over http). `ready_within`: seconds from the launch to
    `web_app_ready` (browser only); `within`: seconds for the whole check; either is a warning when it takes
    longer. `certificate_days`: warn when the certificate is valid for fewer days. `init_data`:
    which checks of the init data must pass (`form`, `age`, `signature`, `hash`; with `true` all that can be
    made). `sdk`: the page loads a known library (http host).
    """

    final_host: str | None = None
    status: int | None = Field(default=None, ge=100, le=599)
    text: str | None = Field(default=None, min_length=1)
    selector: str | None = Field(default=None, min_length=1)
    ready_within: Seconds | None = None
    within: Seconds | None = None
    certificate_days: float | None = Field(default=None, ge=0)
    init_data: (
        bool | Annotated[tuple[Literal["form", "age", "signature", "hash"], ...], BeforeValidator(_words)]
    ) = False
    sdk: bool = False


class Target(_Strict):
    """One Mini App to check: by `link`, or by `bot` and the flow `via`.

    `host`: "http" looks at the page once, "browser" shows it, "none" only asks Telegram. `metapro`: the steps
    of the Metapro driver to run, `true` for the read-only ones. `period`: seconds between scheduled checks;
    `timeout`: seconds for one. `allow`: questions answered with yes (see `Consent`).
    """

    name: str
    link: str | None = None
    bot: str | None = None
    via: str | None = None
    chat: str | int | None = None
    button: str | None = None
    start_param: str | None = None
    account: str | None = None
    platform: str = "android"
    host: Literal["http", "browser", "none"] = "http"
    metapro: bool | Annotated[tuple[str, ...], BeforeValidator(_words)] = False
    expect: Expectations = Expectations()
    period: Seconds = 300.0
    timeout: Seconds = 30.0
    allow: Annotated[tuple[Question, ...], BeforeValidator(_words)] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> Target:
        _check_name(self.name)
        if (self.link is None) == (self.bot is None):
            raise ValueError("a target has either a link, or a bot (and with it via)")
        if self.link is not None:
            _check_link(self.link)
        if self.via is not None and self.via not in FLOWS:
            raise ValueError(f"via is one of {', '.join(FLOWS)}")
        if self.platform not in PLATFORMS:
            raise ValueError(f"platform is one of {', '.join(PLATFORMS)}")
        _check_host(self)
        _check_opening(self)
        return self

    @property
    def opens(self) -> str:
        """What `Launcher.open` is given."""
        opened = self.link or self.bot
        assert opened is not None
        return opened if self.link or opened.startswith("@") else f"@{opened}"

    @property
    def requests(self) -> int:
        """How many requests a steady check makes of Telegram."""
        flow = self.via or ("direct_link" if _is_direct(self.link) else "")
        return STEADY_REQUESTS.get(flow, 1)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError("a name has 1 to 100 letters, digits, and the characters _ . -")


def _check_link(link: str) -> None:
    try:
        links.parse(link)
    except links.NotALink as reason:
        raise ValueError(f"no link to a Mini App: {reason}") from None


def _check_opening(target: Target) -> None:
    """The link or bot can be opened with what is said beside it, as far as that shows without Telegram."""
    if target.bot is not None and target.via == "chat_join":
        raise ValueError("chat_join wants the link of a chat, not a bot")
    try:
        options = Options(target.via, target.chat, target.button, start_param=target.start_param)
        agreeing(target.opens, options)
    except BadInput as contradiction:
        raise ValueError(contradiction.meaning.rstrip(".")) from None


def _is_direct(link: str | None) -> bool:
    return link is not None and isinstance(links.parse(link), links.DirectLink)


_NEEDS = {
    "selector": ("browser",), "ready_within": ("browser",), "sdk": ("http",),
    "certificate_days": ("browser", "http"),
    "text": ("browser", "http"), "status": ("browser", "http"), "final_host": ("browser", "http", "none"),
}  # fmt: skip


def _check_host(target: Target) -> None:
    for field, hosts in _NEEDS.items():
        if getattr(target.expect, field) and target.host not in hosts:
            raise ValueError(f"expect.{field} needs host: {' or '.join(hosts)}, not {target.host}")
    if target.metapro and target.host == "none":
        raise ValueError("metapro needs host: http or browser")


class Targets(_Strict):
    """A whole target file. `resolve_every`: after this many seconds names are resolved anew."""

    server: str | None = None
    accounts: dict[str, Account] = {}
    resolve_every: Seconds = 86400.0
    targets: tuple[Target, ...]

    def account(self, name: str | None) -> Account:
        """What is said of an account; the account None is the only one there is."""
        return self.accounts.get(name or "", Account())


def target_of(link: str, **options: Any) -> Target:
    """A target for a link or "@bot" of the command line, named after it, but not after a secret in it. Raises
    BadInput."""
    where = {"bot": link} if link.startswith("@") else {"link": link}
    told = masked_target(link).replace(MASK, "secret").partition("?")[0]
    name = re.sub(r"[^\w.-]+", "-", told.partition("://")[-1] or told)
    try:
        return Target(name=name.strip("-")[:100] or "target", **where, **options)
    except ValidationError as error:
        raise BadInput(
            f"{masked_target(link)}: {_said(error.errors()[0])}.", "See `miniapp check --help`."
        ) from None


def read_targets(path: Path, account: str | None = None) -> Targets:
    """Read and check a target file; `account` is that of targets which name none, by default the only one
    that is named. Raises BadInput; its text begins with "file:line:"."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{path}:1: not UTF-8.", "Save it as UTF-8.") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.", "Name a file that can be read.") from None
    return _targets(read_yaml(text, str(path)), account)


def _targets(document: Document, account: str | None) -> Targets:
    said = document.value
    if not isinstance(said, dict):
        raise document.wrong((), "a target file is a mapping with the key targets.", "See README, Monitor.")
    defaults = said.pop("defaults", None) or {}
    if not isinstance(defaults, dict) or {"name", "link", "bot"} & set(defaults):
        raise document.wrong(("defaults",), "defaults hold what targets may share.", "Name no target there.")
    try:
        targets = Targets.model_validate(_with_defaults(said, defaults))
    except ValidationError as error:
        raise _first(document, error, defaults) from None
    if not targets.targets:
        raise document.wrong(("targets",), "there is nothing to check.", "Name at least 1 target.")
    _no_name_twice(document, targets)
    _known_accounts(document, targets, defaults)
    targets = _with_accounts(document, targets, account)
    _within_budget(document, targets)
    return targets


def _with_defaults(said: dict[Any, Any], defaults: dict[Any, Any]) -> dict[Any, Any]:
    targets = said.get("targets")
    if not isinstance(targets, list):
        return said
    whole = []
    for target in targets:
        if not isinstance(target, dict):
            whole.append(target)
            continue
        merged = defaults | target
        if isinstance(defaults.get("expect"), dict) and isinstance(target.get("expect"), dict):
            merged["expect"] = defaults["expect"] | target["expect"]
        whole.append(merged)
    return said | {"targets": whole}


def _first(document: Document, error: ValidationError, defaults: dict[Any, Any]) -> BadInput:
    """The error that stands highest in the file."""
    found = []
    for problem in error.errors():
        path = _path_in_file(problem["loc"], document, defaults)
        key = ".".join(str(step) for step in path if not isinstance(step, int)) or "the file"
        found.append((document.line_of(path), path, f"{key}: {_said(problem)}."))
    _, path, text = min(found, key=lambda one: one[0])
    return document.wrong(path, text, "See the target file's form in README, Monitor.")


def _path_in_file(
    loc: tuple[int | str, ...], document: Document, defaults: dict[Any, Any]
) -> tuple[Hashable, ...]:
    """Where the file says what pydantic speaks of: without the names of union members, and under `defaults`
    for what a target has from there."""
    path: list[Hashable] = []
    value = document.value
    for step in loc:
        within = isinstance(value, dict) and step in value
        if within or (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            path.append(step)
            value = value[step]
        elif len(path) == 2 and path[0] == "targets" and step in defaults:
            return ("defaults", step)
        else:
            break
    return tuple(path)


def _said(problem: Any) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return f"no such key: {problem['loc'][-1]}"
        case "missing":
            return f"the key {problem['loc'][-1]} is missing"
        case "value_error":
            return str(problem["ctx"]["error"])
        case _:
            message = str(problem["msg"])
            return message[:1].lower() + message[1:]


def _no_name_twice(document: Document, targets: Targets) -> None:
    seen: set[str] = set()
    for place, target in enumerate(targets.targets):
        if target.name in seen:
            path = ("targets", place, "name")
            raise document.wrong(path, f"another target is named {target.name}.", "Give each its own name.")
        seen.add(target.name)


def _known_accounts(document: Document, targets: Targets, defaults: dict[Any, Any]) -> None:
    """Who names accounts names them all: another one is a slip of the pen."""
    for place, target in enumerate(targets.targets):
        if target.account is None or not targets.accounts or target.account in targets.accounts:
            continue
        path = _path_in_file(("targets", place, "account"), document, defaults)
        close = get_close_matches(target.account, targets.accounts, n=1)
        remedy = f"Did you mean {close[0]}?" if close else f"It names {', '.join(targets.accounts)}."
        raise document.wrong(path, f"accounts does not name {target.account}.", remedy)


def _with_accounts(document: Document, targets: Targets, account: str | None) -> Targets:
    """Targets without an account get theirs: one under two names would be in the way of itself."""
    named = sorted({*targets.accounts, *(one.account for one in targets.targets if one.account)})
    made = []
    for place, target in enumerate(targets.targets):
        if target.account is None and account is None and len(named) > 1:
            what = f"{target.name} names no account, and there are {', '.join(named)}."
            raise document.wrong(("targets", place), what, "Say account.")
        whose = target.account or account or next(iter(named), None)
        made.append(target.model_copy(update={"account": whose}))
    return targets.model_copy(update={"targets": tuple(made)})


def _within_budget(document: Document, targets: Targets) -> None:
    """All targets of an account together must fit into its requests per minute."""
    wanted: dict[str | None, float] = defaultdict(float)
    for place, target in enumerate(targets.targets):
        name = target.account
        wanted[name] += target.requests * 60 / target.period
        budget = targets.account(name).budget
        if wanted[name] > budget:
            raise document.wrong(
                ("targets", place),
                f"with {target.name} the account {name or '(the only one)'} would make "
                f"{wanted[name]:.3g} requests a minute; its budget is {budget:g}.",
                "Give targets longer periods, or the account a larger budget under accounts.",
            )
