"""A sandbox in a process of its own, told what to do through a pipe.

The program answers each line of its standard input, `[command, argument]` in JSON, with one line of JSON, and
ends with the input.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

from launcher.accounts import Accounts
from launcher.launcher import Launcher
from launcher.sandbox import Sandbox, ready_file
from launcher.servers import server_of
from launcher.settings import Settings
from launcher.timing import Timing

__all__ = ["ROOT", "SandboxProcess", "launching", "sandbox_process"]

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "alice"
DEMO_BOT = "demo_bot"


# This side: whoever measures


class SandboxProcess:
    """The running process. `folder` is for the session files of whoever comes."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._input: IO[str] = process.stdin
        self._output: IO[str] = process.stdout
        self.folder = folder
        self._output.readline()  # it listens

    @property
    def ready(self) -> ready_file.ReadyFile:
        return ready_file.read(self.ready_path)

    @property
    def ready_path(self) -> Path:
        return self.folder / "ready.json"

    def delay_answers(self, seconds: float) -> None:
        """Hold back every answer from now on."""
        self._tell("delay_answers", seconds)

    def take_calls(self) -> list[tuple[float, str]]:
        """Time and method of every call since the last time this was asked."""
        return [(time, method) for time, method in self._tell("take_calls", None)]

    def overlaps(self) -> int:
        """How often two clients of one account have called at once."""
        found: int = self._tell("overlaps", None)
        return found

    def drop_connections(self) -> None:
        self._tell("drop_connections", None)

    def show_page(self, url: str) -> None:
        """Let the demo bot's main app be a page elsewhere."""
        self._tell("show_page", url)

    def _tell(self, command: str, argument: Any) -> Any:
        self._input.write(json.dumps([command, argument]) + "\n")
        self._input.flush()
        return json.loads(self._output.readline())


@contextmanager
def sandbox_process() -> Iterator[SandboxProcess]:
    """Start a sandbox, and stop it at the end. A failure of its own is raised there."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", __spec__.name, f"{folder}/ready.json"]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield SandboxProcess(process, Path(folder))
        if process.returncode:
            raise RuntimeError("the sandbox has failed: see above")


@asynccontextmanager
async def launching(
    place: SandboxProcess, timing: Timing | None = None, lateness: list[float] | None = None
) -> AsyncIterator[Launcher]:
    """A launcher of the sandbox's first account, signed in as on any server."""
    person = place.ready.accounts[0]
    settings = Settings(
        server=str(place.ready_path), sessions=place.folder / "sessions", code=person.code, _env_file=None
    )
    await Accounts(settings, server_of(settings)).sign_in_by_phone(ACCOUNT, person.phone)
    async with Launcher(settings, ACCOUNT, timing=timing, lateness=lateness) as launcher:
        yield launcher


# That side: the program


def _delay_answers(sandbox: Sandbox, seconds: float) -> None:
    sandbox.faults.latency = seconds


def _take_calls(sandbox: Sandbox, _: None) -> list[tuple[float, str]]:
    calls = [(call.time, call.method) for call in sandbox.log]
    sandbox.log.clear()
    return calls


def _overlaps(sandbox: Sandbox, _: None) -> int:
    from tests.scaled import overlaps

    return overlaps(sandbox.log)


def _drop_connections(sandbox: Sandbox, _: None) -> None:
    sandbox.drop_connections()


def _show_page(sandbox: Sandbox, url: str) -> None:
    sandbox.world.bot(DEMO_BOT).main_app = url


_COMMANDS: dict[str, Callable[[Sandbox, Any], Any]] = {
    "delay_answers": _delay_answers,
    "take_calls": _take_calls,
    "overlaps": _overlaps,
    "drop_connections": _drop_connections,
    "show_page": _show_page,
}


async def _serve(path: Path) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with Sandbox() as sandbox:
        ready_file.write(path, ready_file.describe(sandbox))
        _say("ready")
        while line := await lines.readline():
            command, argument = json.loads(line)
            _say(_COMMANDS[command](sandbox, argument))


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
