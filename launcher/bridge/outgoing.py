"""Every event a page sends to its client, one class each: name, since when, parameters, the reply owed.

What comes in here is read leniently, for pages use all kinds of libraries: numbers may be strings and the
other way round, unknown keys are kept, an optional parameter that is wrong counts as not given. A
required one that is wrong makes the whole event malformed.

An event that owes a reply names the events that settle it (`replies`) and the honest answer of a client
that lacks the feature (`otherwise`), which is also the answer to a malformed one. Parameters that the
reply repeats (`req_id`, `slug`) have the same name in both.

Sources: core.telegram.org/api/web-events and core.telegram.org/bots/webapps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from launcher.bridge import incoming
from launcher.bridge.incoming import Color, Incoming

__all__ = ["OUTGOING", "Outgoing", "Since", "Wrong"]

OUTGOING: dict[str, type[Outgoing]] = {}
"""Every outgoing event by name, those of web clients' frames included, in the order of this file."""


@dataclass(frozen=True, slots=True)
class Since:
    """A parameter that came later than its event."""

    version: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """The `error` of the reply when this parameter is wrong."""

    error: str


class Parameters(BaseModel):
    """How parameters are read."""

    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)


class Outgoing(Parameters):
    """An event from the page to the client. `since` is the Mini Apps version that introduced it."""

    name: ClassVar[str] = ""
    since: ClassVar[str | None] = None
    replies: ClassVar[tuple[type[Incoming], ...]] = ()
    otherwise: ClassVar[Incoming | None] = None

    def __init_subclass__(
        cls,
        *,
        name: str = "",
        since: str | None = None,
        replies: tuple[type[Incoming], ...] = (),
        otherwise: Incoming | None = None,
    ) -> None:
        cls.name, cls.since, cls.replies, cls.otherwise = name, since, replies, otherwise
        if name:
            OUTGOING[name] = cls


class Part(Parameters):
    """An object within a parameter; a null in it counts as not given."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if value is not None}


def _whole(value: Any) -> Any:
    """A number of JavaScript, which knows no integers."""
    return round(value) if isinstance(value, float) and abs(value) < 2**53 else value


def _clamped(value: Any) -> Any:
    """Telegram for Android takes the nearest rate it can do; the script leaves a wrong one out."""
    return min(max(value, 20), 1000) if isinstance(value, int | float) else value


Whole = Annotated[int, BeforeValidator(_whole)]
Digits = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
ReqId = Annotated[str, Field(max_length=4096)]
Reason = Annotated[str | None, Field(max_length=128)]
Rate = Annotated[
    Annotated[int, BeforeValidator(_whole), BeforeValidator(_clamped)] | None, Field(ge=20, le=1000)
]
StorageKey = Annotated[str, Strict(), Wrong("KEY_INVALID")]
StorageValue = Annotated[str | None, Strict(), Wrong("VALUE_INVALID")]
HttpsUrl = Annotated[str, Field(pattern=r"^https://\S+$", max_length=32768)]


class Switch(Outgoing):
    """Shows or hides something."""

    is_visible: bool


class Stored(Outgoing):
    """A request to a storage on the device."""

    req_id: ReqId


class Keyed(Stored):
    """A request for one key of a storage."""

    key: StorageKey


class WithReason(Outgoing):
    """`reason` is shown to the user."""

    reason: Reason = None


# Lifecycle


class Ready(Outgoing, name="web_app_ready", since="6.0"):
    """The app can be shown: hide the placeholder."""


class Close(Outgoing, name="web_app_close", since="6.0"):
    """Close the app; `return_back` brings back the one that opened it."""

    return_back: Annotated[bool, Since("7.6")] = False


class Expand(Outgoing, name="web_app_expand", since="6.0", replies=(incoming.ViewportChanged,)):
    """Give a bottom sheet its full height."""


class SetupClosingBehavior(Outgoing, name="web_app_setup_closing_behavior", since="6.0"):
    """Ask the user before they close the app."""

    need_confirmation: bool


class SetupSwipeBehavior(Outgoing, name="web_app_setup_swipe_behavior", since="7.7"):
    """Whether a swipe in the content closes the app; on the header it always does."""

    allow_vertical_swipe: bool


class RequestFullscreen(
    Outgoing,
    name="web_app_request_fullscreen",
    since="8.0",
    replies=(incoming.FullscreenChanged, incoming.FullscreenFailed),
    otherwise=incoming.FullscreenFailed(error="UNSUPPORTED"),
):
    """Enter fullscreen mode."""


class ExitFullscreen(
    Outgoing,
    name="web_app_exit_fullscreen",
    since="8.0",
    replies=(incoming.FullscreenChanged,),
    otherwise=incoming.FullscreenChanged(is_fullscreen=False),
):
    """Leave fullscreen mode; answered even when there is none to leave."""


class ToggleOrientationLock(Outgoing, name="web_app_toggle_orientation_lock", since="8.0"):
    """Keep the screen as it is turned now. Phones only."""

    locked: bool


class HideKeyboard(Outgoing, name="web_app_hide_keyboard", since="9.1"):
    """Hide the keyboard on the screen."""


# Appearance


class RequestTheme(Outgoing, name="web_app_request_theme", since="6.0", replies=(incoming.ThemeChanged,)):
    """What are the colours?"""


class RequestViewport(
    Outgoing, name="web_app_request_viewport", since="6.0", replies=(incoming.ViewportChanged,)
):
    """How much of the app can be seen?"""


class RequestSafeArea(
    Outgoing, name="web_app_request_safe_area", since="8.0", replies=(incoming.SafeAreaChanged,)
):
    """What does the device cover?"""


class RequestContentSafeArea(
    Outgoing,
    name="web_app_request_content_safe_area",
    since="8.0",
    replies=(incoming.ContentSafeAreaChanged,),
):
    """What do Telegram's controls cover?"""


class SetHeaderColor(Outgoing, name="web_app_set_header_color", since="6.1"):
    """Colour the header: by a key of the theme or, later, by a colour; exactly one of the two."""

    color_key: Literal["bg_color", "secondary_bg_color"] | None = None
    color: Annotated[Color | None, Since("6.9")] = None


class SetBackgroundColor(Outgoing, name="web_app_set_background_color", since="6.1"):
    """Colour the background."""

    color: Color | Literal["bg_color", "secondary_bg_color"]


class SetBottomBarColor(Outgoing, name="web_app_set_bottom_bar_color", since="7.10"):
    """Colour the bar below the app."""

    color: Color | Literal["bg_color", "secondary_bg_color", "bottom_bar_bg_color"]


# Buttons


class SetupMainButton(Outgoing, name="web_app_setup_main_button", since="6.0"):
    """The large button below the app. What is not given stays as it was."""

    is_visible: bool | None = None
    is_active: bool | None = None
    is_progress_visible: bool | None = None
    text: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    color: Color | None = None
    text_color: Color | None = None
    has_shine_effect: Annotated[bool | None, Since("7.10")] = None
    icon_custom_emoji_id: Annotated[Digits | None, Since("9.5")] = None


class SetupSecondaryButton(Outgoing, name="web_app_setup_secondary_button", since="7.10"):
    """A second large button, placed by the main one."""

    is_visible: bool | None = None
    is_active: bool | None = None
    is_progress_visible: bool | None = None
    text: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    color: Color | None = None
    text_color: Color | None = None
    has_shine_effect: bool | None = None
    icon_custom_emoji_id: Annotated[Digits | None, Since("9.5")] = None
    position: Literal["left", "right", "top", "bottom"] | None = None


class SetupBackButton(Switch, name="web_app_setup_back_button", since="6.1"):
    """While it is visible, going back goes to the page instead of closing the app."""


class SetupSettingsButton(Switch, name="web_app_setup_settings_button", since="6.10"):
    """An item in the app's menu."""


class TriggerHapticFeedback(Outgoing, name="web_app_trigger_haptic_feedback", since="6.1"):
    """Make the device tremble."""

    type: Literal["impact", "notification", "selection_change"]
    impact_style: Literal["light", "medium", "heavy", "rigid", "soft"] | None = None
    notification_type: Literal["error", "success", "warning"] | None = None


# To the bot and to chats


class DataSend(Outgoing, name="web_app_data_send", since="6.0"):
    """Send data to the bot, once, and close. Apps of a keyboard button only; at most 4096 bytes."""

    data: Annotated[str, Field(min_length=1, max_length=4096)]

    @model_validator(mode="after")
    def _in_bytes(self) -> DataSend:
        if len(self.data.encode()) > 4096:
            raise ValueError("data is longer than 4096 bytes")
        return self


class SwitchInlineQuery(Outgoing, name="web_app_switch_inline_query", since="6.7"):
    """Put an inline query to the bot into a chat, one chosen from these types if there are any, and close."""

    query: Annotated[str, Field(max_length=256)]
    chat_types: Annotated[list[Literal["users", "bots", "groups", "channels"]], Field(max_length=4)] = []


class SendPreparedMessage(
    Outgoing,
    name="web_app_send_prepared_message",
    since="8.0",
    replies=(incoming.PreparedMessageSent, incoming.PreparedMessageFailed),
    otherwise=incoming.PreparedMessageFailed(error="UNSUPPORTED"),
):
    """Send a message that the bot has prepared to a chat of the user's choice."""

    id: Annotated[str, Field(min_length=1, max_length=4096)]


class RequestChat(
    Outgoing,
    name="web_app_request_chat",
    since="9.6",
    replies=(incoming.RequestedChatSent, incoming.RequestedChatFailed),
    otherwise=incoming.RequestedChatFailed(req_id="", error="UNSUPPORTED"),
):
    """Let the user choose chats or users for the bot; the bot has prepared `req_id`."""

    req_id: Annotated[ReqId, Field(min_length=1)]


class WidgetLink(Part):
    """A link in a story; the documentation calls its caption `text`, script and clients `name`."""

    url: str
    name: Annotated[str | None, Field(max_length=48)] = None


class ShareToStory(Outgoing, name="web_app_share_to_story", since="7.8"):
    """Open the story editor. The text may have 200 characters, with Premium 2048."""

    media_url: HttpsUrl
    text: Annotated[str | None, Field(max_length=2048)] = None
    widget_link: WidgetLink | None = None


class VerifyAge(Outgoing, name="web_app_verify_age"):
    """What the configured age-verification bot has found."""

    passed: bool
    age: float | None = None
    gender: str | None = None
    genderProbability: float | None = None  # noqa: N815 - its name on the wire


# Links and payments


class OpenLink(Outgoing, name="web_app_open_link", since="6.0"):
    """Open a page outside, and leave the app open."""

    url: Annotated[str, Field(min_length=1, max_length=32768)]
    try_instant_view: Annotated[bool, Since("6.4")] = False
    try_browser: Annotated[str | None, Field(max_length=64), Since("7.6")] = None


class OpenTgLink(Outgoing, name="web_app_open_tg_link", since="6.1"):
    """Open what t.me shows under this path and query."""

    path_full: Annotated[str, Field(pattern=r"^/", max_length=32768)]
    force_request: bool = False


class OpenInvoice(
    Outgoing,
    name="web_app_open_invoice",
    since="6.1",
    replies=(incoming.InvoiceClosed,),
    otherwise=incoming.InvoiceClosed(slug="", status="cancelled"),
):
    """Pay an invoice."""

    slug: Annotated[str, Field(pattern=r"^[A-Za-z0-9_=-]+$", max_length=4096)]


# Popups, scanner, clipboard


class PopupButton(Part):
    """A button of a popup; a caption of its own needs only the types default and destructive."""

    id: Annotated[str, Field(max_length=64)] = ""
    type: Literal["default", "ok", "close", "cancel", "destructive"] = "default"
    text: Annotated[str, Field(max_length=64)] = ""

    @model_validator(mode="after")
    def _captioned(self) -> PopupButton:
        if self.type in ("default", "destructive") and not self.text:
            raise ValueError(f"a button of type {self.type} needs a text")
        return self


class OpenPopup(
    Outgoing,
    name="web_app_open_popup",
    since="6.2",
    replies=(incoming.PopupClosed,),
    otherwise=incoming.PopupClosed(),
):
    """Ask the user something."""

    message: Annotated[str, Field(min_length=1, max_length=256)]
    buttons: Annotated[list[PopupButton], Field(min_length=1, max_length=3)]
    title: Annotated[str, Field(max_length=64)] = ""


class OpenScanQrPopup(
    Outgoing,
    name="web_app_open_scan_qr_popup",
    since="6.4",
    replies=(incoming.ScanQrPopupClosed,),
    otherwise=incoming.ScanQrPopupClosed(),
):
    """Scan codes until the scanner is closed."""

    text: Annotated[str | None, Field(max_length=64)] = None


class CloseScanQrPopup(Outgoing, name="web_app_close_scan_qr_popup", since="6.4"):
    """Close the scanner; the script needs no answer, it knows."""


class ReadTextFromClipboard(
    Outgoing,
    name="web_app_read_text_from_clipboard",
    since="6.4",
    replies=(incoming.ClipboardTextReceived,),
    otherwise=incoming.ClipboardTextReceived(req_id=""),
):
    """Read the clipboard. Apps of the attachment and side menu only."""

    req_id: ReqId


# Permissions and the account


class RequestWriteAccess(
    Outgoing,
    name="web_app_request_write_access",
    since="6.9",
    replies=(incoming.WriteAccessRequested,),
    otherwise=incoming.WriteAccessRequested(status="cancelled"),
):
    """May the bot write to the user?"""


class RequestPhone(
    Outgoing,
    name="web_app_request_phone",
    since="6.9",
    replies=(incoming.PhoneRequested,),
    otherwise=incoming.PhoneRequested(status="cancelled"),
):
    """May the bot have the phone number?"""


class InvokeCustomMethod(
    Outgoing,
    name="web_app_invoke_custom_method",
    since="6.9",
    replies=(incoming.CustomMethodInvoked,),
    otherwise=incoming.CustomMethodInvoked(req_id="", error="UNSUPPORTED"),
):
    """Call a method that Telegram implements for apps, such as cloud storage."""

    req_id: ReqId
    method: Annotated[str, Field(min_length=1, max_length=4096), Wrong("METHOD_INVALID")]
    params: Annotated[dict[str, Any], Wrong("DATA_JSON_INVALID")]


class RequestEmojiStatusAccess(
    Outgoing,
    name="web_app_request_emoji_status_access",
    since="8.0",
    replies=(incoming.EmojiStatusAccessRequested,),
    otherwise=incoming.EmojiStatusAccessRequested(status="cancelled"),
):
    """May the bot set the emoji status later?"""


class SetEmojiStatus(
    Outgoing,
    name="web_app_set_emoji_status",
    since="8.0",
    replies=(incoming.EmojiStatusSet, incoming.EmojiStatusFailed),
    otherwise=incoming.EmojiStatusFailed(error="UNSUPPORTED"),
):
    """Set the user's emoji status, for `duration` seconds if given."""

    custom_emoji_id: Annotated[Digits, Wrong("SUGGESTED_EMOJI_INVALID")]
    duration: Annotated[Whole | None, Field(ge=0), Wrong("DURATION_INVALID")] = None


class RequestFileDownload(
    Outgoing,
    name="web_app_request_file_download",
    since="8.0",
    replies=(incoming.FileDownloadRequested,),
    otherwise=incoming.FileDownloadRequested(status="cancelled"),
):
    """Save a file. The documentation calls the parameter `filename`; script and clients use `file_name`."""

    url: HttpsUrl
    file_name: Annotated[str, Field(pattern=r"^[^/\\]+$", max_length=255)]


class AddToHomeScreen(
    Outgoing,
    name="web_app_add_to_home_screen",
    since="8.0",
    replies=(incoming.HomeScreenAdded, incoming.HomeScreenFailed),
    otherwise=incoming.HomeScreenFailed(error="UNSUPPORTED"),
):
    """Put an icon on the home screen."""


class CheckHomeScreen(
    Outgoing,
    name="web_app_check_home_screen",
    since="8.0",
    replies=(incoming.HomeScreenChecked,),
    otherwise=incoming.HomeScreenChecked(status="unsupported"),
):
    """Is there an icon on the home screen?"""


# Biometry


class BiometryGetInfo(
    Outgoing,
    name="web_app_biometry_get_info",
    since="7.2",
    replies=(incoming.BiometryInfoReceived,),
    otherwise=incoming.BiometryInfoReceived(available=False),
):
    """What can biometry do?"""


class BiometryRequestAccess(
    WithReason,
    name="web_app_biometry_request_access",
    since="7.2",
    replies=(incoming.BiometryInfoReceived,),
    otherwise=incoming.BiometryInfoReceived(available=False),
):
    """May the bot use biometry?"""


class BiometryRequestAuth(
    WithReason,
    name="web_app_biometry_request_auth",
    since="7.2",
    replies=(incoming.BiometryAuthRequested,),
    otherwise=incoming.BiometryAuthRequested(status="failed"),
):
    """Is it the user?"""


class BiometryUpdateToken(
    WithReason,
    name="web_app_biometry_update_token",
    since="7.2",
    replies=(incoming.BiometryTokenUpdated,),
    otherwise=incoming.BiometryTokenUpdated(status="failed"),
):
    """Keep a token for the user; an empty one deletes it."""

    token: Annotated[str, Field(max_length=1024, repr=False)]


class BiometryOpenSettings(Outgoing, name="web_app_biometry_open_settings", since="7.2"):
    """Show where biometry is allowed."""


# Location


class CheckLocation(
    Outgoing,
    name="web_app_check_location",
    since="8.0",
    replies=(incoming.LocationChecked,),
    otherwise=incoming.LocationChecked(available=False),
):
    """May the app know the location?"""


class RequestLocation(
    Outgoing,
    name="web_app_request_location",
    since="8.0",
    replies=(incoming.LocationRequested,),
    otherwise=incoming.LocationRequested(available=False),
):
    """Where is the device?"""


class OpenLocationSettings(Outgoing, name="web_app_open_location_settings", since="8.0"):
    """Show where the location is allowed."""


# Sensors


class StartSensor(Outgoing):
    """`refresh_rate` is the milliseconds between two measurements."""

    refresh_rate: Rate = None


class StartAccelerometer(
    StartSensor,
    name="web_app_start_accelerometer",
    since="8.0",
    replies=(incoming.AccelerometerStarted, incoming.AccelerometerFailed),
    otherwise=incoming.AccelerometerFailed(error="UNSUPPORTED"),
):
    """Measure the acceleration."""


class StopAccelerometer(
    Outgoing,
    name="web_app_stop_accelerometer",
    since="8.0",
    replies=(incoming.AccelerometerStopped,),
    otherwise=incoming.AccelerometerStopped(),
):
    """Stop measuring the acceleration."""


class StartGyroscope(
    StartSensor,
    name="web_app_start_gyroscope",
    since="8.0",
    replies=(incoming.GyroscopeStarted, incoming.GyroscopeFailed),
    otherwise=incoming.GyroscopeFailed(error="UNSUPPORTED"),
):
    """Measure the rotation."""


class StopGyroscope(
    Outgoing,
    name="web_app_stop_gyroscope",
    since="8.0",
    replies=(incoming.GyroscopeStopped,),
    otherwise=incoming.GyroscopeStopped(),
):
    """Stop measuring the rotation."""


class StartDeviceOrientation(
    StartSensor,
    name="web_app_start_device_orientation",
    since="8.0",
    replies=(incoming.DeviceOrientationStarted, incoming.DeviceOrientationFailed),
    otherwise=incoming.DeviceOrientationFailed(error="UNSUPPORTED"),
):
    """Measure the attitude, if possible relative to magnetic north."""

    need_absolute: bool = False


class StopDeviceOrientation(
    Outgoing,
    name="web_app_stop_device_orientation",
    since="8.0",
    replies=(incoming.DeviceOrientationStopped,),
    otherwise=incoming.DeviceOrientationStopped(),
):
    """Stop measuring the attitude."""


# Storage on the device


class DeviceStorageSaveKey(
    Keyed,
    name="web_app_device_storage_save_key",
    since="9.0",
    replies=(incoming.DeviceStorageKeySaved, incoming.DeviceStorageFailed),
    otherwise=incoming.DeviceStorageFailed(req_id="", error="UNSUPPORTED"),
):
    """Store a value on the device; null deletes the key."""

    value: StorageValue


class DeviceStorageGetKey(
    Keyed,
    name="web_app_device_storage_get_key",
    since="9.0",
    replies=(incoming.DeviceStorageKeyReceived, incoming.DeviceStorageFailed),
    otherwise=incoming.DeviceStorageFailed(req_id="", error="UNSUPPORTED"),
):
    """Read a value."""


class DeviceStorageClear(
    Stored,
    name="web_app_device_storage_clear",
    since="9.0",
    replies=(incoming.DeviceStorageCleared, incoming.DeviceStorageFailed),
    otherwise=incoming.DeviceStorageFailed(req_id="", error="UNSUPPORTED"),
):
    """Delete every value."""


class SecureStorageSaveKey(
    Keyed,
    name="web_app_secure_storage_save_key",
    since="9.0",
    replies=(incoming.SecureStorageKeySaved, incoming.SecureStorageFailed),
    otherwise=incoming.SecureStorageFailed(req_id="", error="UNSUPPORTED"),
):
    """Store a value in the device's key store; null deletes the key."""

    value: StorageValue


class SecureStorageGetKey(
    Keyed,
    name="web_app_secure_storage_get_key",
    since="9.0",
    replies=(incoming.SecureStorageKeyReceived, incoming.SecureStorageFailed),
    otherwise=incoming.SecureStorageFailed(req_id="", error="UNSUPPORTED"),
):
    """Read a value."""


class SecureStorageRestoreKey(
    Keyed,
    name="web_app_secure_storage_restore_key",
    since="9.0",
    replies=(incoming.SecureStorageKeyRestored, incoming.SecureStorageFailed),
    otherwise=incoming.SecureStorageFailed(req_id="", error="UNSUPPORTED"),
):
    """Bring back a value from before the client was reinstalled; the user is asked."""


class SecureStorageClear(
    Stored,
    name="web_app_secure_storage_clear",
    since="9.0",
    replies=(incoming.SecureStorageCleared, incoming.SecureStorageFailed),
    otherwise=incoming.SecureStorageFailed(req_id="", error="UNSUPPORTED"),
):
    """Delete every value."""


# The frame of web clients


class IframeReady(Outgoing, name="iframe_ready", since="6.0"):
    """The frame is alive; it takes a stylesheet, and perhaps a request to reload."""

    reload_supported: bool = False


class IframeWillReload(Outgoing, name="iframe_will_reload", since="6.0"):
    """The frame reloads itself, as asked."""
