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
from launcher.mini_app import MiniApp
from launcher.tracing import Exchange, traced

__all__ = ["FINDING_AN_APP", "FINDING_A_BOT", "Onlooker", "inspect_link"]

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
    onlooker = Onlooker(launcher, target, consent, reveal=reveal)
    with traced() as exchanges:
        try:
            async with launcher.open(
                target, parameters=parameters, consent=onlooker.consent, **options
            ) as app:
                found = onlooker.opened(app)
        except MiniAppError as failure:
            found = onlooker.stopped(failure, exchanges)
    return replace(found, exchanges=tuple(exchanges))


class Onlooker:
    """Whoever watches one launch: made before it with its target, told how it went, and then knowing.

    The launch has to be made with this `consent`, the given one's answers or the launcher's.
    """

    def __init__(
        self, launcher: Launcher, target: str, consent: Consent | None = None, *, reveal: bool = False
    ) -> None:
        self._launcher = launcher
        self._link = _read(target)
        self._policy = _Overheard(consent or launcher.consent)
        remembered = _bot(launcher.cache, target, self._link) is not None
        self.before = Inspection(
            target, self._link, None, remembered, None, None, (), (), None, (), None, None, reveal
        )
        """What there is to say before anything was asked."""

    @property
    def consent(self) -> Consent:
        return self._policy

    def opened(self, app: MiniApp) -> Inspection:
        """What there is to say of the open app."""
        return replace(self.seen(app), checks=tuple(checks_of(self._launcher, app)))

    def seen(self, app: MiniApp) -> Inspection:
        """The same without the checks, which are most of the work."""
        return self._asked(replace(self.before, bot=app.app.bot, app=app.app, web_view=app.web_view))

    def stopped(self, failure: MiniAppError, exchanges: Iterable[Exchange]) -> Inspection:
        """How far a launch came that this stopped."""
        cache = self._launcher.cache
        bot = _bot(cache, self.before.target, self._link)
        offer = _offer(cache, bot, self._link, exchanges)
        at = _stage(failure, self._link, bot)
        return self._asked(replace(self.before, bot=bot, offer=offer, failure=failure, stopped_at=at))

    def _asked(self, found: Inspection) -> Inspection:
        return replace(found, questions=tuple(self._policy.overheard))


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
