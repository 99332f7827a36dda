"""Contact with reality: which of the sandbox's assumptions hold on Telegram's servers.

    async with Launcher(Settings(server="test"), "alice") as launcher:
        verification = await verify(launcher, "@my_bot")
        print([finding.name for finding in verification.findings if finding.verdict == "contradicted"])

The account opens every flow that a bot of its owner offers, and then makes those requests once more with
one thing changed, so that the answer tells whether an assumption (`launcher.sandbox.assumptions`) holds. No
page is shown, so nobody's server hears of it. What writes something is left out unless it is allowed by name.
"""

from launcher.verify.findings import Finding, Step, Verdict, Verification
from launcher.verify.run import WRITES, verify

__all__ = ["WRITES", "Finding", "Step", "Verdict", "Verification", "verify"]
