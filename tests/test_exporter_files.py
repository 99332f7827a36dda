"""The files for Prometheus and Grafana: they use metrics that exist, with labels that exist."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from launcher.exporter.metrics import METRICS
from launcher.probe import Stage, Status
from tests.conftest import need
from tests.exporting import TWO, client, exporting

SHIPPED = Path(str(files("launcher.exporter")))
DASHBOARD = json.loads((SHIPPED / "dashboard.json").read_text())
ALERTS = SHIPPED / "alerts.yml"
LABELS = {metric.name: {*metric.labels, "instance", "job"} for metric in METRICS}
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
VALUES = {"stage": {str(stage) for stage in Stage}, "status": {status.name.lower() for status in Status}}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panel_expressions() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


EXPRESSIONS = [*panel_expressions(), *((rule["alert"], rule["expr"]) for rule in rules())]


def selectors(expression: str) -> list[promql.VectorSelector]:
    """Every selector of an expression, as Prometheus's grammar has it."""
    found: list[promql.VectorSelector] = []

    def see(node: Any) -> bool:
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        return True

    promql.walk(promql.parse(expression), see)
    return found


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_an_expression_asks_for_what_there_is(where: str, expression: str) -> None:
    found = selectors(expression)
    assert found
    for selector in found:
        assert selector.name in LABELS.keys() | PROCESS, where
        for matcher in selector.matchers.matchers:
            assert matcher.name in LABELS.get(selector.name, {"job", "instance"}), where
            if matcher.name in VALUES and "$" not in matcher.value:
                assert set(matcher.value.split("|")) <= VALUES[matcher.name]


def test_what_there_is_not_is_noticed() -> None:
    with pytest.raises(AssertionError):
        test_an_expression_asks_for_what_there_is("", 'sum(miniapp_probe_status{stage="x"})')
    with pytest.raises(AssertionError):
        test_an_expression_asks_for_what_there_is("", "rate(miniapp_probes_total[5m]) > 0")
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        selectors("sum(miniapp_probe_status")


async def test_no_alert_can_fire_for_a_target_that_was_not_checked_yet(tmp_path: Path) -> None:
    """Whatever an alert compares or joins, something of it is missing, so that its answer is empty."""
    async with exporting(tmp_path, TWO) as world, client(world.app) as asked:
        text = (await asked.get("/metrics")).text
        assert world["menu"].last is None
    known = {
        (family.name, sample.labels.get("target"))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "status" not in sample.labels
    }
    assert ("miniapp_probe_period_seconds", "menu") in known
    for rule in rules():
        for branch in rule["expr"].split(" or "):
            names = [str(one.name) for one in selectors(branch)]
            if any("target" in LABELS[name] for name in names):
                assert not all((name, "menu") in known for name in names), rule["alert"]


def test_every_metric_of_a_check_is_on_the_dashboard_or_in_an_alert() -> None:
    used = {selector.name for _, expression in EXPRESSIONS for selector in selectors(expression)}
    assert {metric.name for metric in METRICS if metric.labels} <= used | {"miniapp_exporter_info"}


def test_the_dashboard_is_one_that_grafana_can_import() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["datasource"]["uid"] == "${datasource}"
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert names == {"datasource", "job", "target"}
    for variable in DASHBOARD["templating"]["list"][1:]:
        metric, _, label = variable["definition"].removeprefix("label_values(").rstrip(")").partition(", ")
        assert label in LABELS[metric]


def test_the_labels_in_an_alerts_text_are_those_of_its_metrics() -> None:
    for rule in rules():
        labels = set.intersection(*(LABELS[str(one.name)] for one in selectors(rule["expr"])))
        said = " ".join(rule["annotations"].values())
        assert set(re.findall(r"\$labels\.(\w+)", said)) <= labels, rule["alert"]


# Prometheus's own tool


@pytest.fixture(scope="session")
def promtool(request: pytest.FixtureRequest) -> str:
    """On PATH, or out of Debian's package, which is unpacked and not installed."""
    found = shutil.which("promtool")
    if found is not None:
        return found
    assert request.config.cache is not None
    kept = request.config.cache.mkdir("promtool") / "promtool"
    if not kept.exists():
        _fetch(kept)
    return str(kept)


def _fetch(kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        try:
            for command in (
                ["apt-get", "download", "prometheus"],
                ["sh", "-c", "dpkg -x prometheus_*.deb ."],
            ):
                subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
            (Path(folder) / "usr/bin/promtool").rename(kept)
        except (subprocess.SubprocessError, OSError) as error:
            need("promtool", f"it is not on PATH, nor can apt fetch it ({type(error).__name__})")


RULES_TEST = """
rule_files: [%s]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'miniapp_probe_status{target="shop"}', values: "2x60"}
      - {series: 'miniapp_probe_status{target="menu"}', values: "0x60"}
      - {series: 'miniapp_probe_age_seconds{target="menu"}', values: "0+60x60"}
      - {series: 'miniapp_probe_period_seconds{target="menu"}', values: "300x60"}
      - {series: 'miniapp_account_up{account="alice"}', values: "0x60"}
    alert_rule_test:
      - {eval_time: 5m, alertname: MiniAppDown, exp_alerts: []}
      - eval_time: 15m
        alertname: MiniAppDown
        exp_alerts:
          - exp_labels: {severity: critical, target: shop}
            exp_annotations:
              summary: shop is down
              description: The last checks of shop were CRITICAL. The status page says at which stage.
      - {eval_time: 15m, alertname: MiniAppNotTested, exp_alerts: []}
      - eval_time: 55m
        alertname: MiniAppNotTested
        exp_alerts:
          - exp_labels: {severity: warning, target: menu}
            exp_annotations:
              summary: menu is not tested
              description: >-
                Whether menu works is not known: its account, Telegram or the network stood in the way.
      - eval_time: 16m
        alertname: MiniAppAccountUnusable
        exp_alerts:
          - exp_labels: {severity: critical, account: alice}
            exp_annotations:
              summary: The account alice cannot be used
              description: >-
                Nothing is tested as alice. The status page says why; perhaps `miniapp login` is needed.
"""


def test_promtool_takes_the_rules_and_they_fire_when_they_should(promtool: str, tmp_path: Path) -> None:
    test = tmp_path / "test.yml"
    test.write_text(RULES_TEST % ALERTS)
    for command in (["check", "rules", str(ALERTS)], ["test", "rules", str(test)]):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


async def test_promtool_takes_the_metrics(promtool: str, tmp_path: Path) -> None:
    async with exporting(tmp_path, TWO) as world, client(world.app) as asked:
        await world.checked("shop")
        text = "".join(
            f"{line}\n" for line in (await asked.get("/metrics")).text.splitlines() if "miniapp_" in line
        )
    assert list(text_string_to_metric_families(text))
    checking = await asyncio.create_subprocess_exec(
        promtool, "check", "metrics", stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await checking.communicate(text.encode())
    assert (checking.returncode, said) == (0, b"")
