"""What changed between two launches: how they were made, what Telegram answered, what the page did.

Compared is what a launch is, not when and where it was: times, what is made anew for each launch (dates,
proofs, query ids), and the ports of this machine are left out. Requests are compared by method with their
parameters, events by name and number, the page's own requests by address. What is on the console is left out:
much of it is times and counts; and so is what was measured of the page (its size, its times).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from launcher.report.address import address, portless
from launcher.report.saved import SavedExchange, SavedLaunch

__all__ = ["Change", "difference"]

_PER_LAUNCH = frozenset(
    {
        "access_hash", "auth_date", "chat_instance", "chat_join_request_query_id", "query_id",
        "random_id", "raw", "signature",
    }
)  # fmt: skip
"""Fields that differ in any two launches."""


_PER_CONNECTION = frozenset({"help.getAppConfig"})
"""Requests that only the first launch of a connection makes."""
_MEASURED = frozenset({"certificate_days", "size", "timing"})
"""What looking at a page over HTTP measures."""
_PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not the same: `where` names section and field; before or after is None where it is
    absent."""

    section: str
    where: str
    before: Any
    after: Any

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def difference(before: SavedLaunch, after: SavedLaunch) -> list[Change]:
    """The changes from one launch to the other, section by section; empty when they are alike."""
    return [
        Change(section, where, values[0], values[1])
        for section, one, other in zip(_SECTIONS, _told(before), _told(after), strict=True)
        for where, values in _changed(one, other)
    ]


_SECTIONS = (
    "launch", "client", "link", "bot", "app", "questions", "requests", "answer", "launch parameters",
    "init data", "checks", "page", "events from the page", "events to the page", "unanswered", "seen",
    "network", "metapro",
)  # fmt: skip


def _told(saved: SavedLaunch) -> Iterator[Mapping[str, Any]]:
    """One mapping for each of `_SECTIONS`."""
    failure = saved.failure
    yield {
        "target": saved.target,
        "server": saved.server,
        "options": saved.options,
        "opened": saved.opened,
        "failure": failure and failure.message,
        "closed": saved.closed,
    }
    yield saved.parameters
    yield {"this client": saved.link, **saved.readings}
    yield _lasting(saved.bot)
    yield _lasting(saved.app)
    yield {one.question: "yes" if one.allowed else "no" for one in saved.questions}
    yield _requests(saved.exchanges)
    yield _lasting(saved.answer)
    yield _lasting(saved.launch_params)
    yield _lasting(saved.init_data)
    yield {one.name: one.verdict for one in saved.checks}
    yield _page(saved.page or {})
    for way in ("outgoing", "incoming"):
        yield Counter(event.name for event in saved.events if event.direction == way)
    yield Counter(one.name for one in saved.unanswered)
    yield Counter(portless(f"{one.kind}: {one.text}") for one in saved.seen)
    yield {
        f"{one.method} {portless(one.origin)}{one.path}": one.failure or one.status for one in saved.network
    }
    yield {f"{step.id} {step.name}": step.verdict for step in saved.metapro}


def _lasting(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Without what is made anew for each launch; of that only whether it is there."""
    return {
        name: _lasting_value(name, value)
        for name, value in (values or {}).items()
        if value is not None and name != "remembered"
    }


def _lasting_value(name: str, value: Any) -> Any:
    if name in _PER_LAUNCH or (name == "hash" and isinstance(value, str)):
        return _PRESENT
    match value:
        case dict():
            return _lasting(value)
        case list():
            return [_lasting_value("", item) for item in value]
        case str() if name in ("url", "origin"):
            return portless(address(value))
    return value


def _page(told: Mapping[str, Any]) -> dict[str, Any]:
    """How it was shown, and what came of that."""
    return {
        name: list(map(portless, value)) if name == "redirects" else _lasting_value(name, value)
        for name, value in told.items()
        if name not in _MEASURED and value is not None
    }


def _requests(exchanges: Iterable[SavedExchange]) -> dict[str, Any]:
    """Each request's parameters and outcome under its method; one that is repeated is numbered."""
    numbers: Counter[str] = Counter()
    told = {}
    for one in exchanges:
        if one.method in _PER_CONNECTION:
            continue
        numbers[one.method] += 1
        number = numbers[one.method]
        name = one.method if number == 1 else f"{one.method} ({number})"
        told[name] = _lasting(one.parameters) | ({"error": one.error.message} if one.error else {})
    return told


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """What differs, by its place; mappings are gone into as long as both have them."""
    for name in [*before, *(name for name in after if name not in before)]:
        one, other = before.get(name), after.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            for inner, values in _changed(one, other):
                yield f"{name}.{inner}", values
        elif one != other:
            yield name, (one, other)
