"""The client's end of the event bridge: events in, answers and effects out, nothing read or written.

    page ── (name, data) ──▶ receive ──▶ Reaction: replies for the page, effects to be carried out
    effect ended ── outcome ──▶ resolve ──▶ Reaction
    the user or the phone ──▶ press_main_button, scan, set_theme, due … ──▶ Reaction

The promise: an event that owes a reply gets one, at once, or when the user or an effect has decided. What is
open stands in `pending`, by name; what nobody will answer any more, or not in time, in `unanswered`. Replies
without `req_id` are matched by their type alone, so a request that comes while one of its type is open joins
that one, and the one reply answers both; only a second invoice is `cancelled` at once, as Android does.

`faithful=True` gives up the promise where a platform does: its silences and malformed answers are
reproduced, arguments it cannot read close the app or are ignored, and events newer than `version` are
unknown. `paced=True` adds the platform's rules on clicks and floods; what they forbid is answered in the
negative.

Documentation: core.telegram.org/api/web-events and core.telegram.org/bots/webapps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from launcher.bridge import effects, incoming, outgoing
from launcher.bridge.answers import (
    ANSWERS,
    Rights,
    Turn,
    biometry_info,
    content_safe_area,
    location_checked,
    safe_area,
    viewport,
)
from launcher.bridge.catalogue import Malformed, Unknown, decode
from launcher.bridge.device import Button, Device, NotPossible
from launcher.bridge.effects import Done, Effect, Outcome
from launcher.bridge.incoming import Incoming
from launcher.bridge.outgoing import OUTGOING, Outgoing
from launcher.bridge.pace import Pace
from launcher.bridge.platforms import PLATFORMS
from launcher.bridge.versions import number

__all__ = ["MAX_PENDING", "Bridge", "Note", "Pending", "Reaction"]

MAX_PENDING = 256
"""Requests that may be open at once; those beyond are answered in the negative. Of those that the platform
does not answer, which wait for nobody, the latest so many are kept besides."""

_POPUP, _SCANNER, _INVOICE = "web_app_open_popup", "web_app_open_scan_qr_popup", "web_app_open_invoice"
_SETTLED_BY: dict[str, list[str]] = {}
for _event in OUTGOING.values():
    for _reply in _event.replies:
        _SETTLED_BY.setdefault(_reply.name, []).append(_event.name)


@dataclass(slots=True)
class Reaction:
    """What follows from something: `replies` for the page as (name, data) and `effects`, each in order."""

    replies: list[tuple[str, Any]] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)


@dataclass(slots=True)
class Pending:
    """A request the page waits for. `req_id` is its own, or an invoice's slug; `times` it was made.

    `silenced`: the platform does not answer it.
    """

    name: str
    req_id: str
    since: float
    silenced: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """Why an event had not the effect its page may have hoped for."""

    name: str
    why: str
    time: float


class Bridge:
    """One page's bridge. `device` is the phone it runs on; times are seconds of any clock that grows.

    Raises `ValueError` for an unknown platform or a version that is none.
    """

    def __init__(
        self,
        platform: str = "android",
        device: Device | None = None,
        *,
        version: str = "9.6",
        rights: Rights | None = None,
        faithful: bool = False,
        paced: bool = False,
    ) -> None:
        if platform not in PLATFORMS:
            raise ValueError(f"no platform {platform!r}; there are {', '.join(PLATFORMS)}")
        number(version)
        self.platform = PLATFORMS[platform]
        self.device = device or Device()
        self.version = version
        self.faithful = faithful
        self.closed = False
        self._ended_meanwhile: dict[int, tuple[Effect, Outcome]] = {}
        self.notes: deque[Note] = deque(maxlen=1000)
        self._pace = Pace(self.platform) if paced else None
        self._pending: dict[tuple[str, str], Pending] = {}
        self._effects: dict[int, Effect] = {}
        self._last_id = 0
        self._now = 0.0
        self._name = ""
        rights = rights or Rights()
        self._turn = Turn(self.device, self.platform, rights, version, faithful, 0.0, self._note)

    # From the page

    def receive(self, name: str, data: object = None, now: float = 0.0) -> Reaction:
        """Deal with an event of the page; `data` is its JSON text, or a value, or None.

        Never raises for what a page sends. After the app has closed nothing happens any more.
        """
        reaction = Reaction()
        if self.closed:
            return reaction
        if not isinstance(name, str):
            name = ""
        self._name, self._now, self._turn.now = name, now, now
        event = decode(name, data, self.version if self.faithful else None)
        if isinstance(event, Unknown):
            self._unknown(name)
        elif isinstance(event, Malformed):
            self._malformed(event, reaction)
        else:
            self._obey(event, reaction)
        return reaction

    def _unknown(self, name: str) -> None:
        known = OUTGOING.get(name)
        self._note(f"it came with version {known.since}" if known else "there is no such event")
        if known and known.replies:
            self._owe(name, "", silenced=True)

    def _malformed(self, event: Malformed, reaction: Reaction) -> None:
        self._note(event.problem)
        request, name = _request(event.given), event.event.name
        if not self.faithful:
            self._refuse(event.event, request, reaction, event.error)
        elif name in self.platform.closes:
            self._carry_out(effects.Close(), reaction)
        elif event.event.replies:
            self._owe(name, request, silenced=True)

    def _obey(self, event: Outgoing, reaction: Reaction) -> None:
        name, request = event.name, _request(event.__dict__) if event.replies else ""
        if self.faithful and name in self.platform.silent:
            self._note(f"{self.platform.name} does not answer it")
            self._owe(name, request, silenced=True)
        elif name in self.platform.lacks:
            self._note(f"{self.platform.name} cannot do it")
            if event.replies:
                self._owe(name, request)
            self._refuse(type(event), request, reaction)
        elif event.replies and self._overlaps(event, request, reaction):
            pass
        elif self._pace and (why := self._pace.objection(name, self._now)):
            self._note(why)
            self._refuse(type(event), request, reaction)
        else:
            self._answer(event, request, reaction)

    def _overlaps(self, event: Outgoing, request: str, reaction: Reaction) -> bool:
        """Whether it comes while another is open, and has been dealt with here."""
        if event.otherwise is not None and len(self._keys(silenced=False)) >= MAX_PENDING:
            self._note("too many requests are open")
            self._refuse(type(event), request, reaction)
            return True
        if event.name == _INVOICE and any(
            name == _INVOICE and slug != request for name, slug in self._pending
        ):
            self._note("another invoice is open")
            self._refuse(type(event), request, reaction)
            return True
        pending = self._pending.get((event.name, request))
        by_id = "req_id" in event.model_fields_set and event.name != "web_app_request_chat"
        if pending is None or pending.silenced or by_id:
            return False
        self._note("the same request is open")
        pending.times += 1
        if self.faithful and self.platform.refuses_second_popup and event.name == _POPUP:
            self._refuse(type(event), request, reaction)
        return True

    def _answer(self, event: Outgoing, request: str, reaction: Reaction) -> None:
        if event.replies:
            self._owe(event.name, request)
        self._do(event, request, reaction)

    def _do(self, event: Outgoing, request: str, reaction: Reaction) -> None:
        name = event.name
        dealt_with = not event.replies
        for result in ANSWERS[name](event, self._turn) or ():
            if isinstance(result, Effect):
                dealt_with = dealt_with or result.owes_reply
                self._carry_out(result, reaction)
            else:
                dealt_with = dealt_with or isinstance(result, event.replies)
                self._send(result, reaction, request)
        if name == "web_app_close_scan_qr_popup":
            self._pending.pop((_SCANNER, ""), None)  # the script knows, and wants no answer
        elif name == "iframe_will_reload":
            self.reloaded()
        elif not dealt_with and not self._asks_user(name):
            self._refuse(type(event), request, reaction)

    def _asks_user(self, name: str) -> bool:
        device = self.device
        return (name == _POPUP and device.popup is not None) or (
            name == _SCANNER and device.scanner.opened is not None
        )

    def _refuse(
        self, event: type[Outgoing], request: str, reaction: Reaction, error: str | None = None
    ) -> None:
        """The answer of a client that cannot do it, or cannot make out what is wanted."""
        if event.otherwise is None:
            return
        payload = dict(event.otherwise.payload)
        payload |= {key: request for key in ("req_id", "slug") if key in payload}
        if error and "error" in payload:
            payload["error"] = error
        self._send(type(event.otherwise).model_validate(payload), reaction, request)

    # Effects

    def _carry_out(self, effect: Effect, reaction: Reaction) -> None:
        self._last_id += 1
        effect = replace(effect, id=self._last_id, name=self._name)
        reaction.effects.append(effect)
        if effect.owes_reply:
            self._effects[effect.id] = effect
        if effect.ends_app:
            self.closed = True

    def resolve(self, effect: Effect, outcome: Outcome, now: float = 0.0) -> Reaction:
        """An effect has ended: answer the page.

        Nothing follows for an effect that owes nothing, has been resolved, or whose page is gone; when the
        effect was to end the app and has not, the page is heard again. Raises `ValueError` for a result the
        event cannot express.
        """
        reaction = Reaction()
        reply = effect.reply(outcome)
        if effect.ends_app and not isinstance(outcome, Done) and self.closed:
            self.closed = False
            self._answer_late(now, reaction)
        if effect.id not in self._effects:
            return reaction
        if self.closed:
            self._ended_meanwhile[effect.id] = (effect, outcome)
            return reaction
        self._now, self._name = now, ""
        del self._effects[effect.id]
        if isinstance(effect, effects.AskUser):
            self._said(effect, isinstance(outcome, Done), reaction)
        if isinstance(outcome, Done):
            self._remember(effect)
        if reply is not None:
            self._send(reply, reaction)
        return reaction

    def _answer_late(self, now: float, reaction: Reaction) -> None:
        """The page is heard again: answer what has ended while it was not."""
        ended, self._ended_meanwhile = self._ended_meanwhile, {}
        for effect, outcome in ended.values():
            answered = self.resolve(effect, outcome, now)
            reaction.replies += answered.replies
            reaction.effects += answered.effects

    def _said(self, asked: effects.AskUser, agrees: bool, reaction: Reaction) -> None:
        """The user has answered: go on with what they were asked for."""
        event = asked.event
        self._name, self._turn.now, self._turn.said = event.name, self._now, agrees
        try:
            self._do(event, _request(event.__dict__), reaction)
        finally:
            self._turn.said = None

    def _remember(self, effect: Effect) -> None:
        """What the phone knows after an effect was carried out."""
        match effect:
            case effects.SetEmojiStatus():
                self.device.emoji_status = effect.custom_emoji_id
            case effects.RequestEmojiStatusAccess():
                self.device.emoji_status_access = True
            case effects.RequestFileDownload():
                self.device.downloads.append((effect.url, effect.file_name))

    # To the page

    def _send(self, event: Incoming, reaction: Reaction, request: str = "") -> None:
        """`request` is that of the event which is being answered, if one is."""
        name, payload = event.name, event.payload
        wrong = self.platform.wrong_answers.get((self._name, name)) if self.faithful else None
        bare = self.faithful and name in self.platform.bare and not payload
        if wrong:
            self._silence(self._name, request)
            name, payload = wrong[0], _identity(payload) | wrong[1]
        reaction.replies.append((name, None if bare else payload))
        if self._pace and name == "popup_closed":
            self._pace.closed(_POPUP, self._now)
        if bare:  # the script reads a property of nothing, and its callback is lost
            for asked in _SETTLED_BY.get(name, ()):
                self._silence(asked, "")
        else:
            self._settle(name, payload)

    def _owe(self, name: str, request: str, silenced: bool = False) -> None:
        pending = self._pending.get((name, request))
        if pending:
            pending.times += 1
            pending.silenced = silenced
        elif silenced or len(self._keys(silenced=False)) < MAX_PENDING:
            self._pending[name, request] = Pending(name, request, self._now, silenced)
        if silenced:
            self._drop_silenced()

    def _keys(self, *, silenced: bool) -> list[tuple[str, str]]:
        return [key for key, each in self._pending.items() if each.silenced is silenced]

    def _drop_silenced(self) -> None:
        for key in self._keys(silenced=True)[:-MAX_PENDING]:
            del self._pending[key]

    def _settle(self, name: str, payload: Any) -> None:
        request = _request(payload) if isinstance(payload, Mapping) else ""
        for asked in _SETTLED_BY.get(name, ()):
            self._pending.pop((asked, request), None)

    def _silence(self, asked: str, request: str) -> None:
        pending = self._pending.get((asked, request))
        if pending:
            pending.silenced = True
            self._drop_silenced()

    def _note(self, why: str) -> None:
        self.notes.append(Note(self._name[:100], why, self._now))

    def _forget(self) -> None:
        self._pending.clear()
        self._effects.clear()

    def pending(self) -> list[Pending]:
        """The requests that have no reply yet, oldest first."""
        return [] if self.closed else list(self._pending.values())

    def unanswered(self, now: float, after: float = 10.0) -> list[Pending]:
        """The requests that no reply will come to, or none has for more than `after` seconds."""
        return [each for each in self.pending() if each.silenced or now - each.since > after]

    def reloaded(self) -> None:
        """The page starts anew: nobody waits for the replies any more, and effects under way end silently."""
        self._forget()
        self.device.reloaded()

    def reload_frame(self, now: float = 0.0) -> Reaction:
        """Ask the page in a web client's frame to reload itself; it says `iframe_will_reload` before."""
        return self._tell(now, incoming.ReloadIframe())

    def emit(self, name: str, data: Any = None, now: float = 0.0) -> Reaction:
        """Send the page anything, as it is; it counts as the reply to what waits for it."""
        self._now = now
        if data is not None:
            self._settle(name, data)
        return Reaction([(name, data)])

    # The user

    def clicked(self, now: float) -> None:
        """The user has touched the page; a press on a button of the client counts as well."""
        if self._pace:
            self._pace.clicked(now)

    def press_main_button(self, now: float = 0.0) -> Reaction:
        """Raises `NotPossible` when it is hidden, inactive or shows progress."""
        return self._press(self.device.main_button, incoming.MainButtonPressed(), now)

    def press_secondary_button(self, now: float = 0.0) -> Reaction:
        """Raises `NotPossible` when it is hidden, inactive or shows progress."""
        return self._press(self.device.secondary_button, incoming.SecondaryButtonPressed(), now)

    def press_back_button(self, now: float = 0.0) -> Reaction:
        """Raises `NotPossible` when it is hidden: going back then closes the app."""
        return self._press(self.device.back_button, incoming.BackButtonPressed(), now)

    def press_settings_button(self, now: float = 0.0) -> Reaction:
        """Raises `NotPossible` when there is no such item in the menu."""
        return self._press(self.device.settings_button, incoming.SettingsButtonPressed(), now)

    def _press(self, button: Button, event: Incoming, now: float) -> Reaction:
        button.check()
        if self.device.popup is not None:
            raise NotPossible("a popup is open over the app")
        self.clicked(now)
        return self._tell(now, event)

    def press_popup(self, button_id: str, now: float = 0.0) -> Reaction:
        """Raises `NotPossible` when no popup is open, or it has no such button."""
        popup = self._open_popup()
        known = [button.id for button in popup.buttons]
        if button_id not in known:
            raise NotPossible(f"the popup has no button {button_id!r}, only {', '.join(map(repr, known))}")
        return self._close_popup(incoming.PopupClosed(button_id=button_id), now)

    def dismiss_popup(self, now: float = 0.0) -> Reaction:
        """Raises `NotPossible` when no popup is open."""
        self._open_popup()
        return self._close_popup(incoming.PopupClosed(), now)

    def _open_popup(self) -> outgoing.OpenPopup:
        if self.device.popup is None:
            raise NotPossible("no popup is open")
        return self.device.popup

    def _close_popup(self, event: Incoming, now: float) -> Reaction:
        self.device.popup = None
        self.clicked(now)
        return self._tell(now, event)

    def scan(self, text: str, now: float = 0.0) -> Reaction:
        """The scanner sees a code, and stays open. Raises `NotPossible` when none is open."""
        self._check_scanner()
        return self._tell(now, incoming.QrTextReceived(data=text))

    def close_scanner(self, now: float = 0.0) -> Reaction:
        """Raises `NotPossible` when none is open."""
        self._check_scanner()
        self.device.scanner.opened = None
        return self._tell(now, incoming.ScanQrPopupClosed())

    def _check_scanner(self) -> None:
        if self.device.scanner.opened is None:
            raise NotPossible("no code scanner is open")

    # The phone

    def set_theme(self, theme: Mapping[str, str], now: float = 0.0) -> Reaction:
        """Raises `ValueError` for a colour that is not of the form #rrggbb."""
        event = incoming.ThemeChanged(theme_params=dict(theme))
        self.device.theme = dict(theme)
        return self._tell(now, event)

    def set_viewport(
        self,
        width: float | None = None,
        height: float | None = None,
        *,
        is_expanded: bool | None = None,
        is_stable: bool = True,
        now: float = 0.0,
    ) -> Reaction:
        """A new size in CSS pixels; what is not given stays. `height` is that of the expanded app.

        While the size is still changing, `is_stable` is false.
        """
        device = self.device
        device.width = width or device.width
        device.height = height or device.height
        if is_expanded is not None:
            device.is_expanded = is_expanded
        return self._tell(now, viewport(device, self.platform, is_stable))

    def set_safe_area(
        self, top: float = 0, bottom: float = 0, left: float = 0, right: float = 0, *, now: float = 0.0
    ) -> Reaction:
        """What the device covers, in CSS pixels."""
        self.device.safe_area = (top, bottom, left, right)
        return self._tell(now, safe_area(self.device))

    def set_visible(self, is_visible: bool, now: float = 0.0) -> Reaction:
        """The app is minimised, or brought back."""
        self.device.is_visible = is_visible
        return self._tell(now, incoming.VisibilityChanged(is_visible=is_visible))

    def set_fullscreen(self, is_fullscreen: bool, now: float = 0.0) -> Reaction:
        """The user, or the launch itself, enters or leaves fullscreen mode."""
        self.device.is_fullscreen = is_fullscreen
        return self._tell(
            now,
            incoming.FullscreenChanged(is_fullscreen=is_fullscreen),
            content_safe_area(self.device),
            viewport(self.device, self.platform),
        )

    def rotate(self, now: float = 0.0) -> Reaction:
        """The phone is turned: width and height change places, and what it covers goes round with it.

        Raises `NotPossible` when the page has locked the orientation, or this client is a window.
        """
        device = self.device
        if self.platform.windowed:
            raise NotPossible("the app is shown in a window")
        if device.orientation_locked:
            raise NotPossible("the app has locked the orientation")
        device.width, device.height = device.height, device.width
        top, bottom, left, right = device.safe_area
        device.safe_area = (right, left, top, bottom)
        return self._tell(now, viewport(device, self.platform), safe_area(device))

    def measure(
        self,
        accelerometer: tuple[float, float, float] | None = None,
        gyroscope: tuple[float, float, float] | None = None,
        orientation: tuple[float, float, float] | None = None,
        *,
        now: float = 0.0,
    ) -> Reaction:
        """Sensors measure something else; those that run tell it at once."""
        measured: list[Incoming] = []
        for sensor, value in zip(self.device.sensors, (accelerometer, gyroscope, orientation), strict=True):
            if value is not None:
                sensor.value = value
                measured += [] if sensor.rate is None else [sensor.measure()]
        return self._tell(now, *measured)

    def permit_location(self, is_granted: bool, now: float = 0.0) -> Reaction:
        """In the client's settings the user lets the bot know the place, or no longer."""
        location = self.device.location
        location.access_requested, location.access_granted = True, is_granted
        return self._tell(now, location_checked(location))

    def permit_biometry(self, is_granted: bool, now: float = 0.0) -> Reaction:
        """In the client's settings the user lets the bot use fingerprint or face, or no longer."""
        biometry = self.device.biometry
        biometry.access_requested, biometry.access_granted = True, is_granted
        return self._tell(now, biometry_info(biometry))

    def add_to_home_screen(self, now: float = 0.0) -> Reaction:
        """The user adds the app by the client's menu. Raises `NotPossible` where there is no such thing."""
        if self.device.home_screen.status == "unsupported":
            raise NotPossible("this home screen takes no icons")
        self.device.home_screen.status = "added"
        return self._tell(now, incoming.HomeScreenAdded())

    def due(self, now: float) -> Reaction:
        """The measurements of running sensors that are due."""
        found = (sensor.due(now) for sensor in self.device.sensors)
        return self._tell(now, *(event for event in found if event is not None))

    def next_due(self) -> float | None:
        """When `due` has something next; None while no sensor runs."""
        times = [sensor.next for sensor in self.device.sensors if sensor.rate is not None]
        return min(times, default=None)

    def _tell(self, now: float, *events: Incoming) -> Reaction:
        reaction = Reaction()
        self._now, self._name = now, ""
        if not self.closed:
            for event in events:
                self._send(event, reaction)
        return reaction


def _identity(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"req_id": payload["req_id"]} if "req_id" in payload else {}


def _request(given: Mapping[str, Any]) -> str:
    """What makes a request different from others of its type: `req_id`, or the slug of an invoice."""
    value = given.get("req_id", given.get("slug"))
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
