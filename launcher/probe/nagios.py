"""The form in which Nagios and its kin read a plugin: one line each, with performance data, and an exit code.

Source: Monitoring Plugins Development Guidelines, "Plugin Output for Nagios" and "Performance data".
"""

from __future__ import annotations

from collections.abc import Sequence

from launcher.plain_text import plain
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
    total = " ".join(f"{_label(one.target)}={one.seconds:.3f}s" for one in results)
    return f"MINIAPP {status.name} - {len(results)} targets: {', '.join(counts)} | {total}"


def _line(result: CheckResult) -> str:
    text = plain(result.text).replace("|", "/")  # the bar begins the performance data
    return f"MINIAPP {result.status.name} - {result.target}: {text}"


def _performance(result: CheckResult) -> str:
    parts = [f"time={result.seconds:.3f}s"]
    parts += [f"{stage.stage}={stage.seconds:.3f}s" for stage in result.stages]
    if result.certificate_days is not None:
        parts.append(f"certificate={result.certificate_days:.1f}")
    return " ".join(parts)


def _label(name: str) -> str:
    return f"'{name}'" if " " in name or "=" in name else name
