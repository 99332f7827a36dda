// What Telegram's official script posts at each version of the platform.
//
// node official_script.js FILE VERSION… runs the script in a bare window per version, calls everything it
// offers, answers what it waits for, and prints {version: {event: [parameters]}} as JSON.

"use strict";
const fs = require("fs");
const vm = require("vm");

const [file, ...versions] = process.argv.slice(2);
const source = fs.readFileSync(file, "utf8");

// Stands for any object of a page: it can be read, called and made, and is never missing.
const anything = () =>
  new Proxy(function () {}, {
    get: (_, key) => (key === Symbol.toPrimitive ? () => "" : anything()),
    set: () => true,
    apply: () => anything(),
    construct: () => anything(),
  });

// The script takes addresses apart with the help of a link.
class Anchor {
  set href(address) {
    const { protocol, hostname, pathname, search, href } = new URL(address);
    Object.defineProperties(
      this,
      Object.getOwnPropertyDescriptors({ protocol, hostname, pathname, search, href }),
    );
  }
}

function page(version, posted) {
  const window = {
    TelegramWebviewProxy: {
      postEvent(name, data) {
        const value = JSON.parse(data);
        posted[name] = posted[name] || new Set();
        Object.keys(value || {}).forEach((key) => posted[name].add(key));
      },
    },
    location: { hash: `#tgWebAppVersion=${version}&tgWebAppPlatform=android&tgWebAppBotInline=1` },
    console: { log() {}, warn() {}, error() {} },
    document: { createElement: (tag) => (tag.toLowerCase() === "a" ? new Anchor() : anything()), documentElement: anything() },
    navigator: anything(),
    sessionStorage: { getItem: () => null, setItem() {} },
    addEventListener() {},
    removeEventListener() {},
    requestAnimationFrame: (call) => call(),
    setTimeout: (call, delay) => (delay ? 0 : call()),
    clearTimeout() {},
    open() {},
    getComputedStyle: () => anything(),
    innerHeight: 800,
    URL,
    URLSearchParams,
  };
  window.window = window.self = window.top = window.parent = window;
  vm.runInNewContext(source, window);
  return window.Telegram;
}

const button = (text) => ({ text, is_visible: true, has_shine_effect: true, position: "top" });
const known = {
  available: true, access_requested: true, access_granted: true, token_saved: true, type: "face", device_id: "d",
};
const calls = [
  (app) => app.ready(),
  (app) => app.expand(),
  (app) => app.enableClosingConfirmation(),
  (app) => app.disableVerticalSwipes(),
  (app) => app.requestFullscreen(),
  (app) => app.exitFullscreen(),
  (app) => app.lockOrientation(),
  (app) => app.setHeaderColor("secondary_bg_color"),
  (app) => app.setHeaderColor("#123456"),
  (app) => app.setBackgroundColor("#123456"),
  (app) => app.setBottomBarColor("#123456"),
  (app) => app.MainButton.setParams(button("a")),
  (app) => app.SecondaryButton.setParams(button("b")),
  (app) => app.BackButton.show(),
  (app) => app.SettingsButton.show(),
  (app) => app.HapticFeedback.impactOccurred("light"),
  (app) => app.HapticFeedback.notificationOccurred("error"),
  (app) => app.sendData("data"),
  (app) => app.switchInlineQuery("query", ["users"]),
  (app) => app.openLink("https://example.org", { try_instant_view: true }),
  (app) => app.openLink("https://example.org", { try_browser: "chrome" }),
  (app) => app.openTelegramLink("https://t.me/telegram", { force_request: true }),
  (app) => app.openInvoice("https://t.me/$slug"),
  (app) => app.showPopup({ title: "title", message: "message" }),
  (app) => app.showScanQrPopup({ text: "text" }),
  (app) => app.closeScanQrPopup(),
  (app) => app.readTextFromClipboard(() => {}),
  (app) => app.requestWriteAccess(),
  (app) => app.requestContact(),
  (app) => app.CloudStorage.getKeys(() => {}),
  (app) => app.BiometricManager.init(),
  (app, view) => view.receiveEvent("biometry_info_received", { ...known, access_granted: false }),
  (app) => app.BiometricManager.openSettings(),
  (app) => app.BiometricManager.requestAccess({ reason: "reason" }),
  (app, view) => view.receiveEvent("biometry_info_received", known),
  (app) => app.BiometricManager.authenticate({ reason: "reason" }),
  (app) => app.BiometricManager.updateBiometricToken("token"),
  (app) => app.LocationManager.init(),
  (app, view) => view.receiveEvent("location_checked", { ...known, access_granted: false }),
  (app) => app.LocationManager.openSettings(),
  (app, view) => view.receiveEvent("location_checked", known),
  (app) => app.LocationManager.getLocation(() => {}),
  ...["Accelerometer", "Gyroscope", "DeviceOrientation"].flatMap((sensor) => [
    (app) => app[sensor].start({ refresh_rate: 100, need_absolute: true }),
    (app, view) => view.receiveEvent(`${sensor.replace(/\B[A-Z]/g, "_$&").toLowerCase()}_started`),
    (app) => app[sensor].stop(),
  ]),
  (app) => app.addToHomeScreen(),
  (app) => app.checkHomeScreenStatus(),
  (app) =>
    app.shareToStory("https://example.org/a.jpg", { text: "t", widget_link: { url: "https://t.me", name: "n" } }),
  (app) => app.shareMessage("id"),
  (app) => app.setEmojiStatus("1", { duration: 60 }),
  (app) => app.requestEmojiStatusAccess(),
  (app) => app.downloadFile({ url: "https://example.org/a.pdf", file_name: "a.pdf" }),
  (app) => app.close({ return_back: true }),
];

const result = {};
for (const version of versions) {
  const posted = {};
  const { WebApp, WebView } = page(version, posted);
  for (const call of calls) {
    try {
      call(WebApp, WebView);
    } catch (error) {
      // A version below the method's: the script says so by throwing.
    }
  }
  result[version] = Object.fromEntries(Object.entries(posted).map(([name, keys]) => [name, [...keys].sort()]));
}
process.stdout.write(JSON.stringify(result));
