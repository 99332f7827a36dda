"""Every handler of the sandbox says which page it follows, and answers only with errors that page lists."""

import re
from pathlib import Path

import pytest

import launcher.sandbox.api
from flows.rpc_errors import errors_of
from launcher.sandbox.assumptions import ASSUMPTIONS, Assumptions, UnknownAssumption
from launcher.sandbox.rpc import HANDLERS, Handler, method_name

METHODS = {handler.method: handler for handler in HANDLERS.values()}


def test_the_api_is_registered() -> None:
    packages = {handler.answer.__module__.rpartition(".")[0] for handler in METHODS.values()}
    assert packages == {launcher.sandbox.api.__name__}
    assert len(METHODS) == len(HANDLERS)


@pytest.mark.parametrize("handler", METHODS.values(), ids=METHODS)
def test_a_handler_names_the_page_it_follows(handler: Handler) -> None:
    assert re.fullmatch(r"core\.telegram\.org/(method|api|mtproto)/[\w./#-]+", handler.docs)
    if handler.docs.startswith("core.telegram.org/method/"):
        assert handler.docs == f"core.telegram.org/method/{handler.method}"


@pytest.mark.parametrize("handler", METHODS.values(), ids=METHODS)
def test_a_handler_answers_with_documented_errors(handler: Handler) -> None:
    assert handler.errors <= errors_of(handler.method) | errors_of("*")


def test_a_handler_is_registered_under_the_request_it_is_for() -> None:
    assert {method_name(request) for request in HANDLERS} == set(METHODS)


def test_every_assumption_is_a_sentence_with_two_ends() -> None:
    for name, row in ASSUMPTIONS.items():
        assert name == row.name
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", name)
        assert row.holds != row.flipped
        assert not row.holds.endswith(".")


def test_every_assumption_is_asked_for() -> None:
    package = Path(launcher.sandbox.__file__).parent
    asked = "".join(file.read_text() for file in package.rglob("*.py") if file.name != "assumptions.py")
    assert [name for name in ASSUMPTIONS if f'"{name}"' not in asked] == []


def test_flipping_twice_changes_nothing() -> None:
    assumptions = Assumptions()
    for row, holds in assumptions:
        assert holds
        assumptions.flip(row.name)
        assert not assumptions.holds(row.name)
        assumptions.flip(row.name)
        assert assumptions.holds(row.name)


def test_an_unknown_assumption_lists_the_known() -> None:
    with pytest.raises(UnknownAssumption, match="duplicate_random_id_is_silent"):
        Assumptions(["the_moon_is_green"])
