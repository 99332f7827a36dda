"""Whatever a page sends, the bridge does not raise, stays bounded, and answers what owes a reply.

`make fuzz` runs the long profile.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from launcher.bridge.bridge import MAX_PENDING, Bridge
from launcher.bridge.catalogue import Malformed, decode
from launcher.bridge.effects import Declined, Done, Failed
from launcher.bridge.incoming import INCOMING
from launcher.bridge.outgoing import OUTGOING
from launcher.bridge.platforms import PLATFORMS
from tests.test_bridge import MINIMAL, POPUP

WORDS = [
    "__proto__",
    "constructor",
    "model_fields",
    "\ud800",
    "‮",
    "\x00",
    "NaN",
    "1e999",
    "9" * 5000,
    "#ff0000",
]
KEYS = sorted({key for event in OUTGOING.values() for key in event.model_fields} | set(WORDS))
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)
PARAMETERS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)
NAMES = st.sampled_from(list(OUTGOING)) | st.sampled_from(["", "web_app_", "__init__", *INCOMING]) | st.text()


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, Any]:
    """A name and data: nearly right, damaged, or anything at all."""
    name = draw(NAMES)
    known = (POPUP if name == "web_app_open_popup" else MINIMAL.get(name)) or {}
    value = draw(st.just(known) | PARAMETERS.map(lambda more: known | more) | VALUES)
    text = json.dumps(value)
    match draw(st.integers(0, 5)):
        case 0:
            return name, value
        case 1:
            return name, json.dumps(text)
        case 2:
            cut = draw(st.integers(0, len(text)))
            return name, text[:cut]
        case 3:
            return name, draw(st.text() | st.binary() | st.just("[" * 100_000))
        case _:
            return name, text


class Page:
    """Sends to a bridge, lets user and effects decide, and keeps account of what it is owed."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.open: list[tuple[str, set[str], str]] = []
        self.effects: list[Any] = []

    def send(self, name: str, data: Any, now: float) -> None:
        bridge = self.bridge
        if bridge.closed:
            assert bridge.receive(name, data, now).replies == []
            return
        event = decode(name, data)
        owed = {reply.name for reply in OUTGOING[name].replies} if name in OUTGOING else set()
        given = event.given if isinstance(event, Malformed) else getattr(event, "__dict__", {})
        named = {"req_id", "slug"} & set(OUTGOING[name].model_fields) if name in OUTGOING else set()
        request = given.get(named.pop(), "") if named else ""  # other replies do not say whose they are
        if owed:
            self.open.append((name, owed, request if isinstance(request, str) else ""))
        self.take(bridge.receive(name, data, now))
        if name in ("iframe_will_reload",) or bridge.closed:
            self.open.clear()
        elif name == "web_app_close_scan_qr_popup":
            self.open = [each for each in self.open if each[0] != "web_app_open_scan_qr_popup"]

    def take(self, reaction: Any) -> None:
        for name, payload in reaction.replies:
            INCOMING[name].model_validate(payload)  # strict: what is sent is as it is documented
            json.dumps(payload, allow_nan=False).encode()
            request = payload.get("req_id", payload.get("slug", ""))
            self.open = [
                each for each in self.open if not (name in each[1] and (each[2] == request or not each[2]))
            ]
        self.effects += reaction.effects

    def finish(self, now: float, outcome: Any) -> None:
        """Everybody decides."""
        for effect in self.effects:
            ending = Done("paid") if type(effect).__name__ == "OpenInvoice" and outcome == Done() else outcome
            self.take(self.bridge.resolve(effect, ending, now))
        if self.bridge.closed:
            return
        if self.bridge.device.popup is not None:
            self.take(self.bridge.dismiss_popup(now))
        if self.bridge.device.scanner.opened is not None:
            self.take(self.bridge.close_scanner(now))
        self.bridge.due(now + 2.0)


CONVERSATIONS = st.lists(messages(), min_size=1, max_size=8)
OUTCOMES = st.sampled_from([Done(), Declined(), Failed("X")])


def converse(platform: str, paced: bool, conversation: list[tuple[str, Any]], outcome: Any) -> None:
    page = Page(Bridge(platform, paced=paced))
    for now, (name, data) in enumerate(conversation):
        page.send(name, data, float(now))
    page.finish(100.0, outcome)
    assert page.open == []
    assert page.bridge.pending() == []


def converse_faithfully(platform: str, conversation: list[tuple[str, Any]]) -> None:
    bridge = Bridge(platform, faithful=True, paced=True, version="8.0")
    for now, (name, data) in enumerate(conversation):
        reaction = bridge.receive(name, data, float(now))
        json.dumps(reaction.replies, allow_nan=False).encode()
    assert len(bridge.pending()) <= 2 * MAX_PENDING


@given(st.sampled_from(list(PLATFORMS)), st.booleans(), CONVERSATIONS, OUTCOMES)
@settings(deadline=None)
def test_a_page_is_answered(platform: str, paced: bool, conversation: Any, outcome: Any) -> None:
    converse(platform, paced, conversation, outcome)


@given(st.sampled_from(list(PLATFORMS)), CONVERSATIONS)
@settings(deadline=None)
def test_a_faithful_bridge_does_not_raise(platform: str, conversation: Any) -> None:
    converse_faithfully(platform, conversation)


LONG = settings(max_examples=13_000, deadline=None, suppress_health_check=list(HealthCheck))
LONG_CONVERSATIONS = st.lists(messages(), min_size=8, max_size=12)


@pytest.mark.slow
@given(st.sampled_from(list(PLATFORMS)), st.booleans(), LONG_CONVERSATIONS, OUTCOMES)
@LONG
def test_a_hundred_thousand_events(platform: str, paced: bool, conversation: Any, outcome: Any) -> None:
    converse(platform, paced, conversation, outcome)
    converse_faithfully(platform, conversation)
