"""Without the extras: whoever needs one is told in one line which, and how to get it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from launcher.extras import _EXTRAS

ROOT = Path(__file__).resolve().parent.parent

BLOCKED = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
"""
"""What Python finds where none of the extras' packages is installed."""

IMPORTING = """
import importlib, json

told = {}
for module in sys.argv[1:]:
    try:
        importlib.import_module(module)
    except ImportError as missing:
        told[module] = [type(missing).__name__, missing.name, str(missing)]
print(json.dumps(told))
"""
NEEDING = {
    "launcher.metapro": ("eth_account", "metapro"),
    "launcher.exporter": ("yaml", "monitor"),
    "launcher.probe": ("yaml", "monitor"),
    "launcher.record": ("playwright", "browser"),
    "launcher.scale": ("psycopg", "scale"),
}
FREE = ("launcher.hosts", "launcher.verify", "launcher.launcher", "launcher.sandbox", "launcher.inspection")


def without(program: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program in a process in which the extras' packages cannot be imported."""
    code = BLOCKED.format(packages=set(_EXTRAS)) + program
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def remedy(extra: str) -> str:
    return f"Run: pip install 'miniapp-launcher[{extra}]', or from a clone: pip install '.[{extra}]'"


def test_who_imports_what_needs_an_extra_is_told_what_to_install() -> None:
    done = without(IMPORTING, *NEEDING, *FREE)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        module: ["ExtraMissing", package, f"The package {package} is not installed. {remedy(extra)}"]
        for module, (package, extra) in NEEDING.items()
    }


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("drive", "@metapro_demo_bot", "--server", "sandbox"), "metapro"),
        (("check", "targets.yaml", "--server", "sandbox"), "monitor"),
    ],
    ids=["drive", "check"],
)
def test_a_command_that_needs_an_extra_says_so_in_one_line(
    arguments: tuple[str, ...], extra: str, tmp_path: Path
) -> None:
    (tmp_path / "targets.yaml").write_text("targets: []")
    done = without("from launcher.cli import main\nmain()", *arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert done.stderr.startswith("miniapp: The package ")
    assert done.stderr.endswith(f" is not installed. {remedy(extra)}\n")
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith("MINIAPP UNKNOWN - The package ") == (extra == "monitor")


def test_every_extra_is_one_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(_EXTRAS.values()) <= set(project["optional-dependencies"])
