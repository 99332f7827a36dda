"""The exporter on the web: metrics, probes in blackbox_exporter's form, reloads, passwords, TLS, crowds."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
from prometheus_client import openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from flows import BadInput
from launcher.exporter import application
from launcher.exporter.history import History
from launcher.exporter.metrics import METRICS
from launcher.exporter.serving import is_loopback, listening, serving
from launcher.exporter.web_config import Tls, read_web_config
from launcher.probe import Status
from launcher.sandbox.faults import Fail
from tests.exporting import READY, TWO, World, client, exporting
from tests.pages import SILENT, certificate


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What a scrape says, read by Prometheus's own reader."""
    families: list[Any] = list(read_text(text))
    return {
        (one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples
    }


def value(text: str, name: str, **labels: str) -> float | None:
    return samples(text).get((name, frozenset(labels.items())))


async def get(world: World, path: str, **headers: str) -> httpx.Response:
    async with client(world.app) as asked:
        return await asked.get(path, headers=headers)


# /metrics


async def test_metrics_are_what_was_found(tmp_path: Path) -> None:
    async with exporting(tmp_path, TWO.replace("menu_button", "main_app")) as world:
        world.sandbox.faults.on("messages.requestAppWebView", Fail(403, "BOT_WEBVIEW_DISABLED"), times=None)
        await world.checked("shop")
        await world.checked("main")
        async with client(world.app) as asked:
            before = (await asked.get("/metrics")).text
            world.time.go(60)
            text = (await asked.get("/metrics")).text
    assert value(before, "miniapp_probe_age_seconds", target="main") == 0
    assert value(text, "miniapp_probe_success", target="shop") == 0
    assert value(text, "miniapp_probe_status", target="shop") == Status.CRITICAL
    assert value(text, "miniapp_probe_status", target="main") == Status.OK
    assert value(text, "miniapp_probe_success", target="main") == 1
    assert value(text, "miniapp_probe_status", target="menu") is None
    assert value(text, "miniapp_probe_age_seconds", target="main") == 60
    assert value(text, "miniapp_resolved_age_seconds", target="main") == pytest.approx(60, abs=1)
    assert value(text, "miniapp_probe_checks_total", target="shop", status="critical") == 1
    assert value(text, "miniapp_probe_duration_seconds", target="main", stage="navigate")
    assert value(text, "miniapp_account_up", account="bob") == 1
    assert value(text, "miniapp_account_budget_requests_per_minute", account="bob") == 60
    assert value(text, "miniapp_account_requests_total", account="bob") == 2
    assert value(text, "miniapp_targets") == 3
    assert value(text, "miniapp_history_ok") == 0
    assert value(text, "process_resident_memory_bytes")


async def test_every_metric_of_the_table_is_there_and_no_other(tmp_path: Path) -> None:
    async with exporting(tmp_path, history=History(tmp_path / "history.sqlite")) as world:
        await world.checked("shop")
        response = await get(world, "/metrics")
        assert response.headers["content-type"].startswith("text/plain; version=")
        families = {family.name: family for family in read_text(response.text)}
        modern = await get(world, "/metrics", accept="application/openmetrics-text; version=1.0.0")
    modern_families: list[Any] = list(read_openmetrics(modern.text))  # type: ignore[no-untyped-call]
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    assert {family.name for family in modern_families} == set(families)
    ours = {name for name in families if name.startswith("miniapp_")}
    assert ours == {metric.name.removesuffix("_total") for metric in METRICS}
    for metric in METRICS:
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        assert {tuple(sorted(one.labels)) for one in family.samples} <= {tuple(sorted(metric.labels))}
    assert openmetrics


async def test_a_reload_and_the_history_are_in_the_metrics(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    async with exporting(tmp_path, history=history) as world:
        shop = await world.checked("shop")
        before = (await get(world, "/metrics")).text
        assert value(before, "miniapp_history_ok") == 1
        read_at = value(before, "miniapp_config_last_reload_success_timestamp_seconds")
        (tmp_path / "targets.yaml").write_text("targets: []")
        history.file = tmp_path / "folder"
        history.file.mkdir()
        history.close()
        history.note(shop.last, 1.0) if shop.last else None
        async with client(world.app) as asked:
            refused = await asked.post("/-/reload")
            after = (await asked.get("/metrics")).text
        assert (refused.status_code, "targets.yaml:1:" in refused.text) == (500, True)
        assert value(after, "miniapp_config_last_reload_successful") == 0
        assert value(after, "miniapp_config_last_reload_success_timestamp_seconds") == read_at
        assert (value(after, "miniapp_history_ok"), value(after, "miniapp_history_failures_total")) == (0, 1)
        assert value(after, "miniapp_targets") == 3


async def test_only_those_who_may_can_reload(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world, client(world.app) as asked:
        assert (await asked.get("/-/reload")).status_code == 405
        assert (await asked.post("/-/reload", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
        assert (await asked.post("/-/reload")).text == "Reloaded\n"
        assert (await asked.get("/-/healthy")).text == "Healthy\n"


# /probe


async def test_a_probe_answers_from_the_last_check(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world:
        shop = await world.checked("shop")
        world.time.go(42)
        asked = len(world.sandbox.log)
        text = (await get(world, "/probe?target=shop")).text
        assert len(world.sandbox.log) == asked
        assert shop.last
        assert value(text, "probe_success") == 1
        assert value(text, "probe_duration_seconds") == pytest.approx(shop.last.seconds)
        for header, seconds in (("120", 30), ("20", 19.5), ("0.4", 0.4)):
            given = {"X-Prometheus-Scrape-Timeout-Seconds": header}
            timed = (await get(world, "/probe?target=shop", **given)).text
            assert value(timed, "probe_timeout_seconds") == seconds
        assert value(text, "probe_timeout_seconds") == 30
        assert value(text, "miniapp_probe_age_seconds", target="shop") == 42
        assert not [name for name, labels in samples(text) if ("target", "main") in labels]


async def test_a_module_judges_as_far_as_it_goes(tmp_path: Path) -> None:
    async with exporting(tmp_path, pages={"/": READY}) as world:  # there is no /app
        await world.checked("shop")
        assert value((await get(world, "/probe?target=shop")).text, "probe_success") == 0
        telegram = (await get(world, "/probe?target=shop&module=telegram")).text
        assert value(telegram, "probe_success") == 1


async def test_a_warning_is_a_success(tmp_path: Path) -> None:
    slow = TWO.replace("t.me/demo_bot/app", "t.me/demo_bot/app, expect: {within: 1ms}")
    async with exporting(tmp_path, slow) as world:
        await world.checked("shop")
        for path in ("/probe?target=shop", "/metrics"):
            text = (await get(world, path)).text
            assert value(text, "miniapp_probe_status", target="shop") == Status.WARNING
            assert value(text, "miniapp_probe_success", target="shop") == 1
        assert value((await get(world, "/probe?target=shop")).text, "probe_success") == 1


@pytest.mark.parametrize(
    ("query", "headers", "status", "words"),
    [
        ("", {}, 400, "Target parameter is missing"),
        ("?target=t.me/demo_bot/app", {}, 404, "no such target"),
        ("?target=", {}, 404, "no such target"),
        ("?target=shop&module=icmp", {}, 400, "Modules: miniapp, telegram."),
        ("?target=shop", {"X-Prometheus-Scrape-Timeout-Seconds": "soon"}, 400, "number of seconds"),
        ("?target=shop", {"X-Prometheus-Scrape-Timeout-Seconds": "nan"}, 400, "number of seconds"),
        ("?target=shop", {"X-Prometheus-Scrape-Timeout-Seconds": "-1"}, 400, "number of seconds"),
    ],
)
async def test_what_cannot_be_probed_is_refused_and_launches_nothing(
    tmp_path: Path, query: str, headers: dict[str, str], status: int, words: str
) -> None:
    async with exporting(tmp_path) as world:
        await world.checked("shop")
        await world.checked("main")
        asked = len(world.sandbox.log)
        response = await get(world, f"/probe{query}", **headers)
        assert (response.status_code, words in response.text) == (status, True), response.text
        assert len(world.sandbox.log) == asked


async def test_a_scraper_waits_for_the_first_check_as_long_as_it_has_time(tmp_path: Path) -> None:
    async with exporting(tmp_path, pages={"/": READY, "/app": SILENT}) as world, client(world.app) as asked:
        hurry = {"X-Prometheus-Scrape-Timeout-Seconds": "0.6"}
        text = (await asked.get("/probe?target=shop", headers=hurry)).text
        assert {name for name, _ in samples(text)} == {
            "probe_timeout_seconds", "miniapp_probe_period_seconds", "miniapp_probe_checks_total",
            "miniapp_target_info",
        }  # fmt: skip
        assert value(text, "probe_timeout_seconds") == pytest.approx(0.1)
        waiting = asyncio.create_task(asked.get("/probe?target=menu"))
        await world.until(lambda: world["menu"].next_at)
        world.time.go(1)
        assert value((await waiting).text, "probe_success") == 1


async def test_debug_says_what_a_probe_comes_from(tmp_path: Path) -> None:
    link = '"t.me/demo_bot/app?startapp=token-of-a-customer", start_param: token-of-a-customer'
    async with exporting(tmp_path, TWO.replace("t.me/demo_bot/app", link)) as world:
        await world.checked("shop")
        response = await get(world, "/probe?target=shop&debug=true")
        assert response.headers["content-type"].startswith("text/plain")
        for words in (
            "Logs for the probe:", "web_view: OK", "Metrics that would have been returned:",
            "probe_success 1.0", "Module configuration:", "host: http",
        ):  # fmt: skip
            assert words in response.text
        assert "token-of-a-customer" not in response.text


# Crowds, passwords, certificates


@asynccontextmanager
async def served(
    world: World, config: Path | None = None, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    web = read_web_config(config) if config else None
    tls, users = (web.tls_server_config, web.basic_auth_users) if web else (None, None)
    with listening("127.0.0.1:0") as listener:
        address = f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            serving(application(world.exporter, users), listener, tls),
            httpx.AsyncClient(base_url=address, timeout=60, **{"verify": False} | options) as asked,
        ):
            yield asked


async def test_two_hundred_scrapes_at_once(tmp_path: Path) -> None:
    limits = httpx.Limits(max_connections=200)
    async with exporting(tmp_path) as world:
        await world.checked("shop")
        await world.checked("main")
        async with served(world, limits=limits) as asked:
            paths, requests = ["/metrics", "/probe?target=shop"] * 100, len(world.sandbox.log)
            answers = await asyncio.gather(*(asked.get(path) for path in paths))
        assert len(world.sandbox.log) == requests
        assert {answer.status_code for answer in answers} == {200}
        assert value(answers[-2].text, "miniapp_probe_success", target="main") == 1
        assert all(value(answer.text, "probe_success") == 1 for answer in answers[1::2])
        world.time.go(300)
        await world.checked("shop", 2)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TLS, and two who may look: by a hash, and by the environment."""
    certificate(tmp_path, timedelta(days=9))
    monkeypatch.setenv("GRAFANA_PASSWORD", "of the environment")
    hashed = bcrypt.hashpw("pässword".encode(), bcrypt.gensalt(4)).decode()
    file = tmp_path / "web.yaml"
    file.write_text(
        "tls_server_config: {cert_file: certificate.pem, key_file: key.pem}\n"
        f"basic_auth_users:\n  prometheus: {hashed}\n  grafana: env:GRAFANA_PASSWORD\n"
    )
    return file


async def test_who_has_a_password_may_look(tmp_path: Path, config: Path) -> None:
    trust = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
    async with exporting(tmp_path) as world, served(world, config, verify=trust) as asked:
        for auth, status in (
            (None, 401),
            (("prometheus", "pässword"), 200),
            (("prometheus", "pässword"), 200),
            (("prometheus", "password"), 401),
            (("nobody", "pässword"), 401),
            (("grafana", "of the environment"), 200),
            (("grafana", "x" * 100), 401),
            (("grafana", "pässword"), 401),
        ):
            for path in ("/", "/metrics", "/-/healthy"):
                headers = {} if auth is None else {"Authorization": basic(*auth)}
                assert (await asked.get(path, headers=headers)).status_code == status, auth
        refused = await asked.get("/", headers={"Authorization": "Basic ???"})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Basic realm="miniapp"')


def basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "basic_auth_users: {prometheus: secret-password}",
            ":1: basic_auth_users: what is said of prometheus",
        ),
        (
            "\nbasic_auth_users: {grafana: env:NO_SUCH_PASSWORD}",
            ":2: basic_auth_users: the environment has no",
        ),
        ("tls: 1", ":1: tls: extra inputs are not permitted"),
        ("tls_server_config: {cert_file: x}", ":1: tls_server_config.key_file: field required"),
        ("[", ":1: not YAML"),
    ],
)
def test_a_web_configuration_that_cannot_be_used_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "web.yaml").write_text(text)
    with pytest.raises(BadInput) as refused:
        read_web_config(tmp_path / "web.yaml")
    assert words.lower() in str(refused.value).lower()
    assert "secret-password" not in str(refused.value)


async def test_a_certificate_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    for name, words in (("none.pem", "no certificate with its key"), ("gone.pem", "No such file")):
        tls = Tls(cert_file=tmp_path / name, key_file=tmp_path / name)
        async with exporting(tmp_path) as world:
            with listening("127.0.0.1:0") as listener, pytest.raises(BadInput, match=words):
                async with serving(application(world.exporter), listener, tls):
                    pass


def test_addresses() -> None:
    with listening("127.0.0.1:0") as listener:
        assert is_loopback(listener)
        with pytest.raises(BadInput, match="in use"):
            listening(f"127.0.0.1:{listener.getsockname()[1]}")
    for wrong in ("localhost:9799", "9799", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", ""):
        with pytest.raises(BadInput, match="no address"):
            listening(wrong)
