"""The catalogue: every step of a drive, in the order in which reports list them.

The ids are those of the published check list for launchers that know Metapro; `C1.users` is the part of C1
that is about the users service.
"""

from __future__ import annotations

from launcher.metapro.step import Step
from launcher.metapro.steps import configuration, data, launch, login, outage, privacy, session, wallet

__all__ = ["CATALOGUE"]

CATALOGUE: tuple[Step, ...] = (
    *configuration.STEPS,
    *launch.STEPS,
    *login.STEPS,
    *wallet.STEPS,
    *data.STEPS,
    *session.STEPS,
    *outage.STEPS,
    *privacy.STEPS,
)
