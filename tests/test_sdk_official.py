"""Telegram's official script, as `@twa-dev/sdk` redistributes it, in pages that are shown by the launcher."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import ThemeParams
from launcher.hosts.browser import Browser
from launcher.mini_app import CloseReason
from launcher.sandbox.default_world import CUSTOM_EMOJI
from tests.browsers import browser
from tests.npm import installed
from tests.running import data_received
from tests.sdks import (
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
    press,
    quick_on,
    scan,
    showing,
    tell,
)

__all__ = ["browser"]

PACKAGE = "@twa-dev/sdk@8.0.2"
PAGE = """<script src="https://telegram.org/js/telegram-web-app.js"></script><script>
const app = Telegram.WebApp;
const called = start => new Promise(resolve => {
  start((...values) => resolve(values.length > 1 ? values : values[0]));
});
const heard = (name, start = () => {}) => new Promise(resolve => {
  const listen = data => { app.offEvent(name, listen); resolve(data === undefined ? 'heard' : data); };
  app.onEvent(name, listen);
  start();
});
app.ready();
</script>"""

FULLSCREEN = ("web_app_request_fullscreen", "web_app_exit_fullscreen")
UNSUPPORTED = {"error": "UNSUPPORTED"}


def button(name: str, event: str, kind: str) -> tuple[Feature, ...]:
    """Main and secondary button."""
    return (
        Feature(
            f"{kind} button",
            "pressed",
            f"heard('{event}', () => app.{name}.setParams({{text: 'Pay', is_visible: true}}))",
            "heard",
            when=f"web_app_setup_{kind}_button",
            do=press(f"{kind}_button"),
        ),
        Feature(
            f"{kind} button",
            "inactive",
            f"void app.{name}.setParams({{text: 'Wait', is_active: false}})",
            "Wait",
            when=f"web_app_setup_{kind}_button",
            do=cannot_press(f"{kind}_button"),
            ours=lambda live: getattr(live, f"{kind}_button").text,
        ),
        Feature(
            f"{kind} button",
            "in progress",
            f"void app.{name}.showProgress()",
            True,
            when=f"web_app_setup_{kind}_button",
            do=cannot_press(f"{kind}_button"),
            ours=lambda live: getattr(live, f"{kind}_button").is_progress_visible,
        ),
    )


def plain_button(name: str, event: str, kind: str) -> tuple[Feature, ...]:
    """Back and settings button; an app with settings shows the latter from the beginning."""
    setup, control = f"web_app_setup_{kind}_button", f"{kind}_button"
    from_the_beginning = Feature(
        f"{kind} button", "there from the beginning", f"heard('{event}')", "heard", do=press(control)
    )
    hidden = Feature(
        f"{kind} button",
        "hidden",
        f"void app.{name}.hide()",
        False,
        when=setup,
        do=cannot_press(control),
        ours=lambda live: getattr(live, control).is_visible,
    )
    pressed = Feature(
        f"{kind} button",
        "pressed",
        f"heard('{event}', () => app.{name}.show())",
        "heard",
        when=setup,
        do=press(control),
    )
    return (from_the_beginning, hidden, pressed) if kind == "settings" else (pressed, hidden)


def sensor(name: str, event: str, kind: str, attribute: str) -> tuple[Feature, ...]:
    return (
        Feature(
            kind,
            "unavailable",
            f"called(done => app.{name}.start({{}}, done))",
            False,
            given={f"{attribute}.available": False},
        ),
        Feature(kind, "started", f"called(done => app.{name}.start({{refresh_rate: 20}}, done))", True),
        Feature(kind, "measures", f"heard('{event}').then(() => app.{name}.isStarted)", True),
        Feature(kind, "stopped", f"called(done => app.{name}.stop(done))", True),
    )


APPEARANCE = (
    Feature("launch", "init data read", "[app.version, app.initDataUnsafe.user.first_name]",
            ["9.6", "Alice"]),
    Feature(
        "ready", "told", "void app.ready()", True, when="web_app_ready",
        ours=lambda live: live.device.is_ready
    ),
    Feature(
        "expand",
        "expanded",
        "heard('viewportChanged', () => app.expand()).then(data => [data.isStateStable, app.isExpanded])",
        [True, True],
    ),
    Feature(
        "theme",
        "changes",
        "heard('themeChanged').then(() => [app.colorScheme, app.themeParams.bg_color])",
        ["dark", "#101418"],
        do=tell("set_theme", ThemeParams(bg_color="#101418", text_color="#ffffff")),
    ),
    Feature(
        "viewport",
        "changes",
        "heard('viewportChanged').then(() => [app.viewportHeight, app.viewportStableHeight])",
        [700, 700],
        do=tell("resize", height=700),
    ),
    Feature(
        "safe area",
        "changes",
        "heard('safeAreaChanged').then(() => app.safeAreaInset)",
        {"top": 24, "bottom": 16, "left": 0, "right": 0},
        do=tell("set_safe_area", top=24, bottom=16),
    ),
    Feature(
        "content safe area",
        "changes",
        "heard('contentSafeAreaChanged', () => app.requestFullscreen())"
        ".then(() => app.contentSafeAreaInset.top)",
        46,
    ),
    Feature(
        "fullscreen",
        "already on",
        "heard('fullscreenFailed', () => app.requestFullscreen())",
        {"error": "ALREADY_FULLSCREEN"},
    ),
    Feature(
        "fullscreen",
        "left",
        "heard('fullscreenChanged', () => app.exitFullscreen()).then(() => app.isFullscreen)",
        False,
    ),
    Feature(
        "fullscreen",
        "unsupported",
        "heard('fullscreenFailed', () => app.requestFullscreen())",
        UNSUPPORTED,
        given={"can_fullscreen": False},
    ),
    Feature(
        "fullscreen",
        "entered and left",
        "heard('fullscreenChanged', () => app.requestFullscreen()).then(() => app.isFullscreen)"
        ".then(on => heard('fullscreenChanged', () => app.exitFullscreen())"
        ".then(() => [on, app.isFullscreen]))",
        [True, False],
    ),
    Feature("visibility", "minimised", "heard('deactivated').then(() => app.isActive)", False,
            do=tell("set_visible", False)),
    Feature("visibility", "brought back", "heard('activated').then(() => app.isActive)", True,
            do=tell("set_visible", True)),
    Feature("colours", "header", "void app.setHeaderColor('#123456')", "#123456",
            when="web_app_set_header_color", ours=lambda live: live.device.colors.header),
    Feature("colours", "background", "void app.setBackgroundColor('#234567')", "#234567",
            when="web_app_set_background_color", ours=lambda live: live.device.colors.background),
    Feature("colours", "bottom bar", "void app.setBottomBarColor('#345678')", "#345678",
            when="web_app_set_bottom_bar_color", ours=lambda live: live.device.colors.bottom_bar),
    Feature("closing confirmation", "on", "void app.enableClosingConfirmation()", True,
            when="web_app_setup_closing_behavior", ours=lambda live: live.device.confirms_closing),
    Feature("closing confirmation", "off", "void app.disableClosingConfirmation()", False,
            when="web_app_setup_closing_behavior", ours=lambda live: live.device.confirms_closing),
    Feature("vertical swipes", "off", "void app.disableVerticalSwipes()", False,
            when="web_app_setup_swipe_behavior", ours=lambda live: live.device.swipes_vertically),
    Feature("vertical swipes", "on", "void app.enableVerticalSwipes()", True,
            when="web_app_setup_swipe_behavior", ours=lambda live: live.device.swipes_vertically),
    Feature("orientation", "locked", "void app.lockOrientation()", True, framed=False,
            when="web_app_toggle_orientation_lock", ours=lambda live: live.device.orientation_locked),
    Feature("orientation", "unlocked", "void app.unlockOrientation()", False,
            when="web_app_toggle_orientation_lock", ours=lambda live: live.device.orientation_locked),
)  # fmt: skip

BUTTONS = (
    *button("MainButton", "mainButtonClicked", "main"),
    *button("SecondaryButton", "secondaryButtonClicked", "secondary"),
    *plain_button("BackButton", "backButtonClicked", "back"),
    *plain_button("SettingsButton", "settingsButtonClicked", "settings"),
    *(
        Feature("haptics", style, f"void app.HapticFeedback.{call}", style,
                when="web_app_trigger_haptic_feedback",
                ours=lambda live: live.device.haptics[-1].style or live.device.haptics[-1].type)
        for style, call in {
            "heavy": "impactOccurred('heavy')",
            "warning": "notificationOccurred('warning')",
            "selection_change": "selectionChanged()",
        }.items()
    ),
)  # fmt: skip

POPUP = "{message: 'Sure?', buttons: [{id: 'yes', type: 'ok'}]}"
DIALOGS = (
    Feature("popup", "pressed", f"called(done => app.showPopup({POPUP}, done))", "yes",
            when="web_app_open_popup", do=choose("yes")),
    Feature("popup", "dismissed", f"called(done => app.showPopup({POPUP}, done)).then(pressed => [pressed])",
            [None],
            when="web_app_open_popup", do=dismiss),
    Feature("alert", "closed", "called(done => app.showAlert('Look', done)).then(() => 'closed')", "closed",
            when="web_app_open_popup", do=dismiss),
    Feature("confirm", "agreed", "called(done => app.showConfirm('Sure?', done))", True,
            when="web_app_open_popup", do=choose("ok")),
    Feature("confirm", "dismissed", "called(done => app.showConfirm('Sure?', done))", False,
            when="web_app_open_popup", do=dismiss),
    Feature("QR scanner", "scanned",
            "called(done => app.showScanQrPopup({text: 'Scan'}, text => (done(text), true)))", "code",
            when="web_app_open_scan_qr_popup", do=scan("code")),
    Feature("QR scanner", "closed", "heard('scanQrPopupClosed', () => app.showScanQrPopup({}))", "heard",
            when="web_app_open_scan_qr_popup", do=close_scanner),
    Feature("clipboard", "read", "called(done => app.readTextFromClipboard(done))", "copied",
            given={"clipboard.text": "copied"}, allows=("clipboard",)),
)  # fmt: skip

CONTACT = (
    "called(done => app.requestContact((...values) => done(values)))"
    ".then(([sent, more]) => [sent, more.status, more.responseUnsafe?.contact?.phone_number])"
)
STORE = "called(done => app.CloudStorage.{}(done))"
EMOJI = f"app.setEmojiStatus('{CUSTOM_EMOJI[0]}', {{duration: 60}}, done)"
FILE = "app.downloadFile({url: 'https://demo.example/a.pdf', file_name: 'a.pdf'}, done)"


def cloud(outcome: str, call: str, value: object) -> Feature:
    return Feature(
        "cloud storage",
        outcome,
        f"called(done => app.CloudStorage.{call}).then(([error, value]) => error || value)",
        value,
    )


ACCOUNT = (
    Feature("write access", "declined", "called(done => app.requestWriteAccess(done))", False),
    Feature("write access", "allowed", "called(done => app.requestWriteAccess(done))", True,
            allows=("write_access",)),
    Feature("phone", "declined", CONTACT, [False, "cancelled", None]),
    Feature("phone", "shared", CONTACT, [True, "sent", "+9996621111"], allows=("phone",)),
    cloud("saved", "setItem('key', 'value', (...all) => done(...all))", True),
    cloud("read", "getItem('key', done)", "value"),
    cloud("read together", "getItems(['key'], done)", {"key": "value"}),
    cloud("listed", "getKeys(done)", ["key"]),
    cloud("refused", "setItem('bad key!', 'value', (...all) => done(...all, null))", "KEY_INVALID"),
    cloud("removed", "removeItem('key', done)", True),
    Feature("emoji status", "declined", f"called(done => {EMOJI})", False),
    Feature("emoji status", "unknown emoji",
            "heard('emojiStatusFailed', () => app.setEmojiStatus('7'))", {"error": "SUGGESTED_EMOJI_INVALID"},
            allows=("emoji_status",)),
    Feature("emoji status", "set", f"called(done => {EMOJI})", True, allows=("emoji_status",)),
    Feature("emoji status access", "declined", "called(done => app.requestEmojiStatusAccess(done))", False),
    Feature("emoji status access", "allowed", "called(done => app.requestEmojiStatusAccess(done))", True,
            allows=("emoji_status_access",)),
    Feature("file download", "declined", f"called(done => {FILE})", False),
    Feature("file download", "begun", f"called(done => {FILE})", True, allows=("download",)),
    Feature("prepared message", "declined", "called(done => app.shareMessage(prepared[0], done))", False),
    Feature("prepared message", "no such message",
            "heard('shareMessageFailed', () => app.shareMessage('none')).then(() => 'failed')", "failed"),
    Feature("prepared message", "shared", "called(done => app.shareMessage(prepared[0], done))", True,
            allows=("share_message",), chat="bob_builds"),
    Feature("story", "opened", "void app.shareToStory('https://demo.example/a.jpg', {text: 'Look'})",
            ["https://demo.example/a.jpg"], framed=[],
            when="web_app_share_to_story", ours=lambda live: list(live.device.stories)),
    *(
        Feature("invoice", status, f"called(done => app.openInvoice('https://t.me/${slug}', done))", status,
                pays=pays)
        for status, slug, pays in (
            ("cancelled", "demo-stars", False),
            ("failed", "none", True),
            ("pending", "demo-confirm", True),
            ("paid", "demo-stars", True),
        )
    ),
    Feature("link", "opened", "void app.openLink('https://demo.example/')", "https://demo.example/",
            when="web_app_open_link", ours=lambda live: live.device.links[-1]),
    Feature("link", "refused", "app.openLink('ftp://demo.example/')", "refused: Error"),
    Feature("Telegram link", "opened", "void app.openTelegramLink('https://t.me/demo_bot/app')",
            when="web_app_open_tg_link", do=follow, allows=("hidden_link", "first_launch")),
)  # fmt: skip

DEVICE = (
    Feature("biometry", "initialised",
            "called(done => app.BiometricManager.init(done)).then(() => app.BiometricManager.biometricType)",
            "finger"),
    Feature("biometry", "access declined",
            "called(done => app.BiometricManager.requestAccess({reason: 'Please'}, done))", False),
    Feature("biometry", "settings opened", "void app.BiometricManager.openSettings()", "biometry",
            when="web_app_biometry_open_settings", ours=lambda live: live.device.settings_opened[-1]),
    Feature("biometry", "access granted",
            "called(done => app.BiometricManager.requestAccess({}, done))", True, allows=("biometry",)),
    Feature("biometry", "token saved",
            "called(done => app.BiometricManager.updateBiometricToken('secret', done))", True),
    Feature("biometry", "token not saved",
            "called(done => app.BiometricManager.updateBiometricToken('other', done))", False,
            given={"biometry.recognises": False}),
    Feature("biometry", "recognised", "called(done => app.BiometricManager.authenticate({}, done))",
            [True, "secret"]),
    Feature("biometry", "not recognised", "called(done => app.BiometricManager.authenticate({}, done))",
            [False, None], given={"biometry.recognises": False}),
    Feature("biometry", "token removed",
            "called(done => app.BiometricManager.updateBiometricToken('', done))", True),
    Feature("location", "initialised",
            "called(done => app.LocationManager.init(done))"
            ".then(() => app.LocationManager.isLocationAvailable)",
            True),
    Feature("location", "declined", "called(done => app.LocationManager.getLocation(done))", None),
    Feature("location", "settings opened", "void app.LocationManager.openSettings()", "location",
            when="web_app_open_location_settings", ours=lambda live: live.device.settings_opened[-1]),
    Feature("location", "told",
            "called(done => app.LocationManager.getLocation(done))"
            ".then(where => [where.latitude, where.speed])",
            [51.5, None], allows=("location",)),
    *sensor("Accelerometer", "accelerometerChanged", "accelerometer", "accelerometer"),
    *sensor("Gyroscope", "gyroscopeChanged", "gyroscope", "gyroscope"),
    *sensor("DeviceOrientation", "deviceOrientationChanged", "device orientation", "orientation"),
    Feature("home screen", "checked", "called(done => app.checkHomeScreenStatus(done))", "missed"),
    Feature("home screen", "declined", "void app.addToHomeScreen()", "missed",
            when="web_app_add_to_home_screen", ours=lambda live: live.device.home_screen.status),
    Feature("home screen", "added", "heard('homeScreenAdded', () => app.addToHomeScreen())", "heard",
            allows=("home_screen",)),
)  # fmt: skip

WEBA = (
    Feature("QR scanner", "there is none", "heard('scanQrPopupClosed', () => app.showScanQrPopup({}))",
            "heard"),
    Feature("biometry", "there is none",
            "called(done => app.BiometricManager.init(done))"
            ".then(() => app.BiometricManager.isBiometricAvailable)",
            False),
    Feature("home screen", "there is none", "called(done => app.checkHomeScreenStatus(done))", "unsupported"),
    Feature("Telegram link", "minimises the app",
            "heard('deactivated', () => app.openTelegramLink('https://t.me/demo_bot/app'))"
            ".then(() => app.isActive)", False,
            when="web_app_open_tg_link", do=follow, allows=("hidden_link", "first_launch")),
)  # fmt: skip

ENDINGS = (
    Ending("sendData", "from a keyboard button", "keyboard_button", "void app.sendData('data')",
           "web_app_data_send", CloseReason.DATA_SENT, data_received, ["data"]),
    Ending("sendData", "not from elsewhere", "main_app", "void app.sendData('data')", "web_app_data_send",
            None),
    Ending("switchInlineQuery", "switched", "main_app", "void app.switchInlineQuery('greet')",
           "web_app_switch_inline_query", CloseReason.SWITCHED_INLINE),
    Ending("clipboard", "not from elsewhere", "main_app", "called(done => app.readTextFromClipboard(done))",
           "web_app_read_text_from_clipboard", None),
    Ending("close", "closed", "main_app", "void app.close()", "web_app_close", CloseReason.APP),
)  # fmt: skip

OFFICIAL = SDK(
    PACKAGE,
    PAGE,
    (*APPEARANCE, *BUTTONS, *DIALOGS, *ACCOUNT, *DEVICE),
    WEBA,
    ENDINGS,
    {
        "device storage": "it is of version 9.0, the script of 8.0",
        "secure storage": "it is of version 9.0, the script of 8.0",
        "hiding the keyboard": "it is of version 9.1, the script of 8.0",
        "requesting a chat": "it is of version 9.6, the script of 8.0",
        "asking for theme, viewport and safe areas": "the script asks by itself when it starts",
    },
)


@pytest.fixture
def script(request: pytest.FixtureRequest) -> Path:
    return installed(request.config.cache, PACKAGE) / "@twa-dev/sdk/dist/telegram-web-apps.js"


@pytest.mark.asyncio(loop_scope="session")
@quick_on("android")
async def test_each_feature_of_the_official_script_is_answered(
    browser: Browser, platform: str, script: Path
) -> None:
    async with showing(browser, PAGE, platform, {}, script) as stand:
        found = await failures(stand, OFFICIAL.features)
        assert not found, "\n".join(found)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_official_script_is_answered_by_weba_in_its_way(browser: Browser, script: Path) -> None:
    async with showing(browser, PAGE, "weba", {}, script) as stand:
        found = await failures(stand, OFFICIAL.on_weba)
        assert not found, "\n".join(found)


@pytest.mark.asyncio(loop_scope="session")
@quick_on("android")
async def test_the_official_script_ends_its_app(browser: Browser, platform: str, script: Path) -> None:
    async with showing(browser, PAGE, platform, {}, script) as stand:
        found = await ending_failures(stand, OFFICIAL.endings)
        assert not found, "\n".join(found)
