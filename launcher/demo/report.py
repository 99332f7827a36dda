"""What came of a demonstration, as values and as JSON. Without `reveal` nothing in the JSON opens an app."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import FLOWS, OpenParameters, WebView
from flows.theme import DARK, LIGHT
from launcher.masks import MASK
from launcher.metapro import DriveReport
from launcher.probe import Status

if TYPE_CHECKING:
    from launcher.demo.doors import Doors

__all__ = ["Check", "DemoReport", "LaunchReport", "Picture", "Step"]


@dataclass(frozen=True, slots=True)
class Check:
    """One documented fact held against what happened: `text` is the fact, `found` what was seen instead."""

    ok: bool
    text: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Something the demonstration has done, `seconds` after its start."""

    title: str
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Picture:
    """An app on screen: the PNG, how many CSS pixels wide it is, and the text of the main button that the
    client shows below the page, if it does."""

    file: Path
    width: int
    main_button: str | None


@dataclass(frozen=True, slots=True)
class LaunchReport:
    """One app from opening to closing.

    `request` is the TL method that opened it, `closed` the close reason (None if it never closed), `error`
    what stopped it, `seconds` how long it took in all. `web_view` is None when it was not opened.
    """

    flow: str
    request: str
    parameters: OpenParameters
    web_view: WebView | None = field(repr=False)
    prolongs: int
    closed: str | None
    seconds: float
    checks: tuple[Check, ...]
    error: str | None = None
    picture: Picture | None = None

    @property
    def ok(self) -> bool:
        """Opened, and every check passed."""
        return self.error is None and bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def identity(self) -> tuple[str, ...]:
        """The fields by which the page learns who opened it, and from where."""
        data = self.web_view.init_data if self.web_view else None
        names = ("user", "receiver", "chat", "chat_type", "chat_join_request_query_id")
        return tuple(name for name in names if getattr(data, name, None) is not None)

    @property
    def theme(self) -> str | None:
        names = {DARK: "dark", LIGHT: "light"}
        return None if self.parameters.theme is None else names.get(self.parameters.theme, "own")

    def to_json(self, *, reveal: bool = False) -> dict[str, Any]:
        view = self.web_view
        query = view.query_id if view else None
        return {
            "flow": self.flow,
            "request": self.request,
            "url": None if view is None else view.url if reveal else view.masked_url,
            "query_id": query if query is None or reveal else MASK,
            "identity": list(self.identity),
            "platform": self.parameters.platform,
            "mode": str(self.parameters.mode),
            "theme": self.theme,
            "prolongs": self.prolongs,
            "closed": self.closed,
            "screenshot": str(self.picture.file) if self.picture else None,
            "seconds": round(self.seconds, 3),
            "ok": self.ok,
            "error": self.error,
            "checks": [asdict(check) for check in self.checks],
        }


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The whole demonstration: one launch for each flow, and one app that was left to expire.

    `checks` are those of the sign-in and of what the bots saw. `browser` says whether the apps were shown in
    one; then `folder` holds the pictures and their `index.html`. `metapro` is the drive of the Metapro app,
    `doors` what monitoring and research get of the same apps; None when they were not reached.
    """

    steps: tuple[Step, ...]
    launches: tuple[LaunchReport, ...]
    expiry: LaunchReport
    checks: tuple[Check, ...]
    seconds: float
    reveal: bool = False
    folder: Path | None = None
    metapro: DriveReport | None = None
    doors: Doors | None = None

    @property
    def ok(self) -> bool:
        """Whether everything was as documented."""
        if self.metapro is None or self.metapro.exit_code:
            return False
        if self.doors is None or any(one.status is not Status.OK for one in self.doors.checked):
            return False
        complete = [launch.flow for launch in self.launches] == list(FLOWS)
        parts = all(launch.ok for launch in (*self.launches, self.expiry))
        return complete and parts and all(check.ok for check in self.checks)

    @property
    def browser(self) -> bool:
        return self.folder is not None

    def to_json(self) -> dict[str, Any]:
        """A JSON object; launch URLs and query ids are masked unless the run was asked to reveal them."""
        return {
            "ok": self.ok,
            "browser": self.browser,
            "report": None if self.folder is None else str(self.folder / "index.html"),
            "seconds": round(self.seconds, 3),
            "steps": [asdict(step) | {"seconds": round(step.seconds, 3)} for step in self.steps],
            "launches": [launch.to_json(reveal=self.reveal) for launch in self.launches],
            "expiry": self.expiry.to_json(reveal=self.reveal),
            "checks": [asdict(check) for check in self.checks],
            "metapro": [step.to_json() for step in self.metapro.steps] if self.metapro else [],
            "watched": [result.to_json() for result in self.doors.checked] if self.doors else [],
            "status_page": _shown(self.doors.status_page) if self.doors else None,
            "launch_report": _shown(self.doors.launch) if self.doors else None,
        }


def _shown(file: Path | None) -> str | None:
    return None if file is None else str(file)
