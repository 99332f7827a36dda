"""One launch under observation: its link, its questions, its requests, its answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flows import (
    FLOWS,
    Answer,
    BadInput,
    Bot,
    Consent,
    ConsentDeclined,
    MiniAppError,
    OpenParameters,
    Prompt,
    Question,
    links,
)
from flows.cache import Cache
from launcher.inspection.checks import checks_of
from launcher.inspection.stages import Asked, Inspection, ReadLink, Stage
from launcher.launcher import Launcher
from launcher.tracing import Exchange, traced

__all__ = ["FINDING_AN_APP", "FINDING_A_BOT", "inspect_link"]

FINDING_A_BOT = ("contacts.resolveUsername", "users.getUsers")
FINDING_AN_APP = ("messages.getBotApp", "messages.getAttachMenuBot")
_REQUESTING = frozenset(app.method for app in FLOWS.values())


async def inspect_link(
    launcher: Launcher,
    target: str,
    *,
    reveal: bool = False,
    parameters: OpenParameters | None = None,
    consent: Consent | None = None,
    **options: Any,
) -> Inspection:
    """Open `target` (a link or "@bot") once, close it, and tell everything that happened in between.

    The options are those of `Launcher.open`; `reveal` leaves secrets readable in the JSON. What stops the
    launch is in the inspection, never raised.
    """
    policy = _Overheard(consent or launcher.consent)
    link = _read(target)
    before = _bot(launcher.cache, target, link)
    found = Inspection(
        target, link, None, before is not None, None, None, (), (), None, (), None, None, reveal
    )
    with traced() as exchanges:
        try:
            async with launcher.open(target, parameters=parameters, consent=policy, **options) as app:
                checks = tuple(checks_of(launcher, app))
            found = replace(found, bot=app.app.bot, app=app.app, web_view=app.web_view, checks=checks)
        except MiniAppError as failure:
            bot = _bot(launcher.cache, target, link)
            stage = _stage(failure, link, bot)
            found = replace(
                found,
                bot=bot,
                offer=_offer(launcher.cache, bot, link, exchanges),
                failure=failure,
                stopped_at=stage,
            )
    return replace(found, questions=tuple(policy.overheard), exchanges=tuple(exchanges))


class _Overheard(Consent):
    """Another policy's answers, with a note of every dialog."""

    def __init__(self, policy: Consent) -> None:
        super().__init__()
        self._policy = policy
        self.overheard: list[Asked] = []

    def answer(self, question: Question) -> Answer:
        return self._policy.answer(question)

    async def decide(self, prompt: Prompt) -> frozenset[Question]:
        allowed = await self._policy.decide(prompt)
        self.overheard.append(Asked(prompt, allowed))
        return allowed


def _read(target: str) -> ReadLink | None:
    """None for a bot's bare name, which every client reads alike."""
    if target.startswith("@"):
        return None
    try:
        link: links.Link | links.NotALink = links.parse(target)
    except links.NotALink as reason:
        if target.isidentifier():
            return None
        link = reason
    return ReadLink(link, _spelled(link), links.readings(target))


def _spelled(link: links.Link | links.NotALink) -> str | None:
    try:
        return None if isinstance(link, links.NotALink) else links.build(link)
    except ValueError:
        return None


def _bot(cache: Cache, target: str, link: ReadLink | None) -> Bot | None:
    """The bot a target names, if it is known by now."""
    read = link.link if link is not None else None
    name = getattr(read, "bot", None) or getattr(read, "username", None)
    if read is None:
        name = target.removeprefix("@")
    return cache.bot_named(name) if name else None


def _stage(failure: MiniAppError, link: ReadLink | None, bot: Bot | None) -> Stage:
    """Where a launch was when this stopped it."""
    method = getattr(failure, "method", None)
    if isinstance(failure, ConsentDeclined):
        return Stage.QUESTIONS
    if isinstance(failure, BadInput):
        # of a bot that offers several apps, its name alone says too little
        return Stage.APP if link is None and bot is not None else Stage.LINK
    if method in _REQUESTING:
        return Stage.REQUEST
    if method in FINDING_A_BOT or (method is None and (bot is None or bot.restricted)):
        return Stage.BOT
    return Stage.APP


def _offer(cache: Cache, bot: Bot | None, link: ReadLink | None, exchanges: Iterable[Exchange]) -> Any:
    """What Telegram said of the app that was not opened, or what is remembered of it."""
    answers = {exchange.method: exchange.answer for exchange in exchanges if exchange.failure is None}
    said = next((answers[method] for method in FINDING_AN_APP if method in answers), None)
    read = link.link if link is not None else None
    if said is None and bot is not None and isinstance(read, links.DirectLink):
        return cache.apps.get((bot.id, read.app.lower()))
    return said
