"""How fast a page and Python talk: one at a time, all at once beside prolonging, and the bridge alone.

A round trip is timed in the page, from posting a request until its answer arrives there. The flood is
posted as fast as the page can, with the limits lifted; the rate is until Python has dealt with the last
event, or the page has the last answer. Meanwhile other apps of the account are prolonged, and how late
they are is what `Launcher` noted, with the flood and without.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

from launcher.bridge.bridge import Bridge
from launcher.hosting import Hosting
from launcher.hosts import HostUnavailable, Limits
from launcher.mini_app import MiniApp
from launcher.timing import Timing
from tests.bench.hosted import Shown, showing
from tests.bench.measuring import Sizes, percentiles
from tests.bench.requests import BOT
from tests.pages import app

__all__ = ["bridge"]

PERIOD = 0.1
OTHERS = 20
LIMITS = Limits(events=(1e9, 1e9), characters=(1e12, 1e12))
PAGE = app("""
  let answered = () => {};
  window.Telegram = {WebView: {receiveEvent: (name) => { if (name === 'theme_changed') answered() }}};
  window.exchange = async (count) => {
    const times = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await new Promise((done) => { answered = done; post('web_app_request_theme') });
      times.push(performance.now() - start);
    }
    return times;
  };
  const pause = () => new Promise((done) => setTimeout(done));
  window.flood = async (name, data, count) => {
    let left = count;
    const all = new Promise((done) => { answered = () => { left -= 1; if (!left) done() } });
    for (let i = 0; i < count; i++) {
      post(name, data);
      if (i % 500 === 499) await pause();
    }
    post('flooded');
    return name === 'web_app_request_theme' ? all : undefined;
  };
  post('web_app_ready');
""")
MIX: list[tuple[str, str | None]] = [
    ("web_app_request_theme", None),
    ("web_app_request_viewport", "{}"),
    ("web_app_expand", None),
    ("web_app_set_header_color", '{"color":"#112233"}'),
    ("web_app_setup_main_button", '{"is_visible":true,"is_active":true,"text":"Pay","color":"#00ff00"}'),
    ("web_app_trigger_haptic_feedback", '{"type":"impact","impact_style":"light"}'),
    ("web_app_device_storage_save_key", '{"req_id":"1","key":"k","value":"v"}'),
    ("web_app_device_storage_get_key", '{"req_id":"2","key":"k"}'),
    ("no_such_event", '{"a":[1,2,3]}'),
]


async def bridge(sizes: Sizes) -> dict[str, Any]:
    """`Bridge.receive` a second; round trips and floods, or why they were not run."""
    figures: dict[str, Any] = {"receive_per_second": _received(sizes.events)}
    lateness: list[float] = []
    try:
        async with showing(PAGE, Timing(prolong_every=PERIOD), lateness) as shown:
            return figures | await _talked(shown, lateness, sizes)
    except HostUnavailable as failure:
        return figures | {"not_run": str(failure)}


def _received(count: int) -> int:
    """A mix of events, each with the text a page would give."""
    receiving = Bridge()
    start = time.perf_counter()
    for at in range(count):
        receiving.receive(*MIX[at % len(MIX)], now=at)
    return round(count / (time.perf_counter() - start))


async def _talked(shown: Shown, lateness: list[float], sizes: Sizes) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        for _ in range(OTHERS):
            await stack.enter_async_context(shown.launcher.open(f"@{BOT}", via="menu_button"))
        live = await stack.enter_async_context(shown.ours(hosting=Hosting("browser", limits=LIMITS)))
        times = await live.page.evaluate(f"exchange({sizes.exchanges})")
        lateness.clear()
        await asyncio.sleep(PERIOD * 10)
        return {
            "round_trip": percentiles([ms / 1000 for ms in times]),
            "lateness_at_rest": percentiles(lateness),
            "heard": await _flooded(live, lateness, "web_app_trigger_haptic_feedback", sizes.events),
            "answered": await _flooded(live, lateness, "web_app_request_theme", sizes.events // 4),
        }


async def _flooded(live: MiniApp, lateness: list[float], name: str, count: int) -> dict[str, Any]:
    """Events a second, and how late prolongs were meanwhile."""
    lateness.clear()
    start = time.perf_counter()
    data = "{type: 'selection_change'}" if "haptic" in name else "undefined"
    async with live.expect("flooded", timeout=300):
        await live.page.evaluate(f"flood({name!r}, {data}, {count})")
    rate = count / (time.perf_counter() - start)
    await asyncio.sleep(PERIOD)  # for each of the others to have been prolonged
    return {"events": count, "per_second": round(rate), "lateness": percentiles(lateness)}
