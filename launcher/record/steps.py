"""What can be done with an app, each as the lines of a test that does it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "Answered", "Chosen", "Clicked", "Closed", "Entered", "Filled", "Locator", "NotRecorded", "PhoneButton",
    "Pressed", "Scanned", "SecretFilled", "Step", "quoted",
]  # fmt: skip

PhoneButton: TypeAlias = Literal["main_button", "secondary_button", "back_button", "settings_button"]
Kind: TypeAlias = Literal["role", "label", "placeholder", "text", "test_id", "css"]

_BY = {
    "label": "get_by_label({}, exact=True)",
    "placeholder": "get_by_placeholder({}, exact=True)",
    "text": "get_by_text({}, exact=True)",
    "test_id": "get_by_test_id({})",
    "css": "locator({})",
}


@dataclass(frozen=True, slots=True)
class Locator:
    """How an element is found: `value` is the name, text or selector; `role` is that of the kind "role"."""

    kind: Kind
    value: str
    role: str = ""

    @property
    def code(self) -> str:
        if self.kind == "role":
            return f"app.frame.get_by_role({quoted(self.role)}, name={quoted(self.value)}, exact=True)"
        return f"app.frame.{_BY[self.kind].format(quoted(self.value))}"


@dataclass(frozen=True, slots=True)
class Clicked:
    """`at`: where in the element, in CSS pixels, if that matters."""

    locator: Locator
    at: tuple[int, int] | None = None

    def lines(self) -> Iterator[str]:
        place = f'position={{"x": {self.at[0]}, "y": {self.at[1]}}}' if self.at else ""
        yield f"await {self.locator.code}.click({place})"


@dataclass(frozen=True, slots=True)
class Filled:
    """`text` is what was in the field when it was left."""

    locator: Locator
    text: str

    def lines(self) -> Iterator[str]:
        yield f"await {self.locator.code}.fill({quoted(self.text)})"


@dataclass(frozen=True, slots=True)
class SecretFilled:
    """A password, which was not heard: the test takes it from the environment."""

    locator: Locator

    def lines(self) -> Iterator[str]:
        yield f'await {self.locator.code}.fill(os.environ["MINI_APP_SECRET"])  # was not recorded'


@dataclass(frozen=True, slots=True)
class Chosen:
    """The options of a list, by their values."""

    locator: Locator
    values: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"await {self.locator.code}.select_option([{', '.join(map(quoted, self.values))}])"


@dataclass(frozen=True, slots=True)
class Entered:
    """The enter key in a field."""

    locator: Locator

    def lines(self) -> Iterator[str]:
        yield f'await {self.locator.code}.press("Enter")'


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of the phone; `text` is what stood on it."""

    button: PhoneButton
    text: str = ""

    def lines(self) -> Iterator[str]:
        text = f"text={quoted(self.text)}" if self.text else ""
        yield f"await expect(app).to_have_{self.button}({text})"
        yield f"await app.{self.button}.press()"


@dataclass(frozen=True, slots=True)
class Answered:
    """A popup; `button` is the id of the one that was pressed, None when it was dismissed."""

    message: str
    title: str
    button: str | None

    def lines(self) -> Iterator[str]:
        title = f", title={quoted(self.title)}" if self.title else ""
        yield f"await expect(app).to_have_popup({quoted(self.message)}{title})"
        yield (
            "await app.popup.dismiss()"
            if self.button is None
            else (f"await app.popup.press({quoted(self.button)})")
        )


@dataclass(frozen=True, slots=True)
class Scanned:
    """A code that was shown to the scanner."""

    text: str

    def lines(self) -> Iterator[str]:
        yield 'await expect(app).to_have_event("web_app_open_scan_qr_popup")'
        yield f"await app.qr.scan({quoted(self.text)})"


@dataclass(frozen=True, slots=True)
class Closed:
    """The end: by the person (`reason` is None), or by itself for a reason, perhaps with data sent."""

    reason: str | None
    data: str | None = None

    def lines(self) -> Iterator[str]:
        if self.reason is None:
            yield "await app.close()"
            return
        if self.data is not None:
            yield f"await expect(app).to_have_sent_data({quoted(self.data)})"
        yield f"await expect(app).to_be_closed({quoted(self.reason)})"


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """Something that a person did and the test does not do: it says so in its place."""

    what: str

    def lines(self) -> Iterator[str]:
        yield f"# Not recorded: {self.what}."


Step: TypeAlias = (
    Clicked | Filled | SecretFilled | Chosen | Entered | Pressed | Answered | Scanned | Closed | NotRecorded
)


def quoted(text: str) -> str:
    """The text as Python, in double quotes where it holds none."""
    return repr(text) if '"' in text else f'"{repr(chr(39) + text)[2:]}'
