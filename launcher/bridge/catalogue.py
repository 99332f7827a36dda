"""What can be said of all events at once: reading one from the wire, version gates, and the tables.

`outgoing.py` and `incoming.py` are the list; everything here is a loop over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from launcher.bridge.incoming import INCOMING, Incoming
from launcher.bridge.outgoing import OUTGOING, Outgoing, Since, Wrong
from launcher.bridge.versions import at_least
from launcher.bridge.wire import json_value, lost_req_id

__all__ = [
    "Event",
    "Malformed",
    "Parameter",
    "Unknown",
    "decode",
    "incoming_events",
    "outgoing_events",
    "rows",
    "supports",
]

_Mark = TypeVar("_Mark", Since, Wrong)


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event of no known name, or newer than the client; clients ignore it without an error."""

    name: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A known event whose required parameters are not there or wrong.

    `given` is what came, `error` the platform's code for what is wrong with it, `problem` the same for a
    person.
    """

    event: type[Outgoing]
    given: Mapping[str, Any]
    error: str
    problem: str


def decode(name: str, data: object, version: str | None = None) -> Outgoing | Malformed | Unknown:
    """Read an event as it came: `data` is JSON text, or a value, or None.

    With a `version` the reader is a client of that version: newer events are unknown to it, and newer
    parameters are not seen. Never raises for what a page sends.
    """
    event = OUTGOING.get(name)
    if event is None or (version is not None and not supports(name, version)):
        return Unknown(name)
    given = _parameters(data)
    if version is not None and given:
        given = {key: given[key] for key in given.keys() - _later(event, version)}
    try:
        return event.model_validate(given)
    except ValidationError as error:
        return _again(event, given, error)


def _parameters(data: object) -> dict[str, Any]:
    value = json_value(data)
    return value if isinstance(value, dict) else lost_req_id(data)


@cache
def _later(event: type[Outgoing], version: str) -> frozenset[str]:
    """The parameters that came after this version."""
    return frozenset(key for key in event.model_fields if not supports(event.name, version, key))


def _again(event: type[Outgoing], given: dict[str, Any], error: ValidationError) -> Outgoing | Malformed:
    """Without the optional parameters that are wrong, for those count as not given."""
    wrong = {str(problem["loc"][0]) for problem in error.errors(include_input=False) if problem["loc"]}
    dropped = {key for key in wrong & given.keys() if _may_be_dropped(event.model_fields[key])}
    if not dropped:
        return _malformed(event, given, error)
    try:
        return event.model_validate({key: given[key] for key in given.keys() - dropped})
    except ValidationError as still:
        return _malformed(event, given, still)


def _may_be_dropped(field: FieldInfo) -> bool:
    return not field.is_required() and _mark(field, Wrong) is None


def _malformed(event: type[Outgoing], given: dict[str, Any], error: ValidationError) -> Malformed:
    problems = error.errors(include_input=False, include_url=False)
    name = str(problems[0]["loc"][0]) if problems[0]["loc"] else ""
    field = event.model_fields.get(name)
    mark = _mark(field, Wrong) if field else None
    text = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
    return Malformed(event, given, mark.error if mark else "UNKNOWN_ERROR", text[:500])


def supports(name: str, version: str, parameter: str | None = None) -> bool:
    """Whether a client of this version knows the event, or the parameter of it.

    Unknown events are not known to any version; unknown parameters are no matter of versions.
    """
    event = OUTGOING.get(name) or INCOMING.get(name)
    if event is None or not at_least(version, event.since):
        return False
    field = event.model_fields.get(parameter) if parameter else None
    mark = _mark(field, Since) if field else None
    return mark is None or at_least(version, mark.version)


def _mark(field: FieldInfo, kind: type[_Mark]) -> _Mark | None:
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an event: its type and limits as a text, and since when, if later than its event."""

    name: str
    type: str
    required: bool
    since: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the catalogue. `replies` are the events of which one is owed, for incoming ones none."""

    name: str
    direction: str
    since: str | None
    meaning: str
    parameters: tuple[Parameter, ...]
    replies: tuple[str, ...]


def outgoing_events() -> list[Event]:
    """Page to client, in the order of the catalogue."""
    return [_event(event, "outgoing", event.replies) for event in OUTGOING.values()]


def incoming_events() -> list[Event]:
    """Client to page, in the order of the catalogue."""
    return [_event(event, "incoming", ()) for event in INCOMING.values()]


def rows(answered: Iterable[str]) -> list[dict[str, Any]]:
    """The whole catalogue as JSON values; `answered` are the outgoing events somebody answers.

    `answered` of a row is null where no reply is owed.
    """
    known = set(answered)
    return [
        {**asdict(event), "answered": event.name in known if event.replies else None}
        for event in (*outgoing_events(), *incoming_events())
    ]


def _event(event: type[Outgoing | Incoming], direction: str, replies: tuple[type[Incoming], ...]) -> Event:
    schema = event.model_json_schema()
    parameters = tuple(
        _parameter(name, field, schema["properties"][name], schema.get("$defs", {}))
        for name, field in event.model_fields.items()
    )
    meaning = " ".join((event.__doc__ or "").split())
    return Event(
        event.name, direction, event.since, meaning, parameters, tuple(reply.name for reply in replies)
    )


def _parameter(name: str, field: FieldInfo, schema: dict[str, Any], parts: dict[str, Any]) -> Parameter:
    text = _type(schema, parts)
    if not field.is_required():
        text = text.removesuffix(" | null")  # null is one more way not to give it
    mark = _mark(field, Since)
    return Parameter(name, text, field.is_required(), mark.version if mark else None)


_NAMES = {
    r"^#[0-9a-fA-F]{6}$": "#rrggbb",
    r"^[0-9]{1,20}$": "digits",
    r"^https://\S+$": "https URL",
    r"^/": "string that begins with /",
    r"^[A-Za-z0-9_=-]+$": "string of A-Z a-z 0-9 _ = -",
    r"^[^/\\]+$": "string without slashes",
}


def _type(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    """A JSON schema in a few words."""
    match schema:
        case {"$ref": str(reference)}:
            return _type(parts[reference.rpartition("/")[2]], parts)
        case {"anyOf": list(kinds)}:
            return " | ".join(_type(kind, parts) for kind in kinds)
        case {"enum": list(values)}:
            return " | ".join(map(str, values))
        case {"const": value}:
            return str(value)
        case {"type": "array"}:
            return f"[{_type(schema['items'], parts)}]{_limits(schema, 'minItems', 'maxItems')}"
        case {"type": "object", "properties": dict(properties)}:
            required = schema.get("required", ())
            fields = (
                f"{key}{'' if key in required else '?'}: {_type(value, parts)}"
                for key, value in properties.items()
            )
            return f"{{{', '.join(fields)}}}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"{{key: {_type(values, parts)}}}"
        case {"type": "string", "pattern": str(pattern)}:
            return _NAMES[pattern] + _limits(schema, "minLength", "maxLength")
        case {"type": "string"}:
            return "string" + _limits(schema, "minLength", "maxLength")
        case {"type": str(kind)}:
            return kind + _limits(schema, "minimum", "maximum")
        case _:
            return "any"


def _limits(schema: dict[str, Any], least: str, most: str) -> str:
    if least not in schema and most not in schema:
        return ""
    if most not in schema:
        return f", at least {schema[least]}"
    return f", {schema.get(least, 0)} to {schema[most]}"
