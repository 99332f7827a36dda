"""One launch as a value that can be kept, read by a person, compared, and made again.

    record = Recording()
    async with record.opening(launcher, "https://t.me/demo_bot/app", host="browser") as app:
        await app.ready()
    saved = record.saved()
    saved.write(Path("launch.json"))
    Path("launch.html").write_text(html(saved), "utf-8")

`saved` is the value and its file, `capture` fills it while a launch lasts, `page` makes one HTML page of it,
`diff` compares two, `world` serves one as a sandbox. Secrets are masked on the way into the value, so that
whatever is made of it has none.
"""

from launcher.report.capture import Recording, recording
from launcher.report.diff import Change, difference
from launcher.report.page import html
from launcher.report.saved import SavedLaunch

__all__ = ["Change", "Recording", "SavedLaunch", "difference", "html", "recording"]
