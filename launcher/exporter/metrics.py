"""What `/metrics` tells, as one table: `METRICS`. The README's table, the dashboard and the alert rules are
checked against it.

Names follow Prometheus's own rules: base units, `_total` for counters (prometheus.io/docs/practices/naming).
A target that was not checked yet has no samples of a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from launcher.exporter.exporter import Exporter
from launcher.exporter.watched import AtWork, Watched
from launcher.probe import CheckResult, Status

__all__ = ["METRICS", "Metric", "Metrics", "TargetMetrics"]

_VERSION = version("miniapp-launcher")
Samples: TypeAlias = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: what it is called, what it means, and where its samples come from (labels, value)."""

    name: str
    help: str
    samples: Callable[[Exporter, Iterable[Watched]], Samples]
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"


class Metrics:
    """The exposition of an exporter, made at most once a second as long as nothing new is known."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self._registry = CollectorRegistry()
        self._registry.register(_Table(exporter, METRICS, None))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._made: dict[str, tuple[float, int, bytes]] = {}

    def text(self, accept: str) -> tuple[bytes, str]:
        """The text and its content type, for what a scraper accepts: Prometheus's text or OpenMetrics."""
        encode, content_type = choose_encoder(accept)
        now, number = self._exporter.source.clock(), self._exporter.version
        made_at, made_of, text = self._made.get(content_type, (float("-inf"), -1, b""))
        if made_of != number or now - made_at > 1:
            text = encode(self._registry)
            self._made[content_type] = now, number, text
        return text, content_type


class TargetMetrics(Collector):
    """Those samples that are about one target."""

    def __init__(self, exporter: Exporter, watched: Watched) -> None:
        about = [metric for metric in METRICS if "target" in metric.labels]
        self._table = _Table(exporter, about, watched)

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        return self._table.collect()


class _Table(Collector):
    def __init__(self, exporter: Exporter, metrics: Iterable[Metric], only: Watched | None) -> None:
        self._exporter = exporter
        self._metrics = metrics
        self._only = only

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        watched = [self._only] if self._only else list(self._exporter.source.watched.values())
        for metric in self._metrics:
            family = (CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily)(
                metric.name, metric.help, labels=metric.labels
            )
            for labels, value in metric.samples(self._exporter, watched):
                family.add_metric(labels, value)
            yield family


# Where samples come from


def _of_results(
    value: Callable[[CheckResult, float], float | None],
) -> Callable[[Exporter, Iterable[Watched]], Samples]:
    """A value of each target's last result and its age in seconds; None leaves the target out."""

    def samples(exporter: Exporter, watched: Iterable[Watched]) -> Samples:
        now = exporter.source.clock()
        for one in watched:
            if one.last is not None and (found := value(one.last, now - one.last_at)) is not None:
                yield (one.target.name,), found

    return samples


def _of_accounts(value: Callable[[AtWork], float]) -> Callable[[Exporter, Iterable[Watched]], Samples]:
    def samples(exporter: Exporter, _: Iterable[Watched]) -> Samples:
        return (((account.label,), value(account)) for account in exporter.source.accounts.values())

    return samples


def _of_exporter(value: Callable[[Exporter], float]) -> Callable[[Exporter, Iterable[Watched]], Samples]:
    return lambda exporter, _: [((), value(exporter))]


def _stages(_: Exporter, watched: Iterable[Watched]) -> Samples:
    for one in watched:
        for stage in one.last.stages if one.last else ():
            yield (one.target.name, str(stage.stage)), stage.seconds


def _checks(_: Exporter, watched: Iterable[Watched]) -> Samples:
    return (
        ((one.target.name, status.name.lower()), one.counts[status]) for one in watched for status in Status
    )


def _info(exporter: Exporter, watched: Iterable[Watched]) -> Samples:
    accounts = {id(one): at_work.label for at_work in exporter.source.accounts.values()
                for one in at_work.watched}  # fmt: skip
    for one in watched:
        target = one.target
        yield (target.name, accounts.get(id(one), ""), target.platform, target.host), 1.0


METRICS: tuple[Metric, ...] = (
    Metric(
        "miniapp_probe_success",
        "1 when the last check was OK or WARNING, else 0: also when the app was not tested.",
        _of_results(lambda last, _: float(last.status in (Status.OK, Status.WARNING))),
        ("target",),
    ),
    Metric(
        "miniapp_probe_status",
        "Status of the last check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (the app was not tested).",
        _of_results(lambda last, _: float(last.status)),
        ("target",),
    ),
    Metric(
        "miniapp_probe_duration_seconds",
        "How long each stage of the last check took; stages that were not reached are missing.",
        _stages,
        ("target", "stage"),
    ),
    Metric(
        "miniapp_probe_age_seconds",
        "Time since the last check ended.",
        _of_results(lambda _, age: age),
        ("target",),
    ),
    Metric(
        "miniapp_probe_period_seconds",
        "Time between two checks, as the target file says.",
        lambda _, watched: (((one.target.name,), one.target.period) for one in watched),
        ("target",),
    ),
    Metric(
        "miniapp_probe_checks_total",
        "Checks since the exporter began, by status: ok, warning, critical, unknown.",
        _checks,
        ("target", "status"),
        "counter",
    ),
    Metric(
        "miniapp_resolved_age_seconds",
        "Time since the name of the target's bot was resolved.",
        _of_results(lambda last, age: None if last.resolved_age is None else last.resolved_age + age),
        ("target",),
    ),
    Metric(
        "miniapp_certificate_days",
        "Days for which the certificate of the app's page is valid.",
        _of_results(lambda last, _: last.certificate_days),
        ("target",),
    ),
    Metric(
        "miniapp_target_info",
        "Always 1; the labels say how the target is checked.",
        _info,
        ("target", "account", "platform", "host"),
    ),
    Metric(
        "miniapp_account_up",
        "1 while the account can be used; 0 when it is lost, in use elsewhere, or cannot connect.",
        _of_accounts(lambda account: float(account.up)),
        ("account",),
    ),
    Metric(
        "miniapp_account_budget_requests_per_minute",
        "Requests that the account may make of Telegram in a minute.",
        _of_accounts(lambda account: account.budget.per_minute),
        ("account",),
    ),
    Metric(
        "miniapp_account_budget_left_requests",
        "Requests that the account may make at once; below 0 when it has made more than planned.",
        _of_accounts(lambda account: account.budget.left),
        ("account",),
    ),
    Metric(
        "miniapp_account_requests_total",
        "Requests that checks have made of Telegram.",
        _of_accounts(lambda account: account.requests),
        ("account",),
        "counter",
    ),
    Metric(
        "miniapp_account_flood_wait_seconds",
        "For how long Telegram wants the account to be left alone; 0 when it may be used.",
        _of_accounts(lambda account: account.budget.paused_for),
        ("account",),
    ),
    Metric(
        "miniapp_account_flood_waits_total",
        "How often Telegram has asked for a pause.",
        _of_accounts(lambda account: account.flood_waits),
        ("account",),
        "counter",
    ),
    Metric(
        "miniapp_targets",
        "Targets in the target file.",
        _of_exporter(lambda exporter: len(exporter.source.watched)),
    ),
    Metric(
        "miniapp_config_last_reload_successful",
        "1 when the target file could be used as it was last read; 0 when the one before it is still in use.",
        _of_exporter(lambda exporter: float(exporter.problem is None)),
    ),
    Metric(
        "miniapp_config_last_reload_success_timestamp_seconds",
        "When the target file in use was read, in seconds since the epoch.",
        _of_exporter(lambda exporter: exporter.reloaded_at),
    ),
    Metric(
        "miniapp_history_ok",
        "1 when results are kept across restarts; 0 without a history file, and when it cannot be used.",
        _of_exporter(
            lambda exporter: float(exporter.history is not None and exporter.history.problem is None)
        ),
    ),
    Metric(
        "miniapp_history_failures_total",
        "How often the history file could not be used.",
        _of_exporter(lambda exporter: exporter.history.failures if exporter.history else 0),
        kind="counter",
    ),
    Metric(
        "miniapp_exporter_info",
        "Always 1; the label is the version of the exporter.",
        lambda _, __: [((_VERSION,), 1.0)],
        ("version",),
    ),
)
