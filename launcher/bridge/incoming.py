"""Every event a client sends into the page, one class each: its name, since when, and its payload.

What leaves here is strict. Several handlers of the official script read a property of the payload without
looking whether there is one, so an event without parameters carries an empty object, a value of the wrong
type cannot be sent at all, and an optional one that was not given is left out (a required `None` is sent
as null).

Sources: core.telegram.org/api/web-events and core.telegram.org/bots/webapps.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["INCOMING", "Incoming"]

INCOMING: dict[str, type[Incoming]] = {}
"""Every incoming event by name, those of web clients' frames included, in the order of this file."""


class Incoming(BaseModel):
    """An event from the client to the page. `since` is the Mini Apps version that introduced it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    name: ClassVar[str] = ""
    since: ClassVar[str | None] = None

    def __init_subclass__(cls, *, name: str = "", since: str | None = None) -> None:
        cls.name, cls.since = name, since
        if name:
            INCOMING[name] = cls

    @property
    def payload(self) -> Any:
        """What the page gets as `eventData`: a JSON object, empty if the event has no parameters."""
        return self.model_dump(exclude_unset=True)


Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Identified(Incoming):
    """Answers one request; `req_id` is the request's own, unchanged."""

    req_id: str


class Insets(Incoming):
    """Distances from the edges of the screen, in CSS pixels."""

    top: float
    bottom: float
    left: float
    right: float


class Axes(Incoming):
    """What a sensor measures along the three axes of the device."""

    x: float
    y: float
    z: float


# Buttons


class MainButtonPressed(Incoming, name="main_button_pressed", since="6.0"):
    """The visible and active main button was pressed."""


class SecondaryButtonPressed(Incoming, name="secondary_button_pressed", since="7.10"):
    """The visible and active secondary button was pressed."""


class BackButtonPressed(Incoming, name="back_button_pressed", since="6.1"):
    """The user went back while the back button was visible."""


class SettingsButtonPressed(Incoming, name="settings_button_pressed", since="6.10"):
    """The settings item of the app's menu was pressed."""


# Appearance


class ViewportChanged(Incoming, name="viewport_changed", since="6.0"):
    """The visible part of the app, in CSS pixels; `is_state_stable` is true once it is settled.

    The documentation states the reverse of `is_state_stable`; the official script and every client go by
    this.
    """

    height: Annotated[float, Field(gt=0)]
    width: float = 0
    is_expanded: bool
    is_state_stable: bool


class ThemeChanged(Incoming, name="theme_changed", since="6.0"):
    """The whole theme as it is now."""

    theme_params: dict[str, Color]


class SafeAreaChanged(Insets, name="safe_area_changed", since="8.0"):
    """What the device itself covers: notch, navigation bar."""


class ContentSafeAreaChanged(Insets, name="content_safe_area_changed", since="8.0"):
    """What Telegram's own controls cover."""


class VisibilityChanged(Incoming, name="visibility_changed", since="8.0"):
    """The app was minimised, or is back."""

    is_visible: bool


class FullscreenChanged(Incoming, name="fullscreen_changed", since="8.0"):
    """Fullscreen mode was entered or left."""

    is_fullscreen: bool


class FullscreenFailed(Incoming, name="fullscreen_failed", since="8.0"):
    """Fullscreen mode was not entered."""

    error: Literal["UNSUPPORTED", "ALREADY_FULLSCREEN"]


# Payments, dialogs, clipboard


class InvoiceClosed(Incoming, name="invoice_closed", since="6.1"):
    """How a payment ended: pending is undecided yet, cancelled was not tried."""

    slug: str
    status: Literal["paid", "failed", "pending", "cancelled"]


class PopupClosed(Incoming, name="popup_closed", since="6.2"):
    """The popup is gone; without `button_id` it was dismissed."""

    button_id: str = ""


class QrTextReceived(Incoming, name="qr_text_received", since="6.4"):
    """A code was scanned."""

    data: str


class ScanQrPopupClosed(Incoming, name="scan_qr_popup_closed", since="6.4"):
    """The scanner was closed by the user, or may not be used."""


class ClipboardTextReceived(Identified, name="clipboard_text_received", since="6.4"):
    """The text of the clipboard; without `data` it may not be read."""

    data: str | None = None


# Permissions and the account


class WriteAccessRequested(Incoming, name="write_access_requested", since="6.9"):
    """May the bot write to the user?"""

    status: Literal["allowed", "cancelled"]


class PhoneRequested(Incoming, name="phone_requested", since="6.9"):
    """Was the phone number sent to the bot?"""

    status: Literal["sent", "cancelled"]


class CustomMethodInvoked(Identified, name="custom_method_invoked", since="6.9"):
    """The server's answer to a custom method: exactly one of `result` and `error`."""

    result: Any = None
    error: str = ""


class EmojiStatusSet(Incoming, name="emoji_status_set", since="8.0"):
    """The emoji status is set."""


class EmojiStatusFailed(Incoming, name="emoji_status_failed", since="8.0"):
    """The emoji status is not set."""

    error: Literal[
        "UNSUPPORTED",
        "SUGGESTED_EMOJI_INVALID",
        "DURATION_INVALID",
        "USER_DECLINED",
        "SERVER_ERROR",
        "UNKNOWN_ERROR",
    ]


class EmojiStatusAccessRequested(Incoming, name="emoji_status_access_requested", since="8.0"):
    """May the bot set the emoji status later?"""

    status: Literal["allowed", "cancelled"]


class FileDownloadRequested(Incoming, name="file_download_requested", since="8.0"):
    """Is the file being saved?"""

    status: Literal["downloading", "cancelled"]


class PreparedMessageSent(Incoming, name="prepared_message_sent", since="8.0"):
    """The prepared message went to a chat."""


class PreparedMessageFailed(Incoming, name="prepared_message_failed", since="8.0"):
    """The prepared message was not sent: UNSUPPORTED, MESSAGE_EXPIRED, MESSAGE_SEND_FAILED, USER_DECLINED,
    UNKNOWN_ERROR or the server's error."""

    error: str


class RequestedChatSent(Identified, name="requested_chat_sent", since="9.6"):
    """The chosen chats or users went to the bot."""


class RequestedChatFailed(Identified, name="requested_chat_failed", since="9.6"):
    """No chats or users went to the bot."""

    error: str = ""


# Home screen


class HomeScreenAdded(Incoming, name="home_screen_added", since="8.0"):
    """The app has an icon on the home screen."""


class HomeScreenFailed(Incoming, name="home_screen_failed", since="8.0"):
    """The app cannot have an icon on the home screen."""

    error: Literal["UNSUPPORTED"]


class HomeScreenChecked(Incoming, name="home_screen_checked", since="8.0"):
    """Has the app an icon on the home screen?"""

    status: Literal["unsupported", "unknown", "added", "missed"]


# Biometry


class BiometryInfoReceived(Incoming, name="biometry_info_received", since="7.2"):
    """What biometry can do; only `available` is given where there is none."""

    available: bool
    access_requested: bool = False
    access_granted: bool = False
    token_saved: bool = False
    device_id: str = ""
    type: Literal["finger", "face", "unknown"] = "unknown"


class BiometryAuthRequested(Incoming, name="biometry_auth_requested", since="7.2"):
    """Is it the user? If so, `token` is what was saved, or empty."""

    status: Literal["authorized", "failed"]
    token: Annotated[str, Field(repr=False)] = ""


class BiometryTokenUpdated(Incoming, name="biometry_token_updated", since="7.2"):
    """What became of the token."""

    status: Literal["updated", "removed", "failed"]


# Location


class LocationChecked(Incoming, name="location_checked", since="8.0"):
    """May the app know the location?"""

    available: bool
    access_requested: bool = False
    access_granted: bool = False


class LocationRequested(Incoming, name="location_requested", since="8.0"):
    """The location: degrees, metres, metres per second; only `available` where it is not to be had."""

    available: bool
    latitude: float = 0
    longitude: float = 0
    altitude: float | None = None
    course: float | None = None
    speed: float | None = None
    horizontal_accuracy: float | None = None
    vertical_accuracy: float | None = None
    course_accuracy: float | None = None
    speed_accuracy: float | None = None


# Sensors


class AccelerometerStarted(Incoming, name="accelerometer_started", since="8.0"):
    """Measurements follow."""


class AccelerometerStopped(Incoming, name="accelerometer_stopped", since="8.0"):
    """No more measurements follow."""


class AccelerometerChanged(Axes, name="accelerometer_changed", since="8.0"):
    """Acceleration in m/s²."""


class AccelerometerFailed(Incoming, name="accelerometer_failed", since="8.0"):
    """There is no accelerometer."""

    error: Literal["UNSUPPORTED"]


class GyroscopeStarted(Incoming, name="gyroscope_started", since="8.0"):
    """Measurements follow."""


class GyroscopeStopped(Incoming, name="gyroscope_stopped", since="8.0"):
    """No more measurements follow."""


class GyroscopeChanged(Axes, name="gyroscope_changed", since="8.0"):
    """Rotation in rad/s."""


class GyroscopeFailed(Incoming, name="gyroscope_failed", since="8.0"):
    """There is no gyroscope."""

    error: Literal["UNSUPPORTED"]


class DeviceOrientationStarted(Incoming, name="device_orientation_started", since="8.0"):
    """Measurements follow."""


class DeviceOrientationStopped(Incoming, name="device_orientation_stopped", since="8.0"):
    """No more measurements follow."""


class DeviceOrientationChanged(Incoming, name="device_orientation_changed", since="8.0"):
    """The attitude of the device, in radians; `absolute` is relative to magnetic north."""

    absolute: bool
    alpha: float
    beta: float
    gamma: float


class DeviceOrientationFailed(Incoming, name="device_orientation_failed", since="8.0"):
    """The attitude of the device is not to be had."""

    error: Literal["UNSUPPORTED"]


# Storage on the device


class DeviceStorageKeySaved(Identified, name="device_storage_key_saved", since="9.0"):
    """The value is stored, or the key is gone."""


class DeviceStorageKeyReceived(Identified, name="device_storage_key_received", since="9.0"):
    """The stored value, or null."""

    value: str | None


class DeviceStorageCleared(Identified, name="device_storage_cleared", since="9.0"):
    """Nothing is stored any more."""


class DeviceStorageFailed(Identified, name="device_storage_failed", since="9.0"):
    """UNSUPPORTED, KEY_INVALID, VALUE_INVALID, QUOTA_EXCEEDED, UNKNOWN_ERROR, perhaps others."""

    error: str


class SecureStorageKeySaved(Identified, name="secure_storage_key_saved", since="9.0"):
    """The value is stored, or the key is gone."""


class SecureStorageKeyReceived(Identified, name="secure_storage_key_received", since="9.0"):
    """The stored value, or null and whether it can be restored."""

    value: str | None
    can_restore: bool = False


class SecureStorageKeyRestored(Identified, name="secure_storage_key_restored", since="9.0"):
    """The value from before the client was reinstalled."""

    value: str | None


class SecureStorageCleared(Identified, name="secure_storage_cleared", since="9.0"):
    """Nothing is stored any more."""


class SecureStorageFailed(Identified, name="secure_storage_failed", since="9.0"):
    """As `device_storage_failed`, and RESTORE_CANCELLED, RESTORE_UNAVAILABLE."""

    error: str


# The frame of web clients


class ReloadIframe(Incoming, name="reload_iframe", since="6.0"):
    """The page shall reload itself, and say `iframe_will_reload` before."""


class SetCustomStyle(Incoming, name="set_custom_style", since="6.0"):
    """CSS for the page; the payload is the text itself."""

    css: str

    @property
    def payload(self) -> Any:
        return self.css
