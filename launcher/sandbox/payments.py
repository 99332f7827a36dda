"""Payments under way: forms that were handed out, checkouts a bot is asked about, confirmations awaited.

A form lives for ten minutes and is paid once. Paying ends with a service message on both sides:
`messageActionPaymentSent` for the payer, `messageActionPaymentSentMe` with payload and charge for the bot.
Documentation: core.telegram.org/api/payments, core.telegram.org/api/stars.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from launcher.sandbox import mailbox
from launcher.sandbox.world import Bot, Invoice, Message, User

if TYPE_CHECKING:
    from launcher.sandbox.server import AuthKey, Sandbox

__all__ = ["Checkout", "Form", "Payments"]

FORM_LIFE = 600.0
"""Seconds (core.telegram.org/method/payments.sendStarsForm, FORM_EXPIRED)."""


@dataclass(slots=True)
class Form:
    """A form one user was given for one invoice; `ends_at` is a time of `now()`."""

    id: int
    user: int
    invoice: Invoice
    ends_at: float
    submitted: bool = False


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a bot is asked before it is paid; the answer is empty for yes, or the reason why not."""

    bot: int
    answer: asyncio.Future[str]


class Payments:
    """The payments of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._forms: dict[int, Form] = {}
        self._unconfirmed: dict[str, Form] = {}
        self.checkouts: dict[int, Checkout] = {}

    def open(self, user: User, invoice: Invoice) -> Form:
        number = self._sandbox.random.getrandbits(62) + 1
        form = Form(number, user.id, invoice, self._sandbox.now() + FORM_LIFE)
        self._forms[number] = form
        return form

    def form(self, number: int, user: User) -> Form | None:
        form = self._forms.get(number)
        return form if form is not None and form.user == user.id else None

    def confirm_on(self, form: Form) -> str:
        """The page on which the payer has to confirm; `confirmed` does what they do there."""
        url = f"https://provider.example/confirm/{secrets.token_urlsafe(12)}"
        self._unconfirmed[url] = form
        return url

    def confirmed(self, url: str) -> Message:
        """The payer has confirmed on that page: the payment goes through. Raises KeyError."""
        return self.settle(self._unconfirmed.pop(url))

    def open_checkout(self, bot: Bot) -> tuple[int, Checkout]:
        number = self._sandbox.random.getrandbits(62) + 1
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.checkouts[number] = checkout = Checkout(bot.id, answer)
        return number, checkout

    def settle(self, form: Form, besides: AuthKey | None = None) -> Message:
        """Tell payer and bot that it is paid; returns the payer's copy."""
        invoice = form.invoice
        sums = {"currency": invoice.currency, "total_amount": invoice.amount}
        charge: Any = types.PaymentCharge(secrets.token_hex(16), secrets.token_hex(8))
        return mailbox.post(
            self._sandbox,
            form.user,
            invoice.bot,
            action=types.MessageActionPaymentSent(**sums, invoice_slug=invoice.slug),
            their_action=types.MessageActionPaymentSentMe(**sums, payload=invoice.payload, charge=charge),
            besides=besides,
        )
