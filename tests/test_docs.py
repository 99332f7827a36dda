"""What the documentation says is what the code does: tables, commands, links, examples."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer.main

import flows
import launcher
from launcher.cli import app
from launcher.demo.show import NEXT
from launcher.metapro import TelegramLogin
from launcher.metapro.steps import CATALOGUE
from tests.readme import DOCUMENTS, README, ROOT, block, settings_in_code

TEXT = README.read_text()


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("document", "name"), [(document, name) for document, tables in DOCUMENTS.items() for name in tables]
)
def test_a_table_is_what_the_code_says(document: Path, name: str) -> None:
    assert block(document.read_text(), name) == DOCUMENTS[document][name](), "run `make docs`"


def test_every_setting_is_explained() -> None:
    assert (
        set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)) == settings_in_code()
    )


def test_every_knob_of_the_telegram_login_is_named() -> None:
    text = README.read_text("utf-8")
    assert [name for name in TelegramLogin.model_fields if f"`{name.upper()}`" not in text] == []


def test_every_file_that_is_linked_exists() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "EVENTS.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text()):
            assert (ROOT / target).exists(), f"{document} links {target}"


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_path_that_is_named_exists(document: str) -> None:
    named = re.findall(r"`((?:launcher|flows|tests)/[\w./-]*)`", (ROOT / document).read_text())
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", ["demo", "test", "bench"])
def test_no_output_is_left_out(name: str) -> None:
    assert block(TEXT, name).strip(), f"the README's block {name} is empty"


def test_the_demonstration_that_is_quoted_is_todays() -> None:
    quoted = block(TEXT, "demo")
    told = [
        *(command for command, _ in NEXT),
        "A launch as a report:",
        "Their status page:",
        "W2.app",
        "50 steps",
    ]
    assert [words for words in told if words not in quoted] == []
    assert len(CATALOGUE) == 50


def commands() -> list[list[str]]:
    lines = [line.partition("  #")[0].strip() for text in code_blocks("sh") for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_of_the_readme_is_one(words: list[str]) -> None:
    program, *arguments = words
    if program == "make":
        assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    assert program == "miniapp"
    group = typer.main.get_command(app)
    context = group.make_context("miniapp", list(arguments), resilient_parsing=True)
    name, command, rest = group.resolve_command(context, list(arguments))  # type: ignore[attr-defined]
    command.make_context(name, rest)


def test_every_command_is_in_the_readme() -> None:
    group = typer.main.get_command(app)
    for name in group.list_commands(group.make_context("miniapp", [], resilient_parsing=True)):  # type: ignore[attr-defined]
        assert f"miniapp {name}" in TEXT or name == "demo"


SCRIPTS = [script for script in code_blocks("python") if "asyncio.run(" in script]
"""The other one is tests, which tests/test_pytest_plugin.py runs."""


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_an_example_of_the_readme_runs(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = tmp_path / "example.py"
    example.write_text(SCRIPTS[number])
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")
    printed, complaint = capsys.readouterr()
    assert complaint == ""
    assert printed


@pytest.mark.parametrize("package", [launcher, flows])
def test_public_names_exist(package: object) -> None:
    for name in package.__all__:  # type: ignore[attr-defined]
        assert getattr(package, name) is not None


def test_every_documented_module_has_a_docstring() -> None:
    for path in [*ROOT.glob("flows/**/*.py"), *ROOT.glob("launcher/**/*.py")]:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not name.endswith("__main__"):
            assert importlib.import_module(name).__doc__, name
