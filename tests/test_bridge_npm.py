"""The catalogue against two others: the table of `@tma.js/bridge`, and what Telegram's official script does.

Every difference stands in `tests/data/bridge_differences.txt` with its reason; one that is gone or new fails.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from launcher.bridge.incoming import INCOMING
from launcher.bridge.outgoing import OUTGOING, Since
from launcher.bridge.versions import number
from tests.npm import installed

HERE = Path(__file__).parent
DIFFERENCES = HERE / "data" / "bridge_differences.txt"
TMA, OFFICIAL = "@tma.js/bridge@2.3.3", "@twa-dev/sdk@8.0.2"
RELEASES = """
const { getReleaseVersion } = require("@tma.js/bridge");
const found = JSON.parse(process.argv[1]).map(([name, key]) => getReleaseVersion(name, key || undefined));
process.stdout.write(JSON.stringify(found));
"""
Catalogue = dict[str, str | None]
"""Subject, an event or `event.parameter`, to the version it came with."""


@pytest.fixture(scope="module")
def modules(request: pytest.FixtureRequest) -> Path:
    return installed(request.config.cache, TMA, OFFICIAL)


@pytest.fixture(scope="module")
def script(modules: Path) -> Path:
    return modules / "@twa-dev/sdk/dist/telegram-web-apps.js"


def node(*arguments: str | Path, folder: Path) -> object:
    output = subprocess.run(["node", *arguments], check=True, capture_output=True, cwd=folder, timeout=60)
    return json.loads(output.stdout)


def ours() -> Catalogue:
    """Every event, and every parameter that came later than its event."""
    found: Catalogue = {name: event.since for name, event in OUTGOING.items()}
    found |= {name: event.since for name, event in INCOMING.items()}
    return found | {
        f"{name}.{key}": mark.version
        for name, event in OUTGOING.items()
        for key, parameter in event.model_fields.items()
        for mark in parameter.metadata
        if isinstance(mark, Since)
    }


def known_differences(source: str) -> set[str]:
    lines = (line.partition("  # ") for line in DIFFERENCES.read_text().splitlines())
    entries = [(text.strip(), reason.strip()) for text, _, reason in lines if text.strip()]
    assert all(reason for _, reason in entries), "every difference has its reason"
    return {text.removeprefix(f"{source} ") for text, _ in entries if text.startswith(f"{source} ")}


def differences(theirs: Catalogue, subjects: Iterable[str]) -> Iterator[str]:
    """`subject theirs ours`, where the two are not the same; `-` where it is missing."""
    mine = ours()
    for subject in subjects:
        there = theirs.get(subject, "-")
        here = mine.get(subject, "-") or "-"
        if there != here:
            yield f"{subject} {there} {here}"


def members(declarations: str, interface: str) -> Catalogue:
    """The members of a TypeScript interface, with the version their comment says; 6.0 if it says none."""
    body = declarations.partition(f"export interface {interface} {{")[2].partition("\n}")[0]
    found: Catalogue = {}
    since = "6.0"
    for line in body.splitlines():
        if line == "    /**":
            since = "6.0"
        elif version := re.match(r"     \* @since (?:Mini Apps )?v?([0-9.]+)", line):
            since = version[1]
        elif member := re.match(r"    (\w+): ", line):
            found[member[1]] = since
    return found


def test_the_table_of_tma(modules: Path) -> None:
    types = modules / "@tma.js/bridge/dist/dts"
    names = members((types / "methods/types/methods.d.ts").read_text(), "Methods")
    events = members((types / "events/types/events.d.ts").read_text(), "Events")
    asked = [[name, None] for name in {**names, **OUTGOING}]
    asked += [[name, key] for name, event in OUTGOING.items() for key in event.model_fields]
    answers = node("-e", RELEASES, json.dumps(asked), folder=modules)
    assert isinstance(answers, list)
    theirs = {
        (f"{name}.{key}" if key else str(name)): version
        for (name, key), version in zip(asked, answers, strict=True)
        if version
    }
    assert min(len(names), len(events)) > 50, "the declarations were read"
    found = set(differences(theirs | events, ours().keys() | theirs.keys() | events.keys()))
    assert found == known_differences("tma")


def test_the_official_script(script: Path) -> None:
    """It is of 8.0. What it posts is seen by running it, what it listens to by reading it."""
    text = script.read_text()
    versions = {since for since in ours().values() if since} | {"6.6", "6.8", "7.0"}
    ordered = sorted((each for each in versions if number(each) <= (8, 0)), key=number)
    seen = node(HERE / "programs" / "official_script.js", script, *ordered, folder=HERE)
    assert isinstance(seen, dict)
    theirs: Catalogue = {}
    for version in ordered:
        for name, keys in seen[version].items():
            for subject in (name, *(f"{name}.{key}" for key in keys)):
                theirs.setdefault(subject, version)
    posted = {each for each in theirs if "." not in each}
    assert set(re.findall(r"postEvent\('(web_app_\w+)'", text)) <= posted, "all it names is seen to be posted"
    heard = set(re.findall(r"onEvent\('([a-z_]+)'", text)) - {"webview"}
    theirs |= {each: INCOMING[each].since if each in INCOMING else "6.0" for each in heard}
    subjects = {each for each, since in ours().items() if since is None or number(since) <= (8, 0)}
    subjects |= {each for each in theirs if not _as_old_as_its_event(each, theirs)}
    assert set(differences(theirs, subjects)) == known_differences("official")


def _as_old_as_its_event(subject: str, theirs: Catalogue) -> bool:
    """Whether it is a parameter that both have had from the beginning."""
    name, _, key = subject.partition(".")
    return bool(key) and key in OUTGOING[name].model_fields and theirs[subject] == theirs[name]
