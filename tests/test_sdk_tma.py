"""`@tma.js/sdk`, in pages that are shown by the launcher; and the matrix of both SDKs."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import ThemeParams
from launcher.hosts.browser import Browser
from launcher.mini_app import CloseReason
from launcher.sandbox.default_world import CUSTOM_EMOJI
from tests.browsers import browser
from tests.npm import installed
from tests.pages import Answer
from tests.running import data_received
from tests.sdks import (
    MATRIX,
    SDK,
    Ending,
    Feature,
    cannot_press,
    choose,
    close_scanner,
    dismiss,
    ending_failures,
    failures,
    follow,
    matrix,
    press,
    quick_on,
    scan,
    showing,
    tell,
)
from tests.test_sdk_official import OFFICIAL

__all__ = ["browser"]

PACKAGE = "@tma.js/sdk@3.3.0"
PAGE = """<script src="/tma.js"></script><script>
const sdk = tmajs.sdk;
const heard = (name, start = () => {}) => new Promise(resolve => {
  sdk.on(name, data => resolve(data === undefined ? 'heard' : data), true);
  start();
});
const pressed = (button, start) => new Promise(resolve => {
  button.onClick(() => resolve('pressed'), true);
  start();
});
const refusal = promise => promise.then(value => ['done', value], failure => [failure.name, failure.message]);
sdk.init();
const mounted = [
  'themeParams', 'miniApp', 'mainButton', 'secondaryButton', 'backButton', 'settingsButton',
  'closingBehavior', 'swipeBehavior',
];
mounted.forEach(part => sdk[part].mount());
sdk.miniApp.ready();
</script>"""


def button(name: str, kind: str) -> tuple[Feature, ...]:
    """Main and secondary button."""
    return (
        Feature(f"{kind} button", "pressed",
                f"pressed(sdk.{name}, () => sdk.{name}.setParams({{text: 'Pay', isVisible: true}}))",
                "pressed",
                when=f"web_app_setup_{kind}_button", do=press(f"{kind}_button")),
        Feature(f"{kind} button", "inactive", f"sdk.{name}.setParams({{text: 'Wait', isEnabled: false}})",
                "Wait",
                when=f"web_app_setup_{kind}_button", do=cannot_press(f"{kind}_button"),
                ours=lambda live: getattr(live, f"{kind}_button").text),
        Feature(f"{kind} button", "in progress",
                f"sdk.{name}.setParams({{isEnabled: true, isLoaderVisible: true}})", True,
                when=f"web_app_setup_{kind}_button", do=cannot_press(f"{kind}_button"),
                ours=lambda live: getattr(live, f"{kind}_button").is_progress_visible),
    )  # fmt: skip


def plain_button(name: str, kind: str) -> tuple[Feature, ...]:
    """Back and settings button."""
    return (
        Feature(f"{kind} button", "pressed", f"pressed(sdk.{name}, () => sdk.{name}.show())", "pressed",
                when=f"web_app_setup_{kind}_button", do=press(f"{kind}_button")),
        Feature(f"{kind} button", "hidden", f"sdk.{name}.hide()", False,
                when=f"web_app_setup_{kind}_button", do=cannot_press(f"{kind}_button"),
                ours=lambda live: getattr(live, f"{kind}_button").is_visible),
    )  # fmt: skip


APPEARANCE = (
    Feature("launch", "init data read",
            "(sdk.initData.restore(), "
            "[sdk.retrieveLaunchParams().tgWebAppVersion, sdk.initData.user().first_name])",
            ["9.6", "Alice"]),
    Feature("launch", "device told by the user agent", "sdk.retrieveAndroidDeviceData().sdkVersion > 0", True,
            framed=False),
    Feature("ready", "told", "sdk.miniApp.ready()", True, when="web_app_ready",
            ours=lambda live: live.device.is_ready),
    Feature("viewport", "asked for",
            "sdk.viewport.mount().then(() => [sdk.viewport.height() > 0, sdk.viewport.isStable()])",
            [True, True]),
    Feature("viewport", "changes", "heard('viewport_changed').then(() => sdk.viewport.height())", 700,
            do=tell("resize", height=700)),
    Feature("expand", "expanded",
            "heard('viewport_changed', () => sdk.viewport.expand()).then(() => sdk.viewport.isExpanded())",
            True),
    Feature("theme", "changes",
            "heard('theme_changed').then(() => [sdk.miniApp.isDark(), sdk.themeParams.bgColor()])",
            [True, "#101418"], do=tell("set_theme", ThemeParams(bg_color="#101418", text_color="#ffffff"))),
    Feature("theme", "asked for",
            "sdk.request('web_app_request_theme', 'theme_changed').then(data => data.theme_params.bg_color)",
            "#101418"),
    Feature("safe area", "changes", "heard('safe_area_changed').then(() => sdk.viewport.safeAreaInsets())",
            {"top": 24, "bottom": 16, "left": 0, "right": 0}, do=tell("set_safe_area", top=24, bottom=16)),
    Feature("fullscreen", "unsupported", "refusal(sdk.viewport.requestFullscreen())",
            ["FullscreenFailedError", "UNSUPPORTED"], given={"can_fullscreen": False}),
    Feature("content safe area", "changes",
            "heard('content_safe_area_changed', () => sdk.viewport.requestFullscreen())"
            ".then(() => sdk.viewport.contentSafeAreaInsetTop())", 46),
    Feature("fullscreen", "already on",
            "sdk.viewport.requestFullscreen().then(() => sdk.viewport.isFullscreen())", True),
    Feature("fullscreen", "left",
            "sdk.viewport.exitFullscreen().then(() => sdk.viewport.isFullscreen())", False),
    Feature("fullscreen", "entered and left",
            "sdk.viewport.requestFullscreen().then(() => sdk.viewport.isFullscreen())"
            ".then(on => sdk.viewport.exitFullscreen().then(() => [on, sdk.viewport.isFullscreen()]))",
            [True, False]),
    Feature("visibility", "minimised", "heard('visibility_changed').then(() => sdk.miniApp.isActive())",
            False,
            do=tell("set_visible", False)),
    Feature("visibility", "brought back", "heard('visibility_changed').then(() => sdk.miniApp.isActive())",
            True,
            do=tell("set_visible", True)),
    Feature("colours", "header", "sdk.miniApp.setHeaderColor('#123456')", "#123456",
            when="web_app_set_header_color", ours=lambda live: live.device.colors.header),
    Feature("colours", "background", "sdk.miniApp.setBgColor('#234567')", "#234567",
            when="web_app_set_background_color", ours=lambda live: live.device.colors.background),
    Feature("colours", "bottom bar", "sdk.miniApp.setBottomBarColor('#345678')", "#345678",
            when="web_app_set_bottom_bar_color", ours=lambda live: live.device.colors.bottom_bar),
    Feature("closing confirmation", "on", "sdk.closingBehavior.enableConfirmation()", True,
            when="web_app_setup_closing_behavior", ours=lambda live: live.device.confirms_closing),
    Feature("closing confirmation", "off", "sdk.closingBehavior.disableConfirmation()", False,
            when="web_app_setup_closing_behavior", ours=lambda live: live.device.confirms_closing),
    Feature("vertical swipes", "off", "sdk.swipeBehavior.disableVertical()", False,
            when="web_app_setup_swipe_behavior", ours=lambda live: live.device.swipes_vertically),
    Feature("vertical swipes", "on", "sdk.swipeBehavior.enableVertical()", True,
            when="web_app_setup_swipe_behavior", ours=lambda live: live.device.swipes_vertically),
    Feature("keyboard", "hidden", "sdk.hideKeyboard()", False, framed=True, given={"keyboard_shown": True},
            when="web_app_hide_keyboard", ours=lambda live: live.device.keyboard_shown),
)  # fmt: skip

BUTTONS = (
    *button("mainButton", "main"),
    *button("secondaryButton", "secondary"),
    *plain_button("backButton", "back"),
    *plain_button("settingsButton", "settings"),
    *(
        Feature("haptics", style, f"sdk.hapticFeedback.{call}", style, when="web_app_trigger_haptic_feedback",
                ours=lambda live: live.device.haptics[-1].style or live.device.haptics[-1].type)
        for style, call in {
            "heavy": "impactOccurred('heavy')",
            "warning": "notificationOccurred('warning')",
            "selection_change": "selectionChanged()",
        }.items()
    ),
)  # fmt: skip

POPUP = "sdk.popup.show({message: 'Sure?', buttons: [{id: 'yes', type: 'ok'}]}).then(id => [id])"
SCAN = "sdk.qrScanner.capture({text: 'Scan', capture: () => true}).then(text => [text])"
DIALOGS = (
    Feature("popup", "pressed", POPUP, ["yes"], when="web_app_open_popup", do=choose("yes")),
    Feature("popup", "dismissed", POPUP, [None], when="web_app_open_popup", do=dismiss),
    Feature("QR scanner", "scanned", SCAN, ["code"], when="web_app_open_scan_qr_popup", do=scan("code")),
    Feature("QR scanner", "closed", SCAN, [None], when="web_app_open_scan_qr_popup", do=close_scanner),
    Feature("clipboard", "read", "sdk.readTextFromClipboard()", "copied",
            given={"clipboard.text": "copied"}, allows=("clipboard",)),
)  # fmt: skip


def cloud(outcome: str, call: str, value: object) -> Feature:
    return Feature("cloud storage", outcome, f"refusal(sdk.cloudStorage.{call})", value)


DONE = ["done", None]
EMOJI = f"refusal(sdk.setEmojiStatus('{CUSTOM_EMOJI[0]}', {{duration: 60}}))"
FILE = "refusal(sdk.downloadFile('https://demo.example/a.pdf', 'a.pdf'))"
SHARE = "refusal(sdk.shareMessage(prepared[0]))"
CONTACT = "refusal(sdk.requestContact().then(found => found.contact.phone_number))"
ACCOUNT = (
    Feature("write access", "declined", "sdk.requestWriteAccess()", "cancelled"),
    Feature("write access", "allowed", "sdk.requestWriteAccess()", "allowed", allows=("write_access",)),
    Feature("phone", "declined", "sdk.requestPhoneAccess()", "cancelled"),
    Feature("contact", "declined", CONTACT, ["AccessDeniedError", "User denied access"]),
    Feature("contact", "shared", CONTACT, ["done", "+9996621111"], allows=("phone",)),
    Feature("phone", "shared", "sdk.requestPhoneAccess()", "sent", allows=("phone",)),
    cloud("saved", "setItem('key', 'value')", DONE),
    cloud("read", "getItem('key')", ["done", "value"]),
    cloud("read together", "getItems(['key', 'none'])", ["done", {"key": "value", "none": ""}]),
    cloud("listed", "getKeys()", ["done", ["key"]]),
    cloud("refused", "setItem('bad key!', 'value')",
          ["InvokeCustomMethodError", "Server returned error: KEY_INVALID"]),
    cloud("removed", "deleteItem('key')", DONE),
    cloud("cleared", "clear()", DONE),
    Feature("emoji status", "declined", EMOJI, ["SetEmojiStatusError",
            "Failed to set emoji status: USER_DECLINED"]),
    Feature("emoji status", "unknown emoji", "refusal(sdk.setEmojiStatus('7'))",
            ["SetEmojiStatusError", "Failed to set emoji status: SUGGESTED_EMOJI_INVALID"],
            allows=("emoji_status",)),
    Feature("emoji status", "set", EMOJI, DONE, allows=("emoji_status",)),
    Feature("emoji status access", "declined", "sdk.requestEmojiStatusAccess()", "cancelled"),
    Feature("emoji status access", "allowed", "sdk.requestEmojiStatusAccess()", "allowed",
            allows=("emoji_status_access",)),
    Feature("file download", "declined", FILE, ["AccessDeniedError", "User denied the action"]),
    Feature("file download", "begun", FILE, DONE, allows=("download",)),
    Feature("prepared message", "declined", SHARE, ["ShareMessageError", "USER_DECLINED"]),
    Feature("prepared message", "no chat chosen", SHARE, ["ShareMessageError", "USER_DECLINED"],
            allows=("share_message",)),
    Feature("prepared message", "shared", SHARE, DONE, allows=("share_message",), chat="bob_builds"),
    Feature("prepared message", "sent before", SHARE, ["ShareMessageError", "MESSAGE_EXPIRED"],
            allows=("share_message",), chat="bob_builds"),
    Feature("story", "opened", "sdk.shareStory('https://demo.example/a.jpg', {text: 'Look'})",
            ["https://demo.example/a.jpg"], framed=[],
            when="web_app_share_to_story", ours=lambda live: list(live.device.stories)),
    *(
        Feature("invoice", status, f"sdk.invoice.{call}", status, pays=pays)
        for status, call, pays in (
            ("cancelled", "openSlug('demo-stars')", False),
            ("failed", "openSlug('none')", True),
            ("pending", "openUrl('https://t.me/$demo-confirm')", True),
            ("paid", "openUrl('https://t.me/$demo-stars')", True),
        )
    ),
    Feature("link", "opened", "sdk.openLink('https://demo.example/')", "https://demo.example/",
            when="web_app_open_link", ours=lambda live: live.device.links[-1]),
    Feature("link", "refused", "sdk.openLink('ftp://demo.example/')",
            "the protocol of the link is not allowed",
            when="web_app_open_link", ours=lambda live: live.bridge.notes[-1].why),
    Feature("Telegram link", "opened", "sdk.openTelegramLink('https://t.me/demo_bot/app')",
            when="web_app_open_tg_link", do=follow, allows=("hidden_link", "first_launch")),
    Feature("custom method", "server time", "sdk.getCurrentTime().then(time => time.getTime() > 0)", True),
)  # fmt: skip

BIOMETRY = "sdk.biometry.requestAccess({reason: 'Please'}).then(() => sdk.biometry.state().accessGranted)"
LOCATION = "sdk.locationManager.requestLocation()"
DEVICE = (
    Feature("biometry", "initialised", "sdk.biometry.mount().then(() => sdk.biometry.state().type)",
            "finger"),
    Feature("biometry", "access declined", BIOMETRY, False),
    Feature("biometry", "settings opened", "sdk.biometry.openSettings()", "biometry",
            when="web_app_biometry_open_settings", ours=lambda live: live.device.settings_opened[-1]),
    Feature("biometry", "access granted", BIOMETRY, True, allows=("biometry",)),
    Feature("biometry", "token saved", "sdk.biometry.updateToken({token: 'secret'})", "updated"),
    Feature("biometry", "token not saved", "sdk.biometry.updateToken({token: 'other'})", "failed",
            given={"biometry.recognises": False}),
    Feature("biometry", "recognised", "sdk.biometry.authenticate({reason: 'Please'})",
            {"status": "authorized", "token": "secret"}),
    Feature("biometry", "not recognised", "sdk.biometry.authenticate().then(found => found.status)", "failed",
            given={"biometry.recognises": False}),
    Feature("biometry", "token removed", "sdk.biometry.updateToken()", "removed"),
    Feature("location", "initialised",
            "sdk.locationManager.mount().then(() => sdk.locationManager.isAvailable())", True),
    Feature("location", "settings opened", "sdk.locationManager.openSettings()", "location",
            when="web_app_open_location_settings", ours=lambda live: live.device.settings_opened[-1]),
    Feature("location", "told", f"{LOCATION}.then(where => [where.latitude, where.longitude])", [51.5, 0],
            allows=("location",)),
    Feature("location", "unavailable", f"{LOCATION}.then(where => [where])", [None],
            given={"location.available": False}),
    Feature("home screen", "checked", "sdk.checkHomeScreenStatus()", "missed"),
    Feature("home screen", "declined", "sdk.addToHomeScreen()", "missed",
            when="web_app_add_to_home_screen", ours=lambda live: live.device.home_screen.status),
    Feature("home screen", "added", "heard('home_screen_added', () => sdk.addToHomeScreen())", {},
            allows=("home_screen",)),
)  # fmt: skip


def device_storage(outcome: str, call: str, value: object, **given: object) -> Feature:
    return Feature("device storage", outcome, f"refusal(sdk.deviceStorage.{call})", value,
                   given={f"storage.{name}": each for name, each in given.items()})  # fmt: skip


def secure_storage(
    outcome: str, call: str, value: object, allows: tuple[str, ...] = (), **given: object
) -> Feature:
    return Feature("secure storage", outcome, f"refusal(sdk.secureStorage.{call})", value, allows=allows,
                   given={f"secure_storage.{name}": each for name, each in given.items()},
                   framed=["SecureStorageMethodError", "UNSUPPORTED"])  # fmt: skip


NOTHING = {"value": None, "canRestore": False}
STORAGES = (
    device_storage("saved", "setItem('key', 'value')", DONE),
    device_storage("read", "getItem('key')", ["done", "value"]),
    device_storage("nothing to read", "getItem('none')", DONE),
    device_storage("full", "setItem('more', 'value')", ["DeviceStorageMethodError", "QUOTA_EXCEEDED"],
            quota=9),
    device_storage("removed", "deleteItem('key')", DONE),
    device_storage("cleared", "clear()", DONE),
    secure_storage("saved", "setItem('key', 'value')", DONE),
    secure_storage("read", "getItem('key')", ["done", {"value": "value", "canRestore": False}]),
    secure_storage("nothing to read", "getItem('none')", ["done", NOTHING]),
    secure_storage("full", "setItem('more', 'value')", ["SecureStorageMethodError", "QUOTA_EXCEEDED"],
            items=1),
    secure_storage("can be restored", "getItem('old')", ["done", NOTHING | {"canRestore": True}],
                   restorable={"old": "secret"}),
    secure_storage("restoring declined", "restoreItem('old')", ["SecureStorageMethodError",
            "RESTORE_CANCELLED"],
                   restorable={"old": "secret"}),
    secure_storage("nothing to restore", "restoreItem('none')",
                   ["SecureStorageMethodError", "RESTORE_UNAVAILABLE"]),
    secure_storage("restored", "restoreItem('old')", ["done", "secret"], ("storage_restore",),
                   restorable={"old": "secret"}),
    secure_storage("removed", "deleteItem('key')", DONE),
    secure_storage("cleared", "clear()", DONE),
)  # fmt: skip

WEBA = (
    Feature("QR scanner", "there is none", SCAN, [None]),
    Feature("biometry", "there is none", "sdk.biometry.mount().then(() => sdk.biometry.state().available)",
            False),
    Feature("device storage", "there is none", "refusal(sdk.deviceStorage.setItem('key', 'value'))",
            ["DeviceStorageMethodError", "UNSUPPORTED"]),
    Feature("home screen", "there is none", "sdk.checkHomeScreenStatus()", "unsupported"),
    Feature("home screen", "not added", "heard('home_screen_failed', () => sdk.addToHomeScreen())",
            {"error": "UNSUPPORTED"}),
    Feature("Telegram link", "minimises the app",
            "heard('visibility_changed', () => sdk.openTelegramLink('https://t.me/demo_bot/app'))",
            {"is_visible": False}, when="web_app_open_tg_link", do=follow,
            allows=("hidden_link", "first_launch")),
)  # fmt: skip

ENDINGS = (
    Ending("sendData", "from a keyboard button", "keyboard_button", "sdk.sendData('data')",
           "web_app_data_send", CloseReason.DATA_SENT, data_received, ["data"]),
    Ending("sendData", "not from elsewhere", "main_app", "sdk.sendData('data')", "web_app_data_send", None),
    Ending("switchInlineQuery", "switched", "main_app", "sdk.switchInlineQuery('greet')",
           "web_app_switch_inline_query", CloseReason.SWITCHED_INLINE),
    Ending("clipboard", "not from elsewhere", "main_app", "sdk.readTextFromClipboard()",
           "web_app_read_text_from_clipboard", None),
    Ending("close", "closed", "main_app", "sdk.miniApp.close()", "web_app_close", CloseReason.APP),
)  # fmt: skip

_RAW = "it has no component; its `request` and `on` send and hear the events"
TMA = SDK(
    PACKAGE,
    PAGE,
    (*APPEARANCE, *BUTTONS, *DIALOGS, *ACCOUNT, *DEVICE, *STORAGES),
    WEBA,
    ENDINGS,
    {
        "alert and confirm": "they are popups, and it shows popups only",
        "accelerometer, gyroscope, device orientation": _RAW,
        "orientation lock": _RAW,
        "requesting a chat": "it is of version 9.6, and not in its table of events",
    },
)


@pytest.fixture
def script(request: pytest.FixtureRequest) -> Answer:
    file: Path = installed(request.config.cache, PACKAGE) / "@tma.js/sdk/dist/index.iife.js"
    return Answer(file.read_bytes(), headers={"Content-Type": "text/javascript"})


@pytest.mark.asyncio(loop_scope="session")
@quick_on("web")
async def test_each_feature_of_tma_is_answered(browser: Browser, platform: str, script: Answer) -> None:
    async with showing(browser, PAGE, platform, {"/tma.js": script}) as stand:
        found = await failures(stand, TMA.features)
        assert not found, "\n".join(found)


@pytest.mark.asyncio(loop_scope="session")
async def test_tma_is_answered_by_weba_in_its_way(browser: Browser, script: Answer) -> None:
    async with showing(browser, PAGE, "weba", {"/tma.js": script}) as stand:
        found = await failures(stand, TMA.on_weba)
        assert not found, "\n".join(found)


@pytest.mark.asyncio(loop_scope="session")
@quick_on("web")
async def test_tma_ends_its_app(browser: Browser, platform: str, script: Answer) -> None:
    async with showing(browser, PAGE, platform, {"/tma.js": script}) as stand:
        found = await ending_failures(stand, TMA.endings)
        assert not found, "\n".join(found)


def test_the_matrix_tells_what_is_run() -> None:
    """Made anew by `MATRIX.write_text(matrix((OFFICIAL, TMA)), "utf-8")`."""
    assert MATRIX.read_text("utf-8") == matrix((OFFICIAL, TMA))
