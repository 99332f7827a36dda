"""The stages of an inspection as values, and as the JSON that both a program and a person get.

Secrets are masked on the way into the JSON, in this file and nowhere else: a launch URL's init data, its two
proofs, query ids, access hashes, invite links and sign-in data. What is secret says `launcher.masks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any

from telethon.tl import TLObject

from flows import App, Bot, InitData, LaunchParams, MiniAppError, Prompt, Question, WebView
from flows.cache import KnownApp
from flows.init_data import WebAppChat, WebAppUser
from flows.links import Link, NotALink
from launcher.failure_json import failure_json
from launcher.masks import MASK, answer_summary, is_secret, masked, masked_target, parameters, tl_json
from launcher.tracing import Exchange

__all__ = ["Asked", "Check", "Inspection", "ReadLink", "Stage", "Verdict"]


class Stage(StrEnum):
    """Where a launch can stop."""

    LINK = "link"
    """The target or an option cannot be; nothing was opened."""
    BOT = "bot"
    """The bot was not found, is no bot, or is restricted."""
    APP = "app"
    """The bot offers no such app, not here, or several."""
    QUESTIONS = "questions"
    """A question was answered with no."""
    REQUEST = "request"
    """Telegram refused the web view."""


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ReadLink:
    """A link as this client reads it, spelled anew if it has a spelling, and as others read it."""

    link: Link | NotALink
    spelled: str | None
    readings: Mapping[str, Link | NotALink]

    def to_json(self, *, reveal: bool = False) -> dict[str, Any]:
        return {
            **_link_json(self.link, reveal),
            "spelled": self.spelled if reveal or self.spelled is None else masked_target(self.spelled),
            "readings": {reader: _link_json(link, reveal) for reader, link in self.readings.items()},
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """One dialog a person would have seen, and what the consent policy allowed of it."""

    prompt: Prompt
    allowed: frozenset[Question]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the answer. `remedy` says what to look at when it failed, or how to have it made;
    `data_check_string` is the text that was signed, as this side has it, when a proof failed."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""
    data_check_string: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Inspection:
    """One launch, stage by stage; what was not reached is None or empty.

    `remembered` says that the bot was known from an earlier run; `offer` is what Telegram said of an app that
    was not opened (TL). `failure` is what stopped the launch, `stopped_at` where.
    """

    target: str
    link: ReadLink | None
    bot: Bot | None
    remembered: bool
    app: App | None
    offer: Any = field(repr=False)
    questions: tuple[Asked, ...]
    exchanges: tuple[Exchange, ...]
    web_view: WebView | None
    checks: tuple[Check, ...]
    failure: MiniAppError | None
    stopped_at: Stage | None
    reveal: bool = False

    @property
    def opened(self) -> bool:
        return self.failure is None

    @property
    def ok(self) -> bool:
        """Opened, and no check failed."""
        return self.opened and not any(check.verdict is Verdict.FAILED for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with one member per stage; secrets are masked unless `reveal` was asked for."""
        return {
            "target": self.target if self.reveal else masked_target(self.target),
            "opened": self.opened,
            "ok": self.ok,
            "stopped_at": self.stopped_at and str(self.stopped_at),
            "error": self.failure and failure_json(self.failure),
            "link": self.link and self.link.to_json(reveal=self.reveal),
            "bot": self._bot_json(),
            "app": self._app_json(),
            "questions": [line for asked in self.questions for line in _asked_json(asked)],
            "requests": [_exchange_json(exchange, self.reveal) for exchange in self.exchanges],
            "answer": self.web_view and _answer_json(self.web_view, self.reveal),
            "checks": [self._check_json(check) for check in self.checks],
        }

    def _bot_json(self) -> dict[str, Any] | None:
        if self.bot is None:
            return None
        return {**_value_json(self.bot, self.reveal), "remembered": self.remembered}

    def _app_json(self) -> dict[str, Any] | None:
        if self.app is not None:
            shown = _value_json(self.app, self.reveal)
            del shown["bot"]
            known = shown.pop("app", {})  # a direct link's own app
            known.pop("quiet", None)  # this side's memory, not Telegram's word
            return {"flow": self.app.flow, "method": self.app.method, **known, **shown}
        if self.offer is not None:
            return {"flow": None, "method": None, **_offer_json(self.offer, self.reveal)}
        return None

    def _check_json(self, check: Check) -> dict[str, Any]:
        shown = asdict(check) | {"verdict": str(check.verdict)}
        if check.data_check_string is not None and not self.reveal:
            shown["data_check_string"] = _masked_lines(check.data_check_string)
        return shown


def _asked_json(asked: Asked) -> Iterator[dict[str, Any]]:
    for question in asked.prompt.questions:
        yield {
            "question": str(question),
            "bot": asked.prompt.bot,
            "detail": asked.prompt.detail,
            "allowed": question in asked.allowed,
        }


def _link_json(link: Link | NotALink, reveal: bool) -> dict[str, Any]:
    if isinstance(link, NotALink):
        return {"kind": None, "reason": str(link)}
    return {"kind": type(link).__name__, **_value_json(link, reveal)}


def _plain_json(value: Any) -> Any:
    match value:
        case StrEnum():
            return str(value)
        case frozenset() | set():
            return sorted(map(str, value))
        case tuple() | list():
            return [_plain_json(item) for item in value]
        case Mapping():
            return {str(name): _plain_json(item) for name, item in value.items()}
    return value


def _value_json(value: Any, reveal: bool) -> Any:
    """One of our values as JSON: fields by name, TL inside by TL name."""
    if isinstance(value, TLObject):
        return tl_json(value, reveal=reveal)
    if is_dataclass(value):
        return {
            item.name: masked(inner, reveal=reveal)
            if inner is not None and is_secret(item.name, inner)
            else _value_json(inner, reveal)
            for item in fields(value)
            for inner in [getattr(value, item.name)]
        }
    return _plain_json(value)


def _offer_json(offer: Any, reveal: bool) -> dict[str, Any]:
    """What an answer about an app says, its own app or menu entry unfolded; `KnownApp` is from memory."""
    if isinstance(offer, KnownApp):
        known: dict[str, Any] = _value_json(offer, reveal)
        return known
    shown = answer_summary(offer, reveal=reveal)
    for name in ("app", "bot"):
        if isinstance(inner := getattr(offer, name, None), TLObject):
            shown |= {name: answer_summary(inner, reveal=reveal)}
    return {name: value for name, value in shown.items() if name not in ("_", "users")}


def _exchange_json(exchange: Exchange, reveal: bool) -> dict[str, Any]:
    failed = exchange.failure
    return {
        "method": exchange.method,
        "parameters": parameters(exchange.request, reveal=reveal),
        "answer": None if failed else answer_summary(exchange.answer, reveal=reveal),
        "error": failed and failure_json(failed),
        "seconds": round(exchange.seconds, 4),
    }


def _answer_json(view: WebView, reveal: bool) -> dict[str, Any]:
    return {
        "url": view.url if reveal else view.masked_url,
        "query_id": None if view.query_id is None else masked(view.query_id, reveal=reveal),
        "mode": str(view.mode),
        "fullsize": view.fullsize,
        "fullscreen": view.fullscreen,
        "same_origin": view.same_origin,
        "origin": _origin(view),
        "launch_params": _launch_json(view.launch_params, reveal),
        "init_data": view.init_data and _init_data_json(view.init_data, reveal),
    }


def _origin(view: WebView) -> str | None:
    try:
        return view.origin
    except ValueError:
        return None


def _launch_json(params: LaunchParams, reveal: bool) -> dict[str, Any]:
    shown = {item.name: getattr(params, item.name) for item in fields(params)}
    raw = shown.pop("raw")
    del shown["init_data"]
    for name in ("theme_params", "default_colors"):
        shown[name] = None if shown[name] is None else _set(asdict(shown[name]))
    return {**_plain_json(shown), "parameters": dict(raw) if reveal else sorted(raw)}


def _init_data_json(data: InitData, reveal: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"raw": data.raw if reveal else MASK}
    for item in fields(data):
        value = getattr(data, item.name)
        if item.name in ("raw", "extra") or value is None:
            continue
        if isinstance(value, WebAppUser | WebAppChat):
            value = _set(asdict(value))
        shown[item.name] = masked(value, reveal=reveal) if is_secret(item.name, value) else value
    for name, text in data.extra.items():
        shown[name] = text if reveal else MASK  # of what is not known, nobody knows what it opens
    return shown


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not there."""
    return {name: _plain_json(value) for name, value in values.items() if value not in (None, {})}


def _masked_lines(text: str) -> str:
    return "\n".join(
        f"{name}={MASK}" if is_secret(name, line) else line
        for line in text.split("\n")
        for name in [line.partition("=")[0]]
    )
