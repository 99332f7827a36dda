"""D: one service is down. Does the app say so, stay a page, and go on with the others?

Faults are laid on the page's own requests; the services know nothing of them.
"""

from __future__ import annotations

import asyncio
from functools import partial

from launcher.metapro.app_page import (
    answered,
    complaint,
    complaints,
    own_login,
    page_errors,
    settled,
    text_of,
)
from launcher.metapro.drive import Drive
from launcher.metapro.faults import FAULTS, SLOW
from launcher.metapro.report import Layer
from launcher.metapro.settings import SERVICES
from launcher.metapro.step import Failed, Found, Need, Skip, Step

__all__ = ["STEPS"]


async def service_down(drive: Drive, service: str) -> Found:
    """Every way of being down, each in a page of its own, side by side."""
    await settled(drive.page)
    if not drive.page.watch.to(service):
        raise Skip("the app asks nothing of this service")
    before = await complaints(drive.page, drive.screen)
    faults = await asyncio.gather(*(_down(drive, service, fault, before) for fault in FAULTS))
    wrong = [fault for fault in faults if fault]
    if wrong:
        raise Failed("; ".join(wrong))
    return Found(f"the app copes with: {', '.join(FAULTS)}")


async def _down(drive: Drive, service: str, fault: str, before: list[str]) -> str:
    """What is wrong with the app under this fault, which tells `before` what it tells anyway; empty when
    nothing is."""
    async with drive.another(faults={service: FAULTS[fault]}) as shown:
        await shown.watch.until(lambda sent: sent.service == service, drive.screen.seconds)
        told = "" if fault == SLOW else await complaint(shown, drive.screen, before)
        await settled(shown)
        if errors := page_errors(shown):
            return f"{fault}: the page fails with {errors[0]}"
        if not await text_of(shown):
            return f"{fault}: the page is blank"
        if fault != SLOW and not told:
            return f"{fault}: the app tells nothing"
        login = await own_login(shown, 0.1)
        if service != "users" and (login is None or not login.went_well):
            return f"{fault}: the app no longer logs in"
    return ""


async def partial_outage(drive: Drive) -> Found:
    """Everything but the users service refuses connections: the login works all the same."""
    others = [service for service in drive.page.watch.bases if service != "users"]
    async with drive.another(faults=dict.fromkeys(others, FAULTS["refused"])) as shown:
        login = await own_login(shown, drive.screen.seconds)
        if login is not None:
            await answered(login, shown.watch, drive.screen.seconds)
    if login is None or not login.went_well:
        raise Failed(f"without {', '.join(others)} the app does not log in")
    return Found(f"logs in without {', '.join(others)}", login.status)


STEPS = (
    *(
        Step(
            f"D1.{service}",
            f"{service} service down",
            Layer.NETWORK,
            partial(service_down, service=service),
            "Let the app tell that something is not there, and go on with the rest.",
            needs=(Need.PAGE, Need.RELAUNCH),
            after=("L1.app", f"C1.{service}"),
            assumption="app-behaviour",
        )
        for service in SERVICES
    ),
    Step(
        "D2",
        "partial outage",
        Layer.NETWORK,
        partial_outage,
        "Do not let the login wait for other services.",
        needs=(Need.PAGE, Need.RELAUNCH),
        after=("L1.app",),
        assumption="app-behaviour",
    ),
)
