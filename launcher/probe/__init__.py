"""One availability test of one Mini App: its stages, its verdict, and the file that says what to test."""

from launcher.budget import Budget
from launcher.extras import from_extras

with from_extras():
    from launcher.probe.checking import Checker
    from launcher.probe.results import CheckResult, Stage, StageResult, Status
    from launcher.probe.targets import Account, Expectations, Target, Targets, read_targets, target_of

__all__ = [
    "Account",
    "Budget",
    "CheckResult",
    "Checker",
    "Expectations",
    "Stage",
    "StageResult",
    "Status",
    "Target",
    "Targets",
    "read_targets",
    "target_of",
]
