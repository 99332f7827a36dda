"""`/probe`, in the form of blackbox_exporter: what the last scheduled check of one target found.

A scrape never launches anything, so Telegram is asked no oftener than the target file says. Only a target
that was never checked is waited for, as long as the scraper has time; if there is nothing to tell then,
`probe_success` is absent: 0 would say that the app is down. Modules say how much is judged:
`miniapp` the whole check, `telegram` no further than the web view, when the page itself is not the question.

Source: github.com/prometheus/blackbox_exporter (probe_success, probe_duration_seconds, probe_timeout_seconds;
X-Prometheus-Scrape-Timeout-Seconds less half a second).
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from flows import BadInput
from launcher.exporter.exporter import Exporter
from launcher.exporter.metrics import TargetMetrics
from launcher.exporter.watched import Watched
from launcher.plain_text import plain
from launcher.probe import Stage, StageResult, Status

__all__ = ["MODULES", "Asked", "probe"]

MODULES: dict[str, tuple[Stage, ...]] = {
    "miniapp": tuple(Stage),
    "telegram": (Stage.PARSE, Stage.RESOLVE, Stage.BOT_APP, Stage.WEB_VIEW),
}
OFFSET = 0.5
"""Seconds that an answer needs to get to the scraper."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of `/probe`. `scrape_timeout` is the header's text. Raises BadInput for what cannot be."""

    watched: Watched
    module: str = "miniapp"
    scrape_timeout: str | None = None
    debug: bool = False

    def __post_init__(self) -> None:
        if self.module not in MODULES:
            raise BadInput(f"There is no module {plain(self.module)}.", f"Modules: {', '.join(MODULES)}.")
        if not self.timeout > 0:
            raise BadInput("The scrape timeout leaves no time.", "It is a number of seconds above 0.")

    @property
    def timeout(self) -> float:
        """Seconds that an answer may take: the target's own, or less when the scraper has less."""
        timeout = self.watched.target.timeout
        if self.scrape_timeout is None:
            return timeout
        try:
            given = float(self.scrape_timeout)
        except ValueError:
            return math.nan
        return min(given - OFFSET if given > OFFSET else given, timeout)  # in this order NaN stays NaN


async def probe(exporter: Exporter, asked: Asked) -> bytes:
    """The metrics; with `debug` what they come from as well."""
    watched = asked.watched
    with suppress(TimeoutError):
        async with asyncio.timeout(asked.timeout):
            await watched.checked.wait()
    stages = _judged(asked)
    metrics = generate_latest(_registry(exporter, asked, stages))
    return _explained(exporter, asked, stages, metrics.decode()).encode() if asked.debug else metrics


def _judged(asked: Asked) -> tuple[StageResult, ...]:
    last = asked.watched.last
    return tuple(stage for stage in last.stages if stage.stage in MODULES[asked.module]) if last else ()


def _registry(exporter: Exporter, asked: Asked, stages: tuple[StageResult, ...]) -> CollectorRegistry:
    registry = CollectorRegistry()
    well = bool(stages) and all(stage.status in (Status.OK, Status.WARNING) for stage in stages)
    last = asked.watched.last
    whole = last is not None and asked.module == "miniapp"
    seconds = last.seconds if last is not None and whole else sum(stage.seconds for stage in stages)
    told = [("probe_timeout_seconds", "Returns the timeout for the probe in seconds", asked.timeout)]
    if last is not None:
        told += [
            ("probe_success", "Displays whether or not the probe was a success", float(well)),
            ("probe_duration_seconds", "Returns how long the probe took to complete in seconds", seconds),
        ]
    for name, help, value in told:
        Gauge(name, help, registry=registry).set(value)
    registry.register(TargetMetrics(exporter, asked.watched))
    return registry


def _explained(exporter: Exporter, asked: Asked, stages: tuple[StageResult, ...], metrics: str) -> str:
    target, age = asked.watched.target, asked.watched.age(exporter.source.clock())
    lines = ["Logs for the probe:"]
    lines.append("not checked yet" if age is None else f"checked {age:.1f} s ago")
    for stage in stages:
        said = f"{stage.text} {stage.remedy}".strip()
        lines.append(
            f"{stage.stage}: {stage.status.name}, {stage.seconds:.3f} s{said and f': {plain(said)}'}"
        )
    lines += ["", "", "", "Metrics that would have been returned:", metrics]
    lines += ["", "", "Module configuration:", f"module: {asked.module}"]
    lines += [f"{name}: {plain(value)}" for name, value in _configuration(target.model_dump(mode="json"))]
    return "\n".join(lines) + "\n"


def _configuration(target: dict[str, object]) -> list[tuple[str, object]]:
    """What the target file says, without the link: its start parameter may be a secret."""
    return [(name, value) for name, value in target.items() if name not in ("link", "start_param")]
