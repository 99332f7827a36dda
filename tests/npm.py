"""JavaScript packages for tests: at exact versions, installed when first needed, in the cache of pytest."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.conftest import need

BEFORE = "2026-10-01"
"""Nothing published later is installed, not even as a dependency."""


def installed(cache: pytest.Cache, *packages: str) -> Path:
    """The `node_modules` with these packages, each with its version: `@twa-dev/sdk@8.0.2`.

    Skips the test, by name, where node or npm or the packages cannot be had.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            need(program, "it is not on PATH")
    kept = cache.mkdir("npm") / hashlib.sha256(" ".join(packages).encode()).hexdigest()[:16]
    if not kept.exists():
        _install(packages, kept)
    return kept / "node_modules"


def _install(packages: tuple[str, ...], kept: Path) -> None:
    """Into a folder of its own first: other processes may be doing the same."""
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", f"--before={BEFORE}"]
        try:
            subprocess.run(
                [*command, "--prefix", folder, *packages], check=True, capture_output=True, timeout=300
            )
        except (subprocess.SubprocessError, OSError) as error:
            need(" ".join(packages), f"npm cannot install them ({type(error).__name__})")
        if not kept.exists():
            shutil.copytree(folder, f"{folder}.done", symlinks=True)
            try:
                Path(f"{folder}.done").rename(kept)
            except OSError:  # another process was faster
                shutil.rmtree(f"{folder}.done")
