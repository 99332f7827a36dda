"""A test written by doing: what a person (or a script) does in an app becomes a pytest file.

    recorded = await record(launcher, "@demo_bot", lines_of(script), via="main_app")
    Path("test_app.py").write_text(recorded.source())

`page.js` hears what is clicked and typed in the page and names each element so that it is found again;
`hands` are the phone's own controls, which are not in the page: a line of text presses each.
"""

from launcher.extras import from_extras

with from_extras():
    from launcher.record.hands import HELP
    from launcher.record.run import Recorded, record
    from launcher.record.steps import Step

__all__ = ["HELP", "Recorded", "Step", "record"]
