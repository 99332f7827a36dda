"""Where a Mini App's page runs: in a browser, or (only looked at) over plain HTTP.

A host knows the wire form of the event bridge and nothing of its meaning: what the page posts comes out as
`PageEvent(name, data)` with `data` still the page's JSON text, and `emit(name, data)` hands an event to the
page. The rest of the launcher decides what the events mean.

    browser.py      Browser: one Chromium, a fresh context for each page
    browser_host.py BrowserHost: one page with its bridge
    bridge.js       what the page finds as Telegram's client; queues and limits what it posts
    deliver.js      hands one event to the page, by the entry point which is there
    parent.html     the web client's page, around the app's iframe
    chromium.py     where Chromium is, and how it is started
    profiles.py     what the page sees of each platform: screen, touch, user agent, transport
    watch.py        what else the page does: errors, dialogs, popups, downloads, failed requests
    observations.py what was seen, bounded; why a host ended
    launch_secrets.py  what of a launch URL must not be shown, and how it is struck out
    recordings.py   traces, HAR files and videos
    http.py         status, redirects, certificate, timing, SDK of a page, without a browser

Nothing here imports the bridge, flows or Telethon. Playwright is an extra (`miniapp-launcher[browser]`)
that only `browser` and its neighbours import.
"""

from launcher.hosts.observations import (
    HostEnd,
    HostEndReason,
    HostUnavailable,
    Limits,
    Observation,
    Observations,
    PageEvent,
    Seen,
)
from launcher.hosts.profiles import PLATFORMS, Frame, Profile, profile_for

__all__ = [
    "PLATFORMS",
    "Frame",
    "HostEnd",
    "HostEndReason",
    "HostUnavailable",
    "Limits",
    "Observation",
    "Observations",
    "PageEvent",
    "Profile",
    "Seen",
    "profile_for",
]
