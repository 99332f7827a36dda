"""One app, opened and watched until it is over or nothing more is to be done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flows import BadInput
from launcher.expectations import Unmet, expect
from launcher.hosting import Hosting
from launcher.hosts.launch_secrets import LaunchSecrets
from launcher.launcher import Launcher
from launcher.mini_app import CloseReason, MiniApp
from launcher.record import written
from launcher.record.hands import do
from launcher.record.listener import Listener
from launcher.record.steps import Closed, Filled, NotRecorded, SecretFilled, Step

__all__ = ["Recorded", "record"]

_READY = 30.0


@dataclass(slots=True)
class Recorded:
    """What was done with an app: `target` and `options` as `Launcher.open` takes them, whether its page said
    that it is ready, and the `steps`."""

    target: str
    options: Mapping[str, Any]
    ready: bool = False
    steps: list[Step] = field(default_factory=list)
    secrets: LaunchSecrets | None = None

    @property
    def lost(self) -> int:
        """How many steps are not done by the test, but named in it."""
        return sum(isinstance(step, NotRecorded) for step in self.steps)

    def add(self, step: Step) -> None:
        """Of what is typed in one field only the whole text is kept."""
        if isinstance(step, Filled | SecretFilled) and self.steps:
            last = self.steps[-1]
            if isinstance(last, Filled | SecretFilled) and last.locator == step.locator:
                self.steps.pop()
        self.steps.append(step)

    def source(self) -> str:
        """The test, as Python; without the secrets of the launch."""
        source = written.test(self.target, self.options, self.steps, ready=self.ready)
        return source if self.secrets is None else self.secrets.mask(source)


async def record(
    launcher: Launcher,
    target: str,
    lines: AsyncIterator[str],
    *,
    opened: Callable[[MiniApp], None] = lambda _: None,
    refused: Callable[[BadInput], None] | None = None,
    lost: Callable[[NotRecorded], None] = lambda _: None,
    **options: Any,
) -> Recorded:
    """Open the app in the launcher's browser, do what the lines say (`HELP`), and note that and whatever is
    done in the page, until the app is over or there are no more lines.

    `opened` is called with the app when it is open. What a line cannot do is told to `refused`, and raised as
    BadInput without it; what is done and cannot be written, to `lost`. The other options are those of
    `Launcher.open`, which says what it raises.
    """
    recorded = Recorded(target, options)

    def heard(step: Step) -> None:
        if isinstance(step, NotRecorded):
            if step in recorded.steps[-1:]:
                return
            lost(step)
        recorded.add(step)

    listener = Listener(heard)
    hosting = Hosting("browser", prepare=listener.prepare)
    async with launcher.open(target, hosting=hosting, **options) as app:
        listener.app = app
        recorded.secrets = LaunchSecrets(app.url)
        opened(app)
        at_work = asyncio.Lock()
        doing = asyncio.ensure_future(_do_all(app, lines, listener, recorded, refused, at_work))
        over = asyncio.ensure_future(app.closed())
        try:
            await asyncio.wait((doing, over), return_when=asyncio.FIRST_COMPLETED)
            async with at_work:  # what has closed the app is still to be noted
                if doing.done():
                    doing.result()
        finally:
            doing.cancel()
            over.cancel()
        await listener.settled()
        _note_the_end(app, recorded)
    return recorded


async def _do_all(
    app: MiniApp,
    lines: AsyncIterator[str],
    listener: Listener,
    recorded: Recorded,
    refused: Callable[[BadInput], None] | None,
    at_work: asyncio.Lock,
) -> None:
    with suppress(Unmet):
        await expect(app, timeout=_READY).to_be_ready()
        recorded.ready = True
    async for line in lines:
        try:
            async with at_work:
                before = listener.times
                step = await do(app, line)
                await listener.settled()
                if step is not None and not (isinstance(step, Filled) and listener.times > before):
                    recorded.add(step)
        except BadInput as failure:
            if refused is None:
                raise
            refused(failure)


def _note_the_end(app: MiniApp, recorded: Recorded) -> None:
    """An app that was closed from outside, or whose window is gone, has not come to an end of its own."""
    if not app.opened.empty():
        recorded.add(NotRecorded("another app was opened by a link in this one"))
    if app.reason not in (None, CloseReason.CALLER, CloseReason.HOST_GONE, CloseReason.ACCOUNT_LOST):
        recorded.add(Closed(str(app.reason), app.sent_data))
