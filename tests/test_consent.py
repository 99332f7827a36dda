"""Consent: one answer per question, and every question explained."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Awaitable
from typing import Any

import pytest

from flows import BadInput, Consent, Prompt, Question
from flows import consent as consent_module
from tests.opened import Asker

EVERYTHING = Prompt(tuple(Question), "demo_bot", "everything at once")
BY_OPENING = {"first_launch", "inactive_app"}


def explained(cls: type) -> dict[str, str]:
    """The string that stands below each assignment in the body of a class, by name."""
    (body,) = ast.parse(inspect.getsource(cls)).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for line, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(line, ast.Assign) and isinstance(below, ast.Expr):
            text = ast.literal_eval(below.value)
            found[ast.unparse(line.targets[0])] = text
    return found


def test_every_question_says_what_it_means_and_what_clients_do() -> None:
    texts = explained(Question)
    assert set(texts) == {question.name for question in Question}
    for name, text in texts.items():
        assert any(client in text for client in ("client", "TDLib", "Desktop", "Web A")), name
    assert len(set(texts.values())) == len(Question)


def test_the_module_names_its_documentation() -> None:
    assert "core.telegram.org" in (consent_module.__doc__ or "")


async def test_opening_is_consent_to_opening_and_to_nothing_else() -> None:
    assert await Consent().decide(EVERYTHING) == BY_OPENING


async def test_each_question_can_be_allowed_alone() -> None:
    for question in Question:
        for consent in (
            Consent(question),
            Consent(question.value),
            Consent(question.replace("_", "-")),
            Consent(**answers(question, "allow")),
        ):
            assert await consent.decide(EVERYTHING) == BY_OPENING | {question}


async def test_each_question_can_be_declined_alone() -> None:
    for question in set(Question) - {Question.PAYMENT}:
        consent = Consent("payment", otherwise="allow", **answers(question, "decline"))
        assert await consent.decide(EVERYTHING) == set(Question) - {question}


async def test_payment_is_allowed_by_name_only() -> None:
    everything_else = set(Question) - {Question.PAYMENT}
    assert await Consent(otherwise="allow").decide(EVERYTHING) == everything_else
    assert await Consent(otherwise="allow", payment="allow").decide(EVERYTHING) == set(Question)
    assert await Consent(otherwise=lambda prompt: True).decide(EVERYTHING) == set(Question)


def answers(question: str, answer: Any) -> dict[str, Any]:
    return {str(question): answer}


async def said_later(answer: Any) -> Any:
    return answer


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        (True, set(Question)),
        (False, set()),
        ([Question.PHONE], {"phone"}),
        (("phone", "write-access"), {"phone", "write_access"}),
        (frozenset(), set()),
        (iter(["story"]), {"story"}),
    ],
)
async def test_a_callable_answers_all_or_names_what_it_allows(said: Any, allowed: set[str]) -> None:
    asker = Asker(said)
    assert await Consent(otherwise=asker).decide(EVERYTHING) == allowed
    assert asker.prompts == [EVERYTHING]


async def test_a_callable_may_be_asynchronous() -> None:
    async def ask(prompt: Prompt) -> list[Question]:
        return [question for question in prompt.questions if question is Question.CLIPBOARD]

    def promise(prompt: Prompt) -> Awaitable[bool]:
        return said_later(prompt.bot == "demo_bot")

    assert await Consent(otherwise=ask).decide(EVERYTHING) == {"clipboard"}
    assert await Consent(otherwise=promise).decide(EVERYTHING) == set(Question)


async def test_a_callable_is_asked_once_about_all_that_is_its_own_and_nothing_else() -> None:
    asker, other = Asker(), Asker(False)
    consent = Consent("story", phone=asker, payment=asker, location=other)
    assert await consent.decide(EVERYTHING) == BY_OPENING | {"story", "phone", "payment"}
    assert asker.questions == [{"phone", "payment"}]
    assert other.questions == [{"location"}]
    assert asker.prompts[0].bot == "demo_bot"
    assert asker.prompts[0].detail == "everything at once"


async def test_what_was_not_asked_cannot_be_allowed() -> None:
    asker = Asker(["phone", "payment"])
    prompt = Prompt((Question.PHONE,), "demo_bot")
    assert await Consent(otherwise=asker).decide(prompt) == {"phone"}


@pytest.mark.parametrize("said", [None, "phone", 1, 0.5])
async def test_an_answer_that_is_none_is_refused(said: Any) -> None:
    with pytest.raises(BadInput, match="Return True, False or the questions"):
        await Consent(otherwise=Asker(said)).decide(EVERYTHING)


async def test_an_unknown_question_in_an_answer_is_refused() -> None:
    with pytest.raises(BadInput, match="no question 'fone'"):
        await Consent(otherwise=Asker(["fone"])).decide(EVERYTHING)


def test_an_unknown_question_lists_those_there_are() -> None:
    for names, named in ((["selfie"], {}), ([], answers("selfie", "allow"))):
        with pytest.raises(BadInput) as caught:
            Consent(*names, **named)
        assert "'selfie'" in caught.value.meaning
        assert all(question in caught.value.remedy for question in Question)


@pytest.mark.parametrize("options", [{"phone": "maybe"}, {"otherwise": "no"}, {"payment": True}])
def test_an_answer_is_allow_decline_or_a_callable(options: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="answers no question"):
        Consent(**options)


def test_an_answer_can_be_read_back() -> None:
    ask = Asker()
    consent = Consent("story", phone=ask)
    assert consent.answer(Question.STORY) == "allow"
    assert consent.answer(Question.PHONE) is ask
    assert consent.answer(Question.PAYMENT) == "decline"
