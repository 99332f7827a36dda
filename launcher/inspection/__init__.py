"""What a client does with a link, stage by stage, and where it stops.

    inspection = await inspect_link(launcher, "https://t.me/demo_bot/app?startapp=x")
    print_inspection(inspection, console)

An inspection is a real launch: the app is opened as `Launcher.open` opens it, looked at and closed at once.
So it asks what an opening asks (a guarded chat is asked to be joined, a bot is started if that was wished
for) and answers by the same consent. A launch that is refused is shown up to its refusal. `stages` are the
values, `run` gathers them, `checks` judges the answer, `show` prints.
"""

from launcher.inspection.run import Onlooker, inspect_link
from launcher.inspection.show import print_inspection
from launcher.inspection.stages import Inspection, Verdict

__all__ = ["Inspection", "Onlooker", "Verdict", "inspect_link", "print_inspection"]
