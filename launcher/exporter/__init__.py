"""Watching Mini Apps for ever: a schedule of checks, their history, and what monitoring systems read.

    schedule = partial(Schedule, lambda account: Launcher(settings, account))
    async with Exporter(Path("targets.yaml"), schedule) as exporter:
        async with serving(application(exporter), listening("127.0.0.1:9799")):
            await until_told(exporter, print)

`schedule` checks every target in its period; another `source` may tell what workers have found. `watched` is
what is known of each target; `history` keeps it across restarts; `metrics`, `probing` and `page` show it, and
`service` puts them on the web.
"""

from launcher.extras import from_extras

with from_extras():
    from launcher.exporter.exporter import Exporter
    from launcher.exporter.history import History
    from launcher.exporter.schedule import Schedule
    from launcher.exporter.service import application
    from launcher.exporter.serving import listening, serving, until_told
    from launcher.exporter.watched import AtWork, Past, Watched

__all__ = [
    "AtWork",
    "Exporter",
    "History",
    "Past",
    "Schedule",
    "Watched",
    "application",
    "listening",
    "serving",
    "until_told",
]
