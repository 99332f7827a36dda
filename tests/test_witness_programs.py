"""`miniapp sandbox` as one program, and clients with nothing but its ready file as others."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.programs_beside import program

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
WAIT = 120


@contextmanager
def sandbox(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The program, listening, and its ready file; the caller ends it, or else it is killed."""
    path = folder / "sandbox.json"
    command = [
        sys.executable,
        "-m",
        "launcher",
        "sandbox",
        "--port",
        "0",
        "--ready-file",
        str(path),
        "--json",
    ]
    with program(command, cwd=folder, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.readline().startswith("{")  # nothing is printed before the file is written
        yield started, path


def stop(program: subprocess.Popen[str], how: signal.Signals) -> int:
    """The exit code of the program once it was told to stop, by its number. (The sandbox of tests/test_cli.py
    is stopped by SIGTERM.)"""
    os.kill(program.pid, how)
    program.communicate(timeout=WAIT)
    return program.returncode


def run(script: Path, ready: Path, folder: Path) -> str:
    """What a script prints, run away from this project: in another folder and without its modules."""
    command = [sys.executable, "-P", str(script), str(ready)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_plain_clients_work_from_the_ready_file_alone(tmp_path: Path) -> None:
    with sandbox(tmp_path) as (program, path):
        ready: dict[str, Any] = json.loads(path.read_text())
        printed = {script.stem: run(script, path, tmp_path) for script in PROGRAMS}
        assert stop(program, signal.SIGINT) == 0
    assert not path.exists()
    assert list(printed) == ["plain_kurigram", "plain_telethon"]
    for told in printed.values():
        launch = dict(line.split(maxsplit=1) for line in told.splitlines())
        assert (launch["page"], launch["tgWebAppPlatform"]) == (ready["site"], "android")
        assert json.loads(launch["user"])["first_name"] == "Alice"
        assert (launch["hash"], launch["signature"]) == ("***", "***")
        assert not re.search("[0-9a-f]{64}|tgWebAppData=", told), "a launch URL, or what signs in"
    assert set(ready) >= {
        "dc", "public_key", "api_id", "api_hash", "layer", "accounts", "bots", "init_data_public_key",
        "site", "metapro",
    }  # fmt: skip
    assert set(ready["dc"]) == {"id", "host", "port"}
    assert set(ready["accounts"][0]) == {"name", "user_id", "phone", "code", "password"}
    assert ready["accounts"][0]["password"] is None
    assert all(set(bot) == {"username", "id", "token", "apps"} for bot in ready["bots"])


@pytest.mark.parametrize("script", PROGRAMS, ids=lambda script: script.stem)
def test_the_clients_use_nothing_of_this_project(script: Path) -> None:
    tree = ast.walk(ast.parse(script.read_text()))
    used = {name.split(".")[0] for node in tree for name in _imported(node)}
    assert used
    assert not used & {"launcher", "flows", "tests", ""}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return ["." * node.level + (node.module or "")] if isinstance(node, ast.ImportFrom) else []
