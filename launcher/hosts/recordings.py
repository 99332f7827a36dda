"""What may be written of a page: a trace, a HAR file, a video.

Traces (`playwright show-trace FILE`) and HAR files hold every URL and body, and so the launch's secrets:
both are written to a temporary place first, and reach their own name only with the secrets struck out
(`LaunchSecrets` says which). Pictures are not looked into: a page that shows its init data shows them in
a screenshot, a trace's frames and a video too.

A video needs Playwright's ffmpeg (`playwright install ffmpeg`).
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Error

from launcher.hosts.launch_secrets import LaunchSecrets

__all__ = ["Recordings"]


class Recordings:
    """What is recorded of one launch, and where it goes. Use `during` around the life of the page."""

    def __init__(
        self, secrets: LaunchSecrets, *, trace: Path | None, har: Path | None, video: Path | None
    ) -> None:
        self._secrets = secrets
        self._trace = trace
        self._har = har
        self._video = video
        wanted = trace or har
        self._raw = Path(tempfile.mkdtemp(prefix="miniapp-")) if wanted else None

    def context_options(self) -> dict[str, Any]:
        """What a new context has to be told from the beginning."""
        options: dict[str, Any] = {}
        if self._har and self._raw:
            options |= {"record_har_path": self._raw / "page.har", "record_har_content": "embed"}
        if self._video:
            options |= {"record_video_dir": self._video}
        return options

    @asynccontextmanager
    async def during(self, context: BrowserContext) -> AsyncIterator[None]:
        """Record while the block runs, and write when it ends, whatever ended it. It closes the context."""
        if self._trace:
            await context.tracing.start(screenshots=True, snapshots=True, sources=False)
        try:
            yield
        finally:
            await self._write(context)

    async def _write(self, context: BrowserContext) -> None:
        if self._raw is None:
            return
        try:
            with suppress(Error):  # a context that is gone has nothing more to tell
                if self._trace:
                    await context.tracing.stop(path=self._raw / "trace.zip")
                await context.close()
            await asyncio.to_thread(self._keep, self._raw)
        finally:
            shutil.rmtree(self._raw, ignore_errors=True)

    def _keep(self, raw: Path) -> None:
        if self._har and (raw / "page.har").exists():
            self._har.write_bytes(self._secrets.mask_bytes((raw / "page.har").read_bytes()))
        if self._trace and (raw / "trace.zip").exists():
            _masked_zip(raw / "trace.zip", self._trace, self._secrets)


def _masked_zip(source: Path, target: Path, secrets: LaunchSecrets) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, secrets.mask_bytes(old.read(entry)))
