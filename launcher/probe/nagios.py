"""The form in which Nagios and its kin read a plugin: one line each, with performance data, and an exit code.

Labels need no quotes: names of targets and stages have neither spaces nor = nor quotes. Of the five values
`value;warn;crit;min;max` the thresholds are left empty, because a status may have many reasons.

Source: Monitoring Plugins Development Guidelines, "Plugin Output for Nagios" and "Performance data".
"""

from __future__ import annotations

from collections.abc import Sequence

from launcher.nagios_line import line
from launcher.probe.results import CheckResult, Status, worst

__all__ = ["nagios"]


def nagios(results: Sequence[CheckResult]) -> str:
    """The first line is the whole; of several checks each has a line of its own below it."""
    lines = [_first(results), *(_line(result) for result in results if len(results) > 1)]
    return "\n".join(lines)


def _first(results: Sequence[CheckResult]) -> str:
    if len(results) == 1:
        return f"{_line(results[0])} | {_performance(results[0])}"
    status = worst(result.status for result in results)
    counts = [
        f"{count} {each.name}" for each in Status if (count := sum(one.status is each for one in results))
    ]
    total = " ".join(f"{one.target}={one.seconds:.3f}s;;;0" for one in results)
    return f"MINIAPP {status.name} - {len(results)} targets: {', '.join(counts)} | {total}"


def _line(result: CheckResult) -> str:
    return line(result.status.name, f"{result.target}: {result.text}")


def _performance(result: CheckResult) -> str:
    parts = [f"time={result.seconds:.3f}s;;;0"]
    parts += [f"{stage.stage}={stage.seconds:.3f}s;;;0" for stage in result.stages]
    if result.certificate_days is not None:
        parts.append(f"certificate={result.certificate_days:.1f}")
    return " ".join(parts)
