"""The demonstration: a sandbox, a sign-in, and all nine flows opened, kept alive and closed.

    report = await run_demo(on_step=lambda step: print_step(step, console))
    print_demo(report, console)
    raise SystemExit(not report.ok)

Everything is real but the place: the clients are the launcher's own, the data centre listens on the loopback.
What is documented of each flow is held against what happened (`expected`), so that the demonstration is also
a test of the installation. With `folder` every app is shown in Chromium too, and photographed: the page is
the sandbox's sample Mini App (`launcher.sandbox.site`). `flows_shown` says what is opened and how each app
ends, `report` is what came of it, `show` prints it, `on_screen` looks at pages, `pages` writes the overview
of their pictures.
"""

from launcher.demo.report import Check, DemoReport, LaunchReport, Step
from launcher.demo.run import run_demo
from launcher.demo.show import print_demo, print_step

__all__ = ["Check", "DemoReport", "LaunchReport", "Step", "print_demo", "print_step", "run_demo"]
