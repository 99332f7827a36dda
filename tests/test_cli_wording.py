"""Errors on the command line advise what can be typed there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import flows
from flows import ConsentDeclined, Options
from flows.rpc_errors import ROWS
from launcher.cli.wording import ARGUMENTS, spoken

PLACEHOLDER = "menu_button"
"""Stands for whatever a message is filled with."""
RAISED = {"BadInput", "CannotOpen", "ConsentDeclined", "DataRefused", "cls", "__init__", "_check"}
FOR_SCRIPTS = re.compile(
    rf"(?<![\w?&-])({'|'.join(ARGUMENTS)})=|start_param|reply_to|send_as|HiddenLink|consent policy"
)


def messages() -> Iterator[str]:
    """Every text that an error of `flows` is made of."""
    for path in Path(flows.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) in RAISED
            ):
                yield " ".join(filled(argument) for argument in node.args)
    yield from (f"{row.meaning} {row.remedy}" for row in ROWS)


def filled(argument: ast.expr) -> str:
    if isinstance(argument, ast.JoinedStr):
        return "".join(filled(part) for part in argument.values)
    return str(argument.value) if isinstance(argument, ast.Constant) else PLACEHOLDER


def test_nothing_that_only_scripts_can_write_is_advised() -> None:
    for_scripts = [text for text in messages() if FOR_SCRIPTS.search(text)]
    assert len(for_scripts) > 10
    assert [text for text in for_scripts if FOR_SCRIPTS.search(spoken(text))] == []


def test_each_argument_becomes_the_option_of_its_name() -> None:
    known = {field.name for field in fields(Options)}
    for name in ARGUMENTS:
        assert name in known
        assert spoken(f"Leave out {name}=.") == f"Leave out --{name.replace('_', '-')}."


def test_a_declined_question_is_named_in_the_advice() -> None:
    assert "Allow it with --allow write_access" in spoken(ConsentDeclined("write_access"))


def test_what_is_quoted_from_elsewhere_stays() -> None:
    for text in ("t.me/bot?start=x", "t.me/bot/app?startapp=chat&start=", "tg://resolve?domain=b&topic=1"):
        assert spoken(f"There is no link {text!r}.") == f"There is no link {text!r}."
