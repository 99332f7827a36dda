"""A launch in a file: versioned JSON, checked when it is read.

The file is made to be sent to somebody else. It is masked unless `revealed` says otherwise, and whoever
reads one trusts it with nothing: sizes are bounded, every field has its type, what is wrong is told by its
place.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    JsonValue,
    ValidationError,
)

from flows import BadInput
from launcher.private_file import for_owner_only

__all__ = [
    "FORMAT",
    "LARGEST",
    "VERSION",
    "SavedCheck",
    "SavedEvent",
    "SavedExchange",
    "SavedFailure",
    "SavedJudgement",
    "SavedLaunch",
    "SavedMessage",
    "SavedPicture",
    "SavedQuestion",
    "SavedRequest",
    "SavedSight",
    "SavedStep",
    "SavedWait",
]

FORMAT = "miniapp-launch"
VERSION = 1
LARGEST = 64 * 2**20
"""Bytes of a file that is read."""
_DEEPEST = 64
"""Objects and arrays within one another."""
_PNG = b"\x89PNG\r\n\x1a\n"

Values = dict[str, JsonValue]
Seconds = Annotated[FiniteFloat, Field(ge=0)]
"""A duration, or a time since the launch began."""


def _png(text: str) -> str:
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a picture in Base64 is needed") from None
    if not picture.startswith(_PNG):
        raise ValueError("a PNG picture is needed")
    return text


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SavedFailure(_Part):
    """What stopped the launch, as `launcher.failure_json` tells it."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    type: str
    message: str
    meaning: str = ""
    remedy: str = ""


class SavedQuestion(_Part):
    """A question that the client asked before it opened the app, and the consent policy's answer."""

    question: str
    bot: str | None = None
    detail: str = ""
    allowed: bool


class SavedExchange(_Part):
    """One request to Telegram with its TL parameters, and the answer in short or the error.

    `at` is when it was made, `seconds` how long its answer took.
    """

    method: str
    parameters: Values
    answer: JsonValue = None
    error: SavedFailure | None = None
    at: Seconds = 0.0
    seconds: Seconds


class SavedCheck(_Part):
    """One check of Telegram's answer."""

    name: str
    verdict: Literal["passed", "failed", "skipped"]
    text: str
    remedy: str = ""
    data_check_string: str | None = None


class SavedEvent(_Part):
    """An event between page and client: "outgoing" from the page, "incoming" to it. `data` is its JSON text,
    None without any; a long one is shortened."""

    at: Seconds
    direction: Literal["outgoing", "incoming"]
    name: str
    data: str | None = None


class SavedWait(_Part):
    """A request of the page that nobody answered. `silenced`: this platform never answers it."""

    name: str
    req_id: str
    at: Seconds
    silenced: bool = False
    times: int = 1


class SavedMessage(_Part):
    """A message on the page's console, with its level in Chromium's words."""

    at: Seconds
    level: str
    text: str


class SavedSight(_Part):
    """Something the page did that is no event: an uncaught exception, a dialog, a failed request; or what it
    asked of its client and was not done."""

    at: Seconds
    kind: str
    text: str


class SavedRequest(_Part):
    """A request of the page to some server: no query, no headers, no bodies."""

    at: Seconds
    method: str
    origin: str
    path: str
    kind: str = ""
    status: int | None = None
    ms: Annotated[FiniteFloat, Field(ge=0)] | None = None
    failure: str | None = None


class SavedPicture(_Part):
    """A screenshot; `png` is Base64."""

    at: Seconds
    name: str
    png: Annotated[str, AfterValidator(_png)] = Field(repr=False)


class SavedStep(_Part):
    """A step of a longer check of the app. It may say more than is named here."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    id: str
    name: str
    layer: str = ""
    verdict: str
    seconds: Seconds = 0.0
    cause: str | None = None
    remedy: str | None = None
    assumption: str | None = None
    warnings: tuple[str, ...] = ()


class SavedJudgement(_Part):
    """What somebody made of the launch: a test, or a check with expectations. `by` is its name."""

    by: str
    verdict: Literal["passed", "warned", "failed", "not tested"]
    text: str = ""


class SavedLaunch(_Part):
    """One launch, from its link to its end.

    `when` is its beginning, from which all times (`at`) count in seconds. `options` are those of the opening,
    `parameters` the client's platform, mode and theme. `link` is how this client reads the target and
    `readings` how others do, `opened_by` the bot of the app whose page followed it, `answer` Telegram's web
    view, `page` what came of showing it, `judgement` what a test or a check made of it all. `metapro_model`
    says so when a model was driven in Metapro's place. What was not reached is None or empty. `closed` is the
    close reason; None when the app was not opened or still is.
    """

    format: Literal["miniapp-launch"] = "miniapp-launch"
    version: Literal[1] = 1
    revealed: bool = False
    target: str
    opened_by: str | None = None
    options: Values = {}
    when: AwareDatetime
    seconds: Seconds
    server: str
    parameters: Values
    stopped_at: str | None = None
    failure: SavedFailure | None = None
    link: Values | None = None
    readings: dict[str, Values] = {}
    bot: Values | None = None
    app: Values | None = None
    questions: tuple[SavedQuestion, ...] = ()
    exchanges: tuple[SavedExchange, ...] = ()
    answer: Values | None = None
    launch_params: Values | None = None
    init_data: Values | None = None
    checks: tuple[SavedCheck, ...] = ()
    page: Values | None = None
    events: tuple[SavedEvent, ...] = ()
    events_left_out: int = Field(default=0, ge=0)
    unanswered: tuple[SavedWait, ...] = ()
    seen: tuple[SavedSight, ...] = ()
    console: tuple[SavedMessage, ...] = ()
    messages_left_out: int = Field(default=0, ge=0)
    network: tuple[SavedRequest, ...] = ()
    requests_left_out: int = Field(default=0, ge=0)
    screenshots: tuple[SavedPicture, ...] = ()
    metapro: tuple[SavedStep, ...] = ()
    metapro_model: str = ""
    prolongs: int = Field(default=0, ge=0)
    closed: str | None = None
    judgement: SavedJudgement | None = None

    @property
    def opened(self) -> bool:
        return self.answer is not None

    @property
    def platform(self) -> str:
        return str(self.parameters.get("platform", ""))

    @property
    def ok(self) -> bool:
        """Opened, stopped by nothing, no check and no step failed, and judged to be well by whoever did."""
        failed = [one.name for one in self.checks if one.verdict == "failed"]
        failed += [step.id for step in self.metapro if step.verdict.lower() in ("fail", "failed")]
        judged = self.judgement is None or self.judgement.verdict == "passed"
        return self.opened and self.failure is None and not failed and judged

    def to_json(self) -> dict[str, Any]:
        """A JSON object: the content of the file."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, value: Any, name: str = "The value") -> SavedLaunch:
        """Raises BadInput, which names the field that is wrong."""
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise BadInput(f"{name} is not a saved launch.", "Save one with `miniapp inspect --save FILE`.")
        if value.get("version") != VERSION:
            raise BadInput(
                f"{name} is a saved launch of version {json.dumps(value.get('version'))[:20]}; "
                f"this program reads version {VERSION}.",
                "Use the version of this program that saved it.",
            )
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))[:200]
            raise BadInput(f"{name} is damaged: {where}: {first['msg']}.", "Save the launch anew.") from None
        except RecursionError:
            raise _too_deep(name) from None

    def write(self, path: Path) -> None:
        """Write the file; a revealed one is readable by its owner only. Raises OSError."""
        text = json.dumps(self.to_json(), indent=1) + "\n"
        if self.revealed:
            for_owner_only(path)
        path.write_text(text, "utf-8")

    @classmethod
    def read(cls, path: Path) -> SavedLaunch:
        """Read a file. Raises BadInput when it is missing, too large, no JSON or no saved launch."""
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}.", "Name a saved launch.") from None
        if len(content) > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST // 2**20} MiB.", "Name a saved launch.")
        try:
            value = json.loads(content, parse_constant=_refuse)
        except RecursionError:
            raise _too_deep(str(path)) from None
        except ValueError:
            raise BadInput(f"{path} is not JSON.", "Name a saved launch.") from None
        if _deep(value):
            raise _too_deep(str(path))
        return cls.from_json(value, str(path))


def _too_deep(name: str) -> BadInput:
    return BadInput(f"{name} is nested too deeply.", "Name a saved launch.")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # Python reads NaN and Infinity, which are no JSON


def _deep(value: Any) -> bool:
    """Whether a value has more levels than can be shown, found without recursion."""
    level = [value]
    for _ in range(_DEEPEST):
        inner = (
            one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)
        )
        level = [item for items in inner for item in items]
        if not level:
            return False
    return True
