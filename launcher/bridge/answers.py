"""What a client does with each event: it changes the phone, answers the page, asks for effects.

One function per event. It gets the event and the `Turn` it comes in, and yields answers and effects in the
order in which they happen. One that yields no answer leaves the page waiting: for the effect it asked for, or
for the user, who has a popup or the scanner before them.

Documentation: core.telegram.org/api/web-events; clients as named in `platforms.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from launcher.bridge import effects, incoming, outgoing
from launcher.bridge.device import Biometry, Device, Haptic, Location, Sensor, StorageError
from launcher.bridge.effects import Effect
from launcher.bridge.incoming import Incoming
from launcher.bridge.platforms import Platform
from launcher.bridge.versions import at_least
from launcher.bridge.wire import compact

__all__ = [
    "ANSWERS",
    "Rights",
    "Turn",
    "biometry_info",
    "content_safe_area",
    "location_checked",
    "safe_area",
    "viewport",
]

Result = Incoming | Effect


@dataclass(frozen=True, slots=True)
class Rights:
    """What this launch of this bot may do.

    `data`: it was opened by a keyboard button and may send data. `inline`: its bot has an inline mode.
    `clipboard`: it is an app of the attachment or side menu. `protocols` of links are the app configuration's
    `web_app_allowed_protocols`.
    """

    data: bool = True
    inline: bool = True
    clipboard: bool = True
    protocols: frozenset[str] = frozenset({"http", "https"})


@dataclass(slots=True)
class Turn:
    """The circumstances in which an event comes. `object_to` notes why something is ignored."""

    device: Device
    platform: Platform
    rights: Rights
    version: str
    faithful: bool
    now: float
    object_to: Callable[[str], None]
    said: bool | None = None

    def agreed(self, setting: bool | None) -> bool | None:
        """Whether the user agrees: as the phone is set, else as they `said`; None: they are to be asked."""
        return self.said if setting is None else setting


MAX_PARAMS = 256 * 2**10
"""Characters of a custom method's parameters: twice those of all 1024 keys of a cloud storage."""

Answer = Callable[[Any, Turn], Iterable[Result] | None]
ANSWERS: dict[str, Answer] = {}
"""The function for each outgoing event, by name."""

_Function = TypeVar("_Function", bound=Answer)


def answers(*events: type[outgoing.Outgoing]) -> Callable[[_Function], _Function]:
    def register(function: _Function) -> _Function:
        ANSWERS.update(dict.fromkeys((event.name for event in events), function))
        return function

    return register


def viewport(device: Device, platform: Platform, is_stable: bool = True) -> Incoming:
    """The app's size, with the keys that this client sends."""
    expanded = platform.windowed or device.is_expanded or device.is_fullscreen
    given = {"height": device.height if expanded else device.folded_height, "width": device.width}
    return incoming.ViewportChanged(
        **{key: float(value) for key, value in given.items() if key in {"height", *platform.viewport}},
        is_expanded=expanded,
        is_state_stable=is_stable,
    )


def safe_area(device: Device) -> Incoming:
    return incoming.SafeAreaChanged(**_insets(device.safe_area))


def content_safe_area(device: Device) -> Incoming:
    return incoming.ContentSafeAreaChanged(**_insets(device.content_safe_area))


def _insets(area: tuple[float, float, float, float]) -> dict[str, float]:
    return dict(zip(("top", "bottom", "left", "right"), map(float, area), strict=True))


# Lifecycle


@answers(outgoing.Ready)
def ready(event: outgoing.Ready, turn: Turn) -> None:
    turn.device.is_ready = True


@answers(outgoing.Close)
def close(event: outgoing.Close, turn: Turn) -> Iterator[Result]:
    yield effects.Close(return_back=event.return_back)


@answers(outgoing.Expand)
def expand(event: outgoing.Expand, turn: Turn) -> Iterator[Result]:
    turn.device.is_expanded = True
    yield viewport(turn.device, turn.platform)


@answers(outgoing.SetupClosingBehavior)
def setup_closing_behavior(event: outgoing.SetupClosingBehavior, turn: Turn) -> None:
    turn.device.confirms_closing = event.need_confirmation


@answers(outgoing.SetupSwipeBehavior)
def setup_swipe_behavior(event: outgoing.SetupSwipeBehavior, turn: Turn) -> None:
    turn.device.swipes_vertically = event.allow_vertical_swipe


@answers(outgoing.RequestFullscreen)
def request_fullscreen(event: outgoing.RequestFullscreen, turn: Turn) -> Iterator[Result]:
    device = turn.device
    if not device.can_fullscreen:
        yield incoming.FullscreenFailed(error="UNSUPPORTED")
    elif not device.is_fullscreen:
        device.is_fullscreen = True
        yield incoming.FullscreenChanged(is_fullscreen=True)
        yield from _after_fullscreen(turn)
    elif turn.platform.fullscreen_again == "changed":
        yield incoming.FullscreenChanged(is_fullscreen=True)
    else:
        yield incoming.FullscreenFailed(error="ALREADY_FULLSCREEN")


@answers(outgoing.ExitFullscreen)
def exit_fullscreen(event: outgoing.ExitFullscreen, turn: Turn) -> Iterator[Result]:
    was, turn.device.is_fullscreen = turn.device.is_fullscreen, False
    yield incoming.FullscreenChanged(is_fullscreen=False)
    if was:
        yield from _after_fullscreen(turn)


def _after_fullscreen(turn: Turn) -> Iterator[Result]:
    yield content_safe_area(turn.device)
    yield viewport(turn.device, turn.platform)


@answers(outgoing.ToggleOrientationLock)
def toggle_orientation_lock(event: outgoing.ToggleOrientationLock, turn: Turn) -> None:
    turn.device.orientation_locked = event.locked


@answers(outgoing.HideKeyboard)
def hide_keyboard(event: outgoing.HideKeyboard, turn: Turn) -> None:
    turn.device.keyboard_shown = False


@answers(outgoing.IframeReady)
def iframe_ready(event: outgoing.IframeReady, turn: Turn) -> Iterator[Result]:
    turn.device.reload_supported = event.reload_supported
    if turn.device.custom_style:
        yield incoming.SetCustomStyle(css=turn.device.custom_style)


@answers(outgoing.IframeWillReload)
def iframe_will_reload(event: outgoing.IframeWillReload, turn: Turn) -> None:
    """The bridge forgets what the page has asked."""


# Appearance


@answers(outgoing.RequestTheme)
def request_theme(event: outgoing.RequestTheme, turn: Turn) -> Iterator[Result]:
    yield incoming.ThemeChanged(theme_params=dict(turn.device.theme))


@answers(outgoing.RequestViewport)
def request_viewport(event: outgoing.RequestViewport, turn: Turn) -> Iterator[Result]:
    yield viewport(turn.device, turn.platform)


@answers(outgoing.RequestSafeArea)
def request_safe_area(event: outgoing.RequestSafeArea, turn: Turn) -> Iterator[Result]:
    yield safe_area(turn.device)


@answers(outgoing.RequestContentSafeArea)
def request_content_safe_area(event: outgoing.RequestContentSafeArea, turn: Turn) -> Iterator[Result]:
    yield content_safe_area(turn.device)


@answers(outgoing.SetHeaderColor)
def set_header_color(event: outgoing.SetHeaderColor, turn: Turn) -> None:
    turn.device.colors.header = event.color or event.color_key


@answers(outgoing.SetBackgroundColor)
def set_background_color(event: outgoing.SetBackgroundColor, turn: Turn) -> None:
    turn.device.colors.background = event.color


@answers(outgoing.SetBottomBarColor)
def set_bottom_bar_color(event: outgoing.SetBottomBarColor, turn: Turn) -> None:
    turn.device.colors.bottom_bar = event.color


# Buttons


@answers(outgoing.SetupMainButton)
def setup_main_button(event: outgoing.SetupMainButton, turn: Turn) -> None:
    turn.device.main_button.setup(event)


@answers(outgoing.SetupSecondaryButton)
def setup_secondary_button(event: outgoing.SetupSecondaryButton, turn: Turn) -> None:
    turn.device.secondary_button.setup(event)


@answers(outgoing.SetupBackButton)
def setup_back_button(event: outgoing.SetupBackButton, turn: Turn) -> None:
    turn.device.back_button.is_visible = event.is_visible


@answers(outgoing.SetupSettingsButton)
def setup_settings_button(event: outgoing.SetupSettingsButton, turn: Turn) -> None:
    turn.device.settings_button.is_visible = event.is_visible


@answers(outgoing.TriggerHapticFeedback)
def trigger_haptic_feedback(event: outgoing.TriggerHapticFeedback, turn: Turn) -> None:
    style = {"impact": event.impact_style, "notification": event.notification_type}.get(event.type)
    turn.device.haptics.append(Haptic(event.type, style))


# To the bot and to chats


@answers(outgoing.DataSend)
def data_send(event: outgoing.DataSend, turn: Turn) -> Iterator[Result]:
    if turn.rights.data:
        yield effects.SendData(data=event.data)
    else:
        turn.object_to("only an app of a keyboard button sends data")


@answers(outgoing.SwitchInlineQuery)
def switch_inline_query(event: outgoing.SwitchInlineQuery, turn: Turn) -> Iterator[Result]:
    if turn.rights.inline:
        yield effects.SwitchInline(query=event.query, chat_types=tuple(event.chat_types))
    else:
        turn.object_to("the bot has no inline mode")


@answers(outgoing.SendPreparedMessage)
def send_prepared_message(event: outgoing.SendPreparedMessage, turn: Turn) -> Iterator[Result]:
    yield effects.SendPreparedMessage(message_id=event.id)


@answers(outgoing.RequestChat)
def request_chat(event: outgoing.RequestChat, turn: Turn) -> Iterator[Result]:
    yield effects.RequestChat(req_id=event.req_id)


@answers(outgoing.ShareToStory)
def share_to_story(event: outgoing.ShareToStory, turn: Turn) -> Iterator[Result]:
    turn.device.stories.append(event.media_url)
    link = event.widget_link
    yield effects.ShareToStory(
        media_url=event.media_url, text=event.text, widget_link=(link.url, link.name) if link else None
    )


@answers(outgoing.VerifyAge)
def verify_age(event: outgoing.VerifyAge, turn: Turn) -> Iterator[Result]:
    yield effects.VerifyAge(passed=event.passed, age=event.age)


# Links and payments


@answers(outgoing.OpenLink)
def open_link(event: outgoing.OpenLink, turn: Turn) -> Iterator[Result]:
    if _protocol(event.url) in turn.rights.protocols:
        turn.device.links.append(event.url)
        yield effects.OpenLink(
            url=event.url, try_instant_view=event.try_instant_view, try_browser=event.try_browser
        )
        return
    turn.object_to("the protocol of the link is not allowed")
    if turn.faithful and event.name in turn.platform.closes:
        yield effects.Close()


def _protocol(url: str) -> str:
    try:
        return urlsplit(url.strip()).scheme.lower()
    except ValueError:
        return ""


@answers(outgoing.OpenTgLink)
def open_tg_link(event: outgoing.OpenTgLink, turn: Turn) -> Iterator[Result]:
    old = turn.faithful and not at_least(turn.version, "7.0")  # since then the app stays open
    then: Literal["stay", "minimise", "close"] = "close" if old else turn.platform.tg_link
    yield effects.OpenTgLink(path_full=event.path_full, force_request=event.force_request, then=then)


@answers(outgoing.OpenInvoice)
def open_invoice(event: outgoing.OpenInvoice, turn: Turn) -> Iterator[Result]:
    yield effects.OpenInvoice(slug=event.slug)


# Popups, scanner, clipboard


@answers(outgoing.OpenPopup)
def open_popup(event: outgoing.OpenPopup, turn: Turn) -> Iterator[Result]:
    pressed = turn.device.on_popup
    if pressed is None:
        turn.device.popup = event
    elif any(button.id == pressed for button in event.buttons) and pressed:
        yield incoming.PopupClosed(button_id=pressed)
    else:
        yield incoming.PopupClosed()


@answers(outgoing.OpenScanQrPopup)
def open_scan_qr_popup(event: outgoing.OpenScanQrPopup, turn: Turn) -> Iterator[Result]:
    scanner = turn.device.scanner
    if not scanner.ready:
        scanner.opened = event
        return
    for text in scanner.ready:
        yield incoming.QrTextReceived(data=text)
    yield incoming.ScanQrPopupClosed()


@answers(outgoing.CloseScanQrPopup)
def close_scan_qr_popup(event: outgoing.CloseScanQrPopup, turn: Turn) -> None:
    turn.device.scanner.opened = None


@answers(outgoing.ReadTextFromClipboard)
def read_text_from_clipboard(event: outgoing.ReadTextFromClipboard, turn: Turn) -> Iterator[Result]:
    clipboard = turn.device.clipboard
    agrees = turn.agreed(clipboard.agrees)
    if not turn.rights.clipboard:
        turn.object_to("only an app of the attachment or side menu reads the clipboard")
    elif agrees is None:
        yield effects.AskUser(question="clipboard", event=event)
    elif agrees:
        yield incoming.ClipboardTextReceived(req_id=event.req_id, data=clipboard.text)


# Permissions and the account


@answers(outgoing.RequestWriteAccess)
def request_write_access(event: outgoing.RequestWriteAccess, turn: Turn) -> Iterator[Result]:
    yield effects.RequestWriteAccess()


@answers(outgoing.RequestPhone)
def request_phone(event: outgoing.RequestPhone, turn: Turn) -> Iterator[Result]:
    yield effects.RequestPhone()


@answers(outgoing.InvokeCustomMethod)
def invoke_custom_method(event: outgoing.InvokeCustomMethod, turn: Turn) -> Iterator[Result]:
    params = compact(event.params)
    if len(params) > MAX_PARAMS:
        yield incoming.CustomMethodInvoked(req_id=event.req_id, error="DATA_JSON_INVALID")
    else:
        yield effects.InvokeCustomMethod(req_id=event.req_id, method=event.method, params=params or "{}")


@answers(outgoing.RequestEmojiStatusAccess)
def request_emoji_status_access(event: outgoing.RequestEmojiStatusAccess, turn: Turn) -> Iterator[Result]:
    if turn.device.emoji_status_access:
        yield incoming.EmojiStatusAccessRequested(status="allowed")
    else:
        yield effects.RequestEmojiStatusAccess()


@answers(outgoing.SetEmojiStatus)
def set_emoji_status(event: outgoing.SetEmojiStatus, turn: Turn) -> Iterator[Result]:
    yield effects.SetEmojiStatus(custom_emoji_id=int(event.custom_emoji_id), duration=event.duration or None)


@answers(outgoing.RequestFileDownload)
def request_file_download(event: outgoing.RequestFileDownload, turn: Turn) -> Iterator[Result]:
    yield effects.RequestFileDownload(url=event.url, file_name=event.file_name)


@answers(outgoing.AddToHomeScreen)
def add_to_home_screen(event: outgoing.AddToHomeScreen, turn: Turn) -> Iterator[Result]:
    home = turn.device.home_screen
    agrees = turn.agreed(home.agrees)
    if home.status == "unsupported":
        turn.object_to("this home screen takes no icons")
    elif agrees is None:
        yield effects.AskUser(question="home_screen", event=event)
    elif agrees:
        home.status = "added"
        yield incoming.HomeScreenAdded()


@answers(outgoing.CheckHomeScreen)
def check_home_screen(event: outgoing.CheckHomeScreen, turn: Turn) -> Iterator[Result]:
    yield incoming.HomeScreenChecked(status=turn.device.home_screen.status)


# Biometry


@answers(outgoing.BiometryGetInfo)
def biometry_get_info(event: outgoing.BiometryGetInfo, turn: Turn) -> Iterator[Result]:
    yield biometry_info(turn.device.biometry)


def biometry_info(biometry: Biometry) -> Incoming:
    """What an app is told of the reader of fingers or faces."""
    if not biometry.available:
        return incoming.BiometryInfoReceived(available=False)
    return incoming.BiometryInfoReceived(
        available=True,
        access_requested=biometry.access_requested,
        access_granted=biometry.access_granted,
        token_saved=biometry.token is not None,
        device_id=biometry.device_id,
        type=biometry.type,
    )


@answers(outgoing.BiometryRequestAccess)
def biometry_request_access(event: outgoing.BiometryRequestAccess, turn: Turn) -> Iterator[Result]:
    biometry = turn.device.biometry
    if biometry.available and not biometry.access_granted:
        agrees = turn.agreed(biometry.agrees)
        if agrees is None:
            yield effects.AskUser(question="biometry", event=event)
            return
        biometry.access_requested = True
        biometry.access_granted = agrees
    yield biometry_info(biometry)


@answers(outgoing.BiometryRequestAuth)
def biometry_request_auth(event: outgoing.BiometryRequestAuth, turn: Turn) -> Iterator[Result]:
    biometry = turn.device.biometry
    if biometry.available and biometry.access_granted and biometry.recognises:
        yield incoming.BiometryAuthRequested(status="authorized", token=biometry.token or "")


@answers(outgoing.BiometryUpdateToken)
def biometry_update_token(event: outgoing.BiometryUpdateToken, turn: Turn) -> Iterator[Result]:
    biometry = turn.device.biometry
    if biometry.available and biometry.access_granted and biometry.recognises:
        biometry.token = event.token or None
        yield incoming.BiometryTokenUpdated(status="updated" if event.token else "removed")


@answers(outgoing.BiometryOpenSettings)
def biometry_open_settings(event: outgoing.BiometryOpenSettings, turn: Turn) -> None:
    turn.device.settings_opened.append("biometry")


# Location


@answers(outgoing.CheckLocation)
def check_location(event: outgoing.CheckLocation, turn: Turn) -> Iterator[Result]:
    yield location_checked(turn.device.location)


def location_checked(location: Location) -> Incoming:
    """What an app is told of whether it may know the place."""
    if not location.available:
        return incoming.LocationChecked(available=False)
    return incoming.LocationChecked(
        available=True,
        access_requested=location.access_requested,
        access_granted=location.access_granted,
    )


_ABOUT_LOCATION = (
    "altitude",
    "course",
    "speed",
    "horizontal_accuracy",
    "vertical_accuracy",
    "course_accuracy",
    "speed_accuracy",
)


@answers(outgoing.RequestLocation)
def request_location(event: outgoing.RequestLocation, turn: Turn) -> Iterator[Result]:
    location = turn.device.location
    if location.available and not location.access_granted:
        agrees = turn.agreed(location.agrees)
        if agrees is None:
            yield effects.AskUser(question="location", event=event)
            return
        location.access_requested = True
        location.access_granted = agrees
    if location.available and location.access_granted:
        yield incoming.LocationRequested(
            available=True,
            latitude=float(location.latitude),
            longitude=float(location.longitude),
            **{name: getattr(location, name) for name in _ABOUT_LOCATION},
        )


@answers(outgoing.OpenLocationSettings)
def open_location_settings(event: outgoing.OpenLocationSettings, turn: Turn) -> None:
    turn.device.settings_opened.append("location")


# Sensors


@answers(outgoing.StartAccelerometer)
def start_accelerometer(event: outgoing.StartAccelerometer, turn: Turn) -> Iterator[Result]:
    yield from _start(turn.device.accelerometer, event, turn, incoming.AccelerometerStarted())


@answers(outgoing.StartGyroscope)
def start_gyroscope(event: outgoing.StartGyroscope, turn: Turn) -> Iterator[Result]:
    yield from _start(turn.device.gyroscope, event, turn, incoming.GyroscopeStarted())


@answers(outgoing.StartDeviceOrientation)
def start_device_orientation(event: outgoing.StartDeviceOrientation, turn: Turn) -> Iterator[Result]:
    sensor = turn.device.orientation
    sensor.absolute = event.need_absolute and sensor.compass
    yield from _start(sensor, event, turn, incoming.DeviceOrientationStarted())


def _start(sensor: Sensor, event: outgoing.StartSensor, turn: Turn, started: Incoming) -> Iterator[Result]:
    if sensor.available:
        sensor.start(event.refresh_rate, turn.now)
        yield started


@answers(outgoing.StopAccelerometer)
def stop_accelerometer(event: outgoing.StopAccelerometer, turn: Turn) -> None:
    turn.device.accelerometer.rate = None


@answers(outgoing.StopGyroscope)
def stop_gyroscope(event: outgoing.StopGyroscope, turn: Turn) -> None:
    turn.device.gyroscope.rate = None


@answers(outgoing.StopDeviceOrientation)
def stop_device_orientation(event: outgoing.StopDeviceOrientation, turn: Turn) -> None:
    turn.device.orientation.rate = None


# Storage on the device


@answers(outgoing.DeviceStorageSaveKey)
def device_storage_save_key(event: outgoing.DeviceStorageSaveKey, turn: Turn) -> Iterator[Result]:
    try:
        turn.device.storage.save(event.key, event.value)
    except StorageError as error:
        yield incoming.DeviceStorageFailed(req_id=event.req_id, error=str(error))
    else:
        yield incoming.DeviceStorageKeySaved(req_id=event.req_id)


@answers(outgoing.DeviceStorageGetKey)
def device_storage_get_key(event: outgoing.DeviceStorageGetKey, turn: Turn) -> Iterator[Result]:
    value = turn.device.storage.values.get(event.key)
    yield incoming.DeviceStorageKeyReceived(req_id=event.req_id, value=value)


@answers(outgoing.DeviceStorageClear)
def device_storage_clear(event: outgoing.DeviceStorageClear, turn: Turn) -> Iterator[Result]:
    turn.device.storage.clear()
    yield incoming.DeviceStorageCleared(req_id=event.req_id)


@answers(outgoing.SecureStorageSaveKey)
def secure_storage_save_key(event: outgoing.SecureStorageSaveKey, turn: Turn) -> Iterator[Result]:
    try:
        turn.device.secure_storage.save(event.key, event.value)
    except StorageError as error:
        yield incoming.SecureStorageFailed(req_id=event.req_id, error=str(error))
    else:
        yield incoming.SecureStorageKeySaved(req_id=event.req_id)


@answers(outgoing.SecureStorageGetKey)
def secure_storage_get_key(event: outgoing.SecureStorageGetKey, turn: Turn) -> Iterator[Result]:
    storage = turn.device.secure_storage
    value = storage.values.get(event.key)
    if value is None and event.key in storage.restorable:
        yield incoming.SecureStorageKeyReceived(req_id=event.req_id, value=None, can_restore=True)
    else:
        yield incoming.SecureStorageKeyReceived(req_id=event.req_id, value=value)


@answers(outgoing.SecureStorageRestoreKey)
def secure_storage_restore_key(event: outgoing.SecureStorageRestoreKey, turn: Turn) -> Iterator[Result]:
    storage = turn.device.secure_storage
    agrees = turn.agreed(storage.agrees)
    if agrees is None and event.key in storage.restorable:
        yield effects.AskUser(question="storage_restore", event=event)
        return
    try:
        value = storage.restore(event.key, agrees is True)
    except StorageError as error:
        yield incoming.SecureStorageFailed(req_id=event.req_id, error=str(error))
    else:
        yield incoming.SecureStorageKeyRestored(req_id=event.req_id, value=value)


@answers(outgoing.SecureStorageClear)
def secure_storage_clear(event: outgoing.SecureStorageClear, turn: Turn) -> Iterator[Result]:
    turn.device.secure_storage.clear()
    yield incoming.SecureStorageCleared(req_id=event.req_id)
