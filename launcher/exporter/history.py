"""What came of earlier checks, in an SQLite file that outlives the exporter.

Of each target the last `keep` checks are kept, in few columns, and whole its last result and its last failure
with the picture and, packed, its launch. A file that cannot be used (disk full, read-only, damaged) costs the
history and nothing else: `problem` says why there is none, and from time to time it is tried again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from zlib import compress, decompress

from launcher.exporter.watched import SHOWN, Past
from launcher.probe import CheckResult, Stage, Status
from launcher.report import SavedLaunch

__all__ = ["History", "Remembered"]

T = TypeVar("T")
KEEP = 1000
AGAIN = 60.0
"""Seconds after which a file that could not be used is tried again."""
_FORGET = 30 * 86400
"""Seconds after which a target that is no longer in the target file is forgotten."""
_REPORT = 2**20
"""Bytes that a launch may take, packed; a longer one is kept without its pictures, or not at all."""
_VERSION = 2
_SCHEMA = """
BEGIN;
CREATE TABLE checks (
    number INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    at REAL NOT NULL,
    status INTEGER NOT NULL,
    seconds REAL NOT NULL,
    text TEXT NOT NULL,
    stages TEXT NOT NULL
);
CREATE INDEX checks_of_target ON checks (target, number);
CREATE TABLE results (
    target TEXT NOT NULL,
    failed INTEGER NOT NULL,
    at REAL NOT NULL,
    result TEXT NOT NULL,
    screenshot BLOB,
    report BLOB,
    PRIMARY KEY (target, failed)
) WITHOUT ROWID;
PRAGMA user_version = 2;
COMMIT;
"""
_FROM_1 = """
BEGIN;
ALTER TABLE results ADD COLUMN report BLOB;
PRAGMA user_version = 2;
COMMIT;
"""


@dataclass(slots=True)
class Remembered:
    """What is known of a target from earlier runs: checks in their order; results with the moments they came,
    in seconds since the epoch. `reported`: the launch of the failure is there as well."""

    past: list[Past] = field(default_factory=list)
    last: tuple[CheckResult, float] | None = None
    failure: tuple[CheckResult, float] | None = None
    reported: bool = False


class History:
    """The file, opened when first used; any thread may use it. `told` hears when it stops and when it starts
    to work."""

    def __init__(
        self,
        file: Path,
        *,
        keep: int = KEEP,
        told: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.file = file
        self.problem: str | None = None
        self.failures = 0
        self._keep = keep
        self._told = told
        self._clock = clock
        self._again_at = float("-inf")
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def note(self, result: CheckResult, at: float) -> bool:
        """Keep a result, which came `at` seconds since the epoch; says whether its launch was kept too."""
        report = _packed(result.saved)
        kept = self._tried(lambda connection: _write(connection, result, at, report, self._keep), False)
        return kept and report is not None

    def load(self, names: Iterable[str]) -> dict[str, Remembered]:
        """What is remembered of these targets; nothing if the file cannot be used."""
        return self._tried(lambda connection: {name: _read(connection, name) for name in names}, {})

    def past(self, name: str, count: int) -> list[Past]:
        """The last so many checks of a target, in their order; none if the file cannot be used."""
        return self._tried(lambda connection: _past(connection, name, count), [])

    def report(self, name: str) -> SavedLaunch | None:
        """The launch of a target's last failure, if it was kept and the file can be used."""
        packed = self._tried(lambda connection: _report(connection, name), None)
        return SavedLaunch.model_validate_json(decompress(packed)) if packed is not None else None

    def forget_others(self, names: Iterable[str], now: float) -> None:
        """Forget targets other than these, once they have not been checked for 30 days."""
        wanted = json.dumps(list(names))
        self._tried(lambda connection: _forget(connection, wanted, now - _FORGET), None)

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _tried(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        with self._lock:
            if self._connection is None and self._clock() < self._again_at:
                return otherwise
            try:
                if self._connection is None:
                    self._connection = _opened(self.file)
                with self._connection:  # one transaction
                    done = work(self._connection)
            except (sqlite3.Error, OSError, ValueError, KeyError) as error:
                self._fail(error)
                return otherwise
            self._recover()
            return done

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        self._again_at = self._clock() + AGAIN
        self._disconnect()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if self.problem is None:
            self._told(f"No history: {self.file}: {reason}. Checks go on without it.")
        self.problem = str(reason)

    def _recover(self) -> None:
        if self.problem is not None:
            self.problem = None
            self._told(f"History is kept again: {self.file}.")

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


# The file


def _opened(file: Path) -> sqlite3.Connection:
    """For its owner only: it holds pictures of pages. Raises sqlite3.Error and OSError."""
    if not file.exists():
        file.touch(mode=0o600)
    connection = sqlite3.connect(file, check_same_thread=False, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(_SCHEMA)
        elif version == 1:
            connection.executescript(_FROM_1)
        elif version != _VERSION:
            raise sqlite3.DatabaseError("another version of this program has written it")
    except BaseException:
        connection.close()
        raise
    return connection


def _packed(saved: SavedLaunch | None) -> bytes | None:
    if saved is None:
        return None
    for version in (saved, saved.model_copy(update={"screenshots": ()})):
        packed = compress(version.model_dump_json().encode())
        if len(packed) <= _REPORT:
            return packed
    return None


def _write(
    connection: sqlite3.Connection, result: CheckResult, at: float, report: bytes | None, keep: int
) -> bool:
    past = Past.of(result, at)
    stages = json.dumps({str(stage): round(seconds, 4) for stage, seconds in past.stages})
    connection.execute(
        "INSERT INTO checks (target, at, status, seconds, text, stages) VALUES (?, ?, ?, ?, ?, ?)",
        (result.target, at, int(past.status), past.seconds, past.text, stages),
    )
    connection.execute(
        "DELETE FROM checks WHERE target = ?1 AND number <= "
        "(SELECT number FROM checks WHERE target = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        (result.target, keep),
    )
    whole = (at, json.dumps(result.to_json()), result.screenshot)
    for failed in (False, True)[: 1 + (result.status is not Status.OK)]:
        connection.execute(
            "INSERT OR REPLACE INTO results (target, failed, at, result, screenshot, report) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (result.target, failed, *whole, report if failed else None),
        )
    return True


def _read(connection: sqlite3.Connection, name: str) -> Remembered:
    remembered = Remembered(_past(connection, name, SHOWN))
    rows = connection.execute(
        "SELECT failed, at, result, screenshot, report IS NOT NULL FROM results WHERE target = ?", (name,)
    )
    for failed, at, text, screenshot, reported in rows:
        result = replace(CheckResult.from_json(json.loads(text)), screenshot=screenshot)
        if failed:
            remembered.failure, remembered.reported = (result, at), bool(reported)
        else:
            remembered.last = result, at
    return remembered


def _report(connection: sqlite3.Connection, name: str) -> bytes | None:
    row = connection.execute("SELECT report FROM results WHERE target = ? AND failed", (name,)).fetchone()
    return row[0] if row else None


def _past(connection: sqlite3.Connection, name: str, count: int) -> list[Past]:
    rows = connection.execute(
        "SELECT at, status, seconds, text, stages FROM checks WHERE target = ? ORDER BY number DESC LIMIT ?",
        (name, count),
    ).fetchall()
    return [
        Past(at, Status(status), seconds, text, _stages(stages))
        for at, status, seconds, text, stages in reversed(rows)
    ]


def _stages(text: str) -> tuple[tuple[Stage, float], ...]:
    return tuple((Stage(name), seconds) for name, seconds in json.loads(text).items())


def _forget(connection: sqlite3.Connection, wanted: str, before: float) -> None:
    for table in ("checks", "results"):
        connection.execute(
            f"DELETE FROM {table} WHERE target NOT IN (SELECT value FROM json_each(?)) AND at < ?",
            (wanted, before),
        )
