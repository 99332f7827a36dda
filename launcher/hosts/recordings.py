"""What may be written of a page: a trace, a HAR file, a video.

Traces (`playwright show-trace FILE`) and HAR files hold every URL and body, and so the launch's secrets:
both are written to a temporary place first, and reach their own name only with the secrets struck out
(`LaunchSecrets` says which). Pictures are not looked into: a page that shows its init data shows them in
a screenshot, a trace's frames and a video too.

A video needs Playwright's ffmpeg (`playwright install ffmpeg`). Without it the folder gets what the page
looked like as numbered JPEG files, ten a second at most and only while something changes. A browser that is
somewhere else keeps its films to itself until they are asked for, so the folder gets them at the end.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from playwright.async_api import BrowserContext, Error, Page

from launcher.hosts.launch_secrets import LaunchSecrets

__all__ = ["NO_FFMPEG", "Recordings"]

NO_FFMPEG = (
    "Playwright's ffmpeg is not there, so that pictures are kept instead of a video; "
    "`python -m playwright install ffmpeg` gets it."
)

_CLOSE = 10.0
"""Seconds for a context to close; Chromium ends a hung page's process in half a second."""
_BETWEEN = 100.0
"""Milliseconds from one picture to the next."""


class Recordings:
    """What is recorded of one launch, and where it goes: `async with Recordings(...)` around its context.

    The files are there when the block has ended, whatever ended it: a page that crashed or was closed too.
    """

    def __init__(
        self,
        secrets: LaunchSecrets,
        *,
        trace: Path | None,
        har: Path | None,
        video: Path | None,
        pictures: bool = False,
    ) -> None:
        self._secrets = secrets
        self._trace = trace
        self._har = har
        self._video = None if pictures else video
        self._pictures = video if pictures else None
        self._picture = (0, float("-inf"))  # the number of the latest, and its time
        self._raw: Path | None = None
        self._pages: list[Page] = []
        self._finishing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._trace or self._har or self._video:
            self._raw = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="miniapp-"))
        return self

    async def __aexit__(self, *failure: Any) -> None:
        if self._raw is None:
            return
        try:
            await asyncio.to_thread(self._keep, self._raw)
        finally:
            await asyncio.to_thread(shutil.rmtree, self._raw, ignore_errors=True)

    def context_options(self) -> dict[str, Any]:
        """What a new context has to be told from the beginning."""
        options: dict[str, Any] = {}
        if self._har and self._raw:
            options |= {"record_har_path": self._raw / "page.har", "record_har_content": "embed"}
        if self._video and self._raw:
            options |= {"record_video_dir": self._raw}
        return options

    async def start(self, context: BrowserContext) -> None:
        if self._video:
            context.on("page", lambda page: self._pages.append(page))
        if self._trace:
            await context.tracing.start(screenshots=True, snapshots=True, sources=False)

    async def film(self, page: Page) -> None:
        """Begin to keep pictures of the page, if they are to stand for the video."""
        if self._pictures is None:
            return
        await asyncio.to_thread(self._pictures.mkdir, parents=True, exist_ok=True)
        with suppress(Error, TimeoutError):
            async with asyncio.timeout(_CLOSE):
                await page.screencast.start(on_frame=self._keep_picture)

    def _keep_picture(self, frame: Any) -> None:
        assert self._pictures is not None
        number, last = self._picture
        if frame["timestamp"] - last >= _BETWEEN:
            self._picture = (number + 1, frame["timestamp"])
            (self._pictures / f"page-{number + 1:05}.jpg").write_bytes(frame["data"])

    async def finish(self, context: BrowserContext) -> None:
        """Close a context, whatever state its page is in, and have everything recorded; once."""
        if self._finishing is None:
            self._finishing = asyncio.create_task(self._finish(context))
        await asyncio.shield(self._finishing)

    async def _finish(self, context: BrowserContext) -> None:
        with suppress(Error, TimeoutError):
            async with asyncio.timeout(_CLOSE):
                if self._raw and (self._trace or self._video):
                    await asyncio.gather(*(page.close() for page in context.pages), return_exceptions=True)
                if self._trace and self._raw:
                    await context.tracing.stop(path=self._raw / "trace.zip")
        if self._video:
            for number, page in enumerate(self._pages, 1):
                await _save_film(page, self._video / ("page.webm" if number == 1 else f"page-{number}.webm"))
        with suppress(Error, TimeoutError):
            async with asyncio.timeout(_CLOSE):
                await context.close()

    def _keep(self, raw: Path) -> None:
        har, trace = raw / "page.har", raw / "trace.zip"
        if self._har and har.exists():
            self._har.write_bytes(self._secrets.mask_bytes(har.read_bytes()))
        if self._trace and trace.exists():
            _masked_zip(trace, self._trace, self._secrets)


async def _save_film(page: Page, file: Path) -> None:
    with suppress(Error, TimeoutError):  # a browser that is gone has taken it along
        async with asyncio.timeout(_CLOSE):
            if page.video is not None:
                await page.video.save_as(file)


def _masked_zip(source: Path, target: Path, secrets: LaunchSecrets) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, secrets.mask_bytes(old.read(entry)))
