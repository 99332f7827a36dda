"""What the phone knows, and a test may set: screen, colours, buttons, dialogs, sensors, storages.

Whatever is a field may be set at any time; it takes effect with the next event that asks for it. What the
page is told at once goes through the bridge (`Bridge.set_theme` and the like). No input or output here,
no Telegram.

Documentation: core.telegram.org/bots/webapps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from launcher.bridge.incoming import (
    AccelerometerChanged,
    DeviceOrientationChanged,
    GyroscopeChanged,
    Incoming,
)
from launcher.bridge.outgoing import (
    OpenPopup,
    OpenScanQrPopup,
    SetupMainButton,
    SetupSecondaryButton,
)

__all__ = [
    "Accelerometer",
    "Biometry",
    "Button",
    "Clipboard",
    "Colors",
    "Device",
    "DeviceStorage",
    "Gyroscope",
    "Haptic",
    "HomeScreen",
    "Location",
    "NotPossible",
    "OrientationSensor",
    "Scanner",
    "SecureStorage",
    "Sensor",
    "StorageError",
]

LOG = 1000
"""How many of the latest haptics, downloads, stories are remembered."""


class NotPossible(Exception):
    """A user could not do this now: the button is hidden, no popup is open. The text says which."""


class StorageError(Exception):
    """A storage refuses; the text is the platform's code."""


@dataclass(slots=True)
class Button:
    """A button below the app. The fields are called as on the wire; None is the theme's colour."""

    title: str
    text: str = ""
    is_visible: bool = False
    is_active: bool = True
    is_progress_visible: bool = False
    color: str | None = None
    text_color: str | None = None
    has_shine_effect: bool = False
    icon_custom_emoji_id: str | None = None
    position: str = "left"

    def setup(self, event: SetupMainButton | SetupSecondaryButton) -> None:
        """Take over what the page has given."""
        for name in event.model_fields_set & type(event).model_fields.keys():
            value = getattr(event, name)
            if value is not None:
                setattr(self, name, value)

    def check(self) -> None:
        """Raises `NotPossible` unless the user could press it now."""
        if not self.is_visible:
            raise NotPossible(f"the {self.title} is hidden")
        if not self.is_active:
            raise NotPossible(f"the {self.title} is inactive")
        if self.is_progress_visible:
            raise NotPossible(f"the {self.title} shows progress")


@dataclass(slots=True)
class Colors:
    """What the page has coloured: `#rrggbb` or a key of the theme; None is the client's own."""

    header: str | None = None
    background: str | None = None
    bottom_bar: str | None = None


@dataclass(frozen=True, slots=True)
class Haptic:
    """One trembling: impact, notification or selection_change, and the style of the first two."""

    type: str
    style: str | None


@dataclass(slots=True)
class Scanner:
    """The code scanner. `ready` are texts it scans as soon as it is opened; then it closes itself."""

    ready: list[str] = field(default_factory=list)
    opened: OpenScanQrPopup | None = None


@dataclass(slots=True)
class Clipboard:
    """What was copied last. `agrees`: the app may read it."""

    text: str = field(default="", repr=False)
    agrees: bool | None = None


@dataclass(slots=True)
class HomeScreen:
    """Whether the app has an icon. `agrees`: the user adds one."""

    status: Literal["unsupported", "unknown", "added", "missed"] = "missed"
    agrees: bool | None = None


@dataclass(slots=True)
class Biometry:
    """The reader of fingers or faces. `agrees`: the user lets the bot use it; `recognises`: it is them."""

    available: bool = True
    type: Literal["finger", "face", "unknown"] = "finger"
    device_id: str = "device"
    agrees: bool | None = None
    recognises: bool = True
    access_requested: bool = False
    access_granted: bool = False
    token: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Location:
    """Where the device is: degrees, metres, m/s; None is not known. `agrees`: the user tells the app."""

    available: bool = True
    agrees: bool | None = None
    access_requested: bool = False
    access_granted: bool = False
    latitude: float = 51.5
    longitude: float = 0.0
    altitude: float | None = None
    course: float | None = None
    speed: float | None = None
    horizontal_accuracy: float | None = None
    vertical_accuracy: float | None = None
    course_accuracy: float | None = None
    speed_accuracy: float | None = None


@dataclass(slots=True)
class Sensor(ABC):
    """Measures three numbers, `value`. `rate` is in milliseconds, None while it is off."""

    value: tuple[float, float, float] = (0.0, 0.0, 0.0)
    available: bool = True
    rate: int | None = None
    next: float = 0.0

    def start(self, rate: int | None, now: float) -> None:
        """Measure every `rate` milliseconds, every second unless given; the first time after that."""
        self.rate = rate or 1000
        self.next = now + self.rate / 1000

    @abstractmethod
    def measure(self) -> Incoming:
        """What it measures now."""

    def due(self, now: float) -> Incoming | None:
        """The measurement that is due; those that were missed are not made up for."""
        if self.rate is None or now < self.next:
            return None
        step = self.rate / 1000
        self.next = max(self.next + step, now + step / 2)
        return self.measure()


@dataclass(slots=True)
class Accelerometer(Sensor):
    """Acceleration along (x, y, z) in m/s²: at rest on a table that of the earth."""

    value: tuple[float, float, float] = (0.0, 0.0, 9.81)

    def measure(self) -> Incoming:
        x, y, z = map(float, self.value)
        return AccelerometerChanged(x=x, y=y, z=z)


@dataclass(slots=True)
class Gyroscope(Sensor):
    """Rotation around (x, y, z) in rad/s."""

    def measure(self) -> Incoming:
        x, y, z = map(float, self.value)
        return GyroscopeChanged(x=x, y=y, z=z)


@dataclass(slots=True)
class OrientationSensor(Sensor):
    """The attitude (alpha, beta, gamma) in radians.

    `compass`: it can measure relative to north; `absolute`: it does now.
    """

    compass: bool = True
    absolute: bool = False

    def measure(self) -> Incoming:
        alpha, beta, gamma = map(float, self.value)
        return DeviceOrientationChanged(absolute=self.absolute, alpha=alpha, beta=beta, gamma=gamma)


@dataclass(slots=True)
class DeviceStorage:
    """Values of one bot for one account on one device: 5 MiB of UTF-8 in keys and values.

    Telegram Desktop counts so; the documentation says 5 MB.
    """

    values: dict[str, str] = field(default_factory=dict, repr=False)
    quota: int = 5 * 2**20
    used: int = field(init=False)

    def __post_init__(self) -> None:
        self.used = sum(_size(key, value) for key, value in self.values.items())

    def save(self, key: str, value: str | None) -> None:
        """None deletes the key. Raises `StorageError` when there is no room."""
        old = self.values.get(key)
        used = self.used - (0 if old is None else _size(key, old))
        if value is None:
            self.values.pop(key, None)
        elif (used := used + _size(key, value)) > self.quota:
            raise StorageError("QUOTA_EXCEEDED")
        else:
            self.values[key] = value
        self.used = used

    def clear(self) -> None:
        self.values.clear()
        self.used = 0


@dataclass(slots=True)
class SecureStorage:
    """Secrets of one bot for one account on one device, 10 of them.

    `restorable` are those from before the client was reinstalled; `agrees`: the user lets them be restored.
    """

    values: dict[str, str] = field(default_factory=dict, repr=False)
    restorable: dict[str, str] = field(default_factory=dict, repr=False)
    agrees: bool | None = None
    items: int = 10

    def save(self, key: str, value: str | None) -> None:
        """None deletes the key. Raises `StorageError` when it would be one too many."""
        self.restorable.pop(key, None)
        if value is None:
            self.values.pop(key, None)
            return
        if key not in self.values and len(self.values) >= self.items:
            raise StorageError("QUOTA_EXCEEDED")
        self.values[key] = value

    def restore(self, key: str, agrees: bool) -> str:
        """Raises `StorageError` if there is nothing to restore or the user declines."""
        if key not in self.restorable:
            raise StorageError("RESTORE_UNAVAILABLE")
        if not agrees:
            raise StorageError("RESTORE_CANCELLED")
        value = self.restorable[key]
        self.save(key, value)
        return value

    def clear(self) -> None:
        self.values.clear()
        self.restorable.clear()

    def reinstall(self) -> None:
        """The client was removed and installed again: nothing is there, but can be restored."""
        self.restorable |= self.values
        self.values.clear()


def _size(key: str, value: str) -> int:
    return len(key.encode()) + len(value.encode())


@dataclass(slots=True)
class Device:
    """The phone during one launch; storages may be shared with other launches of the same account and bot.

    `theme` has the colours the client shows, by the keys of `ThemeParams`. Sizes are CSS pixels: `height`
    of the app when expanded, `folded_height` when it is a bottom sheet. Insets are (top, bottom, left,
    right); `controls` is the height of Telegram's floating buttons over a fullscreen app. `on_popup`
    presses the button of that id, or dismisses the popup if it is empty, as soon as one is opened; None
    leaves it open. Where something has `agrees`, it is what the user says when the app asks for it; as long
    as it is None they are asked (`effects.AskUser`).
    """

    theme: dict[str, str] = field(default_factory=dict)
    width: float = 412
    height: float = 915
    folded_height: float = 520
    is_expanded: bool = True
    is_fullscreen: bool = False
    can_fullscreen: bool = True
    is_visible: bool = True
    orientation_locked: bool = False
    safe_area: tuple[float, float, float, float] = (0, 0, 0, 0)
    controls: float = 46
    confirms_closing: bool = False
    swipes_vertically: bool = True
    is_ready: bool = False
    reload_supported: bool = False
    custom_style: str = ""
    keyboard_shown: bool = False
    colors: Colors = field(default_factory=Colors)
    main_button: Button = field(default_factory=lambda: Button("main button", "Continue"))
    secondary_button: Button = field(default_factory=lambda: Button("secondary button", "Cancel"))
    back_button: Button = field(default_factory=lambda: Button("back button"))
    settings_button: Button = field(default_factory=lambda: Button("settings button"))
    popup: OpenPopup | None = None
    on_popup: str | None = None
    scanner: Scanner = field(default_factory=Scanner)
    clipboard: Clipboard = field(default_factory=Clipboard)
    home_screen: HomeScreen = field(default_factory=HomeScreen)
    biometry: Biometry = field(default_factory=Biometry)
    location: Location = field(default_factory=Location)
    accelerometer: Accelerometer = field(default_factory=Accelerometer)
    gyroscope: Gyroscope = field(default_factory=Gyroscope)
    orientation: OrientationSensor = field(default_factory=OrientationSensor)
    storage: DeviceStorage = field(default_factory=DeviceStorage)
    secure_storage: SecureStorage = field(default_factory=SecureStorage)
    emoji_status: int | None = None
    emoji_status_access: bool = False
    haptics: deque[Haptic] = field(default_factory=lambda: deque(maxlen=LOG))
    downloads: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=LOG))
    stories: deque[str] = field(default_factory=lambda: deque(maxlen=LOG))
    links: deque[str] = field(default_factory=lambda: deque(maxlen=LOG))
    settings_opened: deque[str] = field(default_factory=lambda: deque(maxlen=LOG))

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        return self.accelerometer, self.gyroscope, self.orientation

    @property
    def content_safe_area(self) -> tuple[float, float, float, float]:
        """What Telegram's own controls cover: something only in fullscreen mode."""
        return (self.controls if self.is_fullscreen else 0, 0, 0, 0)

    def reloaded(self) -> None:
        """The page starts anew: its dialogs are gone and its sensors are off; the rest stays as it is."""
        self.popup = None
        self.scanner.opened = None
        self.is_ready = False
        for sensor in self.sensors:
            sensor.rate = None
