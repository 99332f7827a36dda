"""`miniapp exporter` as its users have it: a process that serves, reads its file anew, and ends well."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from launcher import cli
from launcher.exporter import History
from tests.readme import README, block

SCRIPT = Path(sys.executable).with_name("miniapp")
PAGES = """
server: sandbox
defaults: {account: alice, period: 1m}
targets:
  - {name: page, link: t.me/demo_bot/app}
  - {name: metapro, bot: "@metapro_demo_bot", via: main_app, account: bob_builds, metapro: [C0, T1]}
"""
EXAMPLE = block(README.read_text(), "targets").removeprefix("```yaml\n").removesuffix("```")
PATIENCE = 120.0


@asynccontextmanager
async def exporter(folder: Path, *arguments: str) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """The README's example at work, and a client of its web side."""
    (folder / "targets.yaml").write_text(EXAMPLE)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TELEGRAM_")}
    process = await asyncio.create_subprocess_exec(
        SCRIPT, "exporter", "targets.yaml", "--listen", "127.0.0.1:0", *arguments,
        cwd=folder, env=kept, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            line = await said(process)
            found = re.match(r"3 targets: (http://127\.0\.0\.1:\d+)/ \. Ctrl-C stops it\.", line)
            assert found, line
            async with httpx.AsyncClient(base_url=found[1], timeout=PATIENCE) as asked:
                yield process, asked
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: Process) -> str:
    assert process.stderr is not None
    return (await process.stderr.readline()).decode()


async def test_the_example_of_the_readme_is_watched_and_then_the_pages_of_its_apps(tmp_path: Path) -> None:
    async with exporter(tmp_path, "--history", "history.sqlite") as (process, asked):
        probed = (await asked.get("/probe?target=app")).text
        assert "probe_success 1.0" in probed, (await asked.get("/probe?target=app&debug=true")).text
        assert 'href="targets/menu"' in (await asked.get("/")).text

        (tmp_path / "targets.yaml").write_text("targets: 7")
        process.send_signal(signal.SIGHUP)
        assert (await said(process)).startswith("The targets stay as they were. targets.yaml:1: ")
        assert "miniapp_config_last_reload_successful 0.0" in (await asked.get("/metrics")).text
        assert (await asked.post("/-/reload")).status_code == 500
        assert (await said(process)).startswith("The targets stay as they were. ")
        (tmp_path / "targets.yaml").write_text(PAGES)
        process.send_signal(signal.SIGHUP)
        assert await said(process) == "targets.yaml is read anew: 2 targets.\n"
        for name in ("page", "metapro"):
            checked = (await asked.get(f"/probe?target={name}&debug=true")).text
            assert "navigate: OK" in checked, checked
            assert "probe_success 1.0" in checked, checked

        process.send_signal(signal.SIGTERM)
        assert await process.communicate() == (b"", b"")
        assert process.returncode == 0
    assert History(tmp_path / "history.sqlite").past("app", 9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone.yaml"], "gone.yaml: No such file"),
        (["targets.yaml", "--listen", "everywhere"], "There is no address everywhere"),
        (["targets.yaml", "--web-config", "gone.yaml"], "gone.yaml: No such file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    (tmp_path / "targets.yaml").write_text(EXAMPLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["miniapp", "exporter", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (1, "")
    assert words in printed.err
    assert printed.err.count("\n") == 1
