"""What a person would be asked, and what the caller's policy answers.

A Telegram client asks before it opens some apps and before an app gets anything. Here the caller answers
beforehand: `Consent` holds an answer for every question. Calling `open` is itself consent to opening, so
`FIRST_LAUNCH` and `INACTIVE_APP` are allowed; everything that gives something away is declined unless
allowed.
Documentation: core.telegram.org/api/bots/webapps and core.telegram.org/api/web-events.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from flows.errors import BadInput

__all__ = ["Answer", "Consent", "Prompt", "Question"]


class Question(StrEnum):
    """Every question, with what each official client does."""

    FIRST_LAUNCH = "first_launch"
    """The bot will learn who you are. TDLib: to be asked once per bot, never for its trusted bots. Telegram
    Desktop: skipped for verified bots and for bots confirmed before. Web A: once per bot."""
    INACTIVE_APP = "inactive_app"
    """A direct-link app this account has not started before. All clients: in the direct-link dialog."""
    HIDDEN_LINK = "hidden_link"
    """The link's target was not in sight (text link, button, QR code, another app). All clients: always ask,
    in the direct-link dialog."""
    WRITE_ACCESS = "write_access"
    """The bot may write to you. Telegram Desktop: a checkbox that is on in the dialog it belongs to, and on
    without a dialog for trusted bots; Web A: a checkbox. Declined write access still opens the app."""
    INSTALLATION = "installation"
    """Add the bot to the attachment or side menu. All clients: a dialog; required for attachment-menu
    links."""
    DISCLAIMER = "disclaimer"
    """Terms of service of side-menu apps (telegram.org/tos/mini-apps). All clients: a mandatory checkbox,
    once per bot."""
    UNBLOCK = "unblock"
    """The bot is blocked and has to be unblocked. Official clients unblock when a blocked bot is started or
    given the phone number, after asking."""
    PHONE = "phone"
    """Share the account's phone number with the bot. All clients: a dialog every time."""
    PAYMENT = "payment"
    """Pay an invoice. All clients: the payment form, every time."""
    EMOJI_STATUS = "emoji_status"
    """Set the account's emoji status. All clients: a dialog with a preview; needs Premium."""
    EMOJI_STATUS_ACCESS = "emoji_status_access"
    """Let the bot set the emoji status later. All clients: a dialog unless allowed before."""
    SHARE_MESSAGE = "share_message"
    """Send a prepared message to a chat. All clients: preview and chat chooser."""
    SHARE_CHAT = "share_chat"
    """Give the bot chats or users it requested. All clients: a chooser."""
    DOWNLOAD = "download"
    """Save a file. All clients: a dialog after the server has checked the address."""
    LOCATION = "location"
    """Tell the location. Mobile clients: a dialog per bot; others have no location."""
    BIOMETRY = "biometry"
    """Use fingerprint or face. Mobile clients: a dialog per bot."""
    CLIPBOARD = "clipboard"
    """Read the clipboard. Official clients: only for attachment-menu and trusted apps, without a dialog."""
    HOME_SCREEN = "home_screen"
    """Add a shortcut to the home screen. Mobile clients: the system's dialog."""
    STORAGE_RESTORE = "storage_restore"
    """Restore secure storage that another account on the phone has left. Mobile clients: a chooser."""
    STORY = "story"
    """Open the story editor with the app's media. Mobile clients: the editor itself is the question."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One dialog. It may join several questions: a direct link asks all of its own at once, never twice.

    `bot` is the bot's user name without "@"; `detail` says what is at stake in one line.
    """

    questions: tuple[Question, ...]
    bot: str
    detail: str = ""


Asked: TypeAlias = Callable[[Prompt], "bool | Iterable[Question] | Awaitable[bool | Iterable[Question]]"]
"""A callable that is asked: True allows all of the prompt's questions, False none; or it names those
allowed."""
Answer: TypeAlias = Literal["allow", "decline"] | Asked

_ALLOWED_BY_OPENING = (Question.FIRST_LAUNCH, Question.INACTIVE_APP)


class Consent:
    """One answer per question: `Consent("write_access", phone=ask_me, inactive_app="decline")`.

    Positional names are allowed. `otherwise` answers every question that has no answer of its own; "decline"
    leaves first launch and inactive app allowed, for opening is consent to them, and "allow" leaves payment
    declined, which has to be allowed by name; a callable is asked everything.
    Raises BadInput for a question there is not, or an answer that is none.
    """

    def __init__(self, *allow: Question | str, otherwise: Answer = "decline", **answers: Answer) -> None:
        self._answers: dict[Question, Answer] = dict.fromkeys(Question, _checked(otherwise))
        if not callable(otherwise):
            self._answers |= dict.fromkeys(_ALLOWED_BY_OPENING, "allow")
            self._answers[Question.PAYMENT] = "decline"
        self._answers |= {_question(name): "allow" for name in allow}
        self._answers |= {_question(name): _checked(answer) for name, answer in answers.items()}

    def answer(self, question: Question) -> Answer:
        """The answer as it was given."""
        return self._answers[question]

    async def decide(self, prompt: Prompt) -> frozenset[Question]:
        """The questions of a prompt that are allowed. A callable is asked once for all that are its own."""
        allowed: set[Question] = set()
        for answer, questions in self._by_answer(prompt).items():
            if callable(answer):
                allowed |= await _ask(answer, Prompt(tuple(questions), prompt.bot, prompt.detail))
            elif answer == "allow":
                allowed |= set(questions)
        return frozenset(allowed)

    async def allows(self, question: Question, bot: str, detail: str = "") -> bool:
        """Whether this one question of a bot (its user name) is answered with yes."""
        return bool(await self.decide(Prompt((question,), bot, detail)))

    def _by_answer(self, prompt: Prompt) -> Mapping[Answer, list[Question]]:
        groups: dict[Answer, list[Question]] = {}
        for question in prompt.questions:
            groups.setdefault(self._answers[question], []).append(question)
        return groups


async def _ask(asked: Asked, prompt: Prompt) -> set[Question]:
    said = asked(prompt)
    if inspect.isawaitable(said):
        said = await said
    if isinstance(said, bool):
        return set(prompt.questions) if said else set()
    if isinstance(said, str) or not isinstance(said, Iterable):
        raise BadInput(
            f"A consent callable answered with {type(said).__name__}.",
            "Return True, False or the questions that are allowed.",
        )
    return {_question(name) for name in said} & set(prompt.questions)


def _question(name: Question | str) -> Question:
    try:
        return Question(str(name).replace("-", "_"))
    except ValueError:
        raise BadInput(
            f"There is no question {name!r}.", f"The questions are {', '.join(Question)}."
        ) from None


def _checked(answer: Answer) -> Answer:
    if callable(answer) or answer in ("allow", "decline"):
        return answer
    raise BadInput(f"{answer!r} answers no question.", 'Answer "allow", "decline" or a callable.')
