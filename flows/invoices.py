"""A page opens an invoice: nothing is paid unless the caller's policy says so.

The client fetches the payment form behind the invoice link and shows it. Telegram Stars are paid from the
account's balance, everything else through a provider that needs a card's credentials, which only the
provider's own page can make; a client without cards can pay test invoices of Stripe, which takes a public
test token. The provider may want a confirmation on a page of its bank: then the payment is pending. It is
paid when the service message `messageActionPaymentSent` has come.
Documentation: core.telegram.org/api/payments, core.telegram.org/api/stars,
core.telegram.org/api/web-events#web-app-open-invoice
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.consent import Consent, Question
from flows.errors import AccountLost, AlreadyDone, FloodWait, RpcFailed, Transient, call

__all__ = ["Bill", "InvoiceClosed", "PaymentPolicy", "Policy", "pay_invoice"]

_SLUG = re.compile(r"[A-Za-z0-9_=-]+")
_TEST_CARD = {"type": "card", "id": "tok_visa"}
"""A token that every Stripe account takes in test mode (docs.stripe.com/testing)."""
_DETAILS = ("name", "phone", "email", "shipping_address")


@dataclass(frozen=True, slots=True)
class InvoiceClosed:
    """The status of `invoice_closed`, with a reason in one line for the caller; the page is told the status.

    cancelled: nothing was paid; failed: the invoice or the payment was refused; pending: a confirmation or
    the service message is still to come; paid: it is paid.
    """

    status: Literal["paid", "failed", "pending", "cancelled"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """What is to be paid: `amount` in the smallest units of `currency`, "XTR" for Telegram Stars.

    `bot` is the user name of the bot that is paid. A `test` bill costs nothing, a `subscription` is paid
    again and again.
    """

    bot: str
    title: str
    currency: str
    amount: int
    test: bool = False
    subscription: bool = False

    @classmethod
    def of(cls, form: Any) -> Bill:
        """The bill of a `payments.paymentForm` or `payments.paymentFormStars`; Stars are never a test."""
        invoice = form.invoice
        seller = next((user for user in form.users if user.id == form.bot_id), None)
        return cls(
            bot=(seller and seller.username) or str(form.bot_id),
            title=form.title,
            currency=invoice.currency,
            amount=sum(price.amount for price in invoice.prices),
            test=bool(invoice.test) and isinstance(form, types.payments.PaymentForm),
            subscription=bool(invoice.recurring or invoice.subscription_period),
        )


Policy: TypeAlias = Callable[[Bill], "bool | Awaitable[bool]"]
"""Asked for every bill: True pays it."""


class PaymentPolicy:
    """Pay within limits: `PaymentPolicy({"XTR": 50})` lets 50 Stars be spent altogether, and nothing else.

    `limits` are in the smallest units of each currency and last as long as the policy; `spent` is what of
    them is gone. Test bills need `test`, and count for nothing; subscriptions need `subscriptions`.
    """

    def __init__(
        self, limits: Mapping[str, int] | None = None, *, test: bool = False, subscriptions: bool = False
    ) -> None:
        self.limits = dict(limits or {})
        self.spent = dict.fromkeys(self.limits, 0)
        self._test, self._subscriptions = test, subscriptions

    def __call__(self, bill: Bill) -> bool:
        """Whether the bill may be paid; sets its amount aside if so."""
        if bill.test:
            return self._test
        if bill.subscription and not self._subscriptions:
            return False
        spent = self.spent.get(bill.currency, 0) + bill.amount
        if bill.amount <= 0 or spent > self.limits.get(bill.currency, 0):
            return False
        self.spent[bill.currency] = spent
        return True

    def give_back(self, bill: Bill) -> None:
        """The bill was not paid after all."""
        if not bill.test:
            self.spent[bill.currency] -= bill.amount


async def pay_invoice(
    client: TelegramClient,
    slug: str,
    consent: Consent,
    policy: Policy | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> InvoiceClosed:
    """`payments.getPaymentForm`, the policy or else the question PAYMENT, and `payments.sendPaymentForm` or
    `payments.sendStarsForm`.

    `credentials` are those of a card as the provider's page hands them to a client (`payment_form_submit`).
    Raises AccountLost, and NotConnected, after which nobody knows whether it was paid: do not repeat it.
    """
    if not _SLUG.fullmatch(slug):
        return InvoiceClosed("failed", "The page named no invoice.")
    invoice = types.InputInvoiceSlug(slug)
    try:
        form = await call(client, functions.payments.GetPaymentFormRequest(invoice))
    except AccountLost:
        raise
    except RpcFailed as error:
        return InvoiceClosed("failed", str(error))
    if obstacle := _obstacle(form, credentials):
        return InvoiceClosed("cancelled", obstacle)
    bill = Bill.of(form)
    if not await _is_agreed(bill, consent, policy):
        return InvoiceClosed("cancelled", "The payment was not allowed.")
    return await _pay(client, _request(form, invoice, credentials), bill, policy)


def _obstacle(form: Any, credentials: Mapping[str, Any] | None) -> str:
    """Why this client cannot pay a form; empty when it can."""
    if isinstance(form, types.payments.PaymentFormStars):
        return ""
    if not isinstance(form, types.payments.PaymentForm):
        return "The payment form is of a sort that is not known here."
    if needs := [detail for detail in _DETAILS if getattr(form.invoice, f"{detail}_requested")]:
        return f"The invoice needs details of the payer: {', '.join(needs)}."
    if not credentials and not _takes_test_card(form):
        return "The payment provider needs a card: give credentials made by its own page."
    return ""


def _request(form: Any, invoice: Any, credentials: Mapping[str, Any] | None) -> Any:
    if isinstance(form, types.payments.PaymentFormStars):
        return functions.payments.SendStarsFormRequest(form.form_id, invoice)
    data = types.DataJSON(json.dumps(dict(credentials or _TEST_CARD)))
    return functions.payments.SendPaymentFormRequest(
        form.form_id, invoice, types.InputPaymentCredentials(data)
    )


def _takes_test_card(form: Any) -> bool:
    return bool(form.invoice.test) and form.native_provider == "stripe"


async def _is_agreed(bill: Bill, consent: Consent, policy: Policy | None) -> bool:
    if policy is None:
        sum_ = f"{bill.amount} {bill.currency}" + (" in the smallest units" if bill.currency != "XTR" else "")
        return await consent.allows(Question.PAYMENT, bill.bot, f"pay {sum_} for {bill.title}")
    said = policy(bill)
    return (await said if inspect.isawaitable(said) else said) is True


async def _pay(client: TelegramClient, request: Any, bill: Bill, policy: Policy | None) -> InvoiceClosed:
    try:
        result = await call(client, request)
    except AccountLost:
        raise
    except AlreadyDone as error:
        return InvoiceClosed("pending", str(error))
    except RpcFailed as error:
        if isinstance(policy, PaymentPolicy) and _is_refusal(error):
            policy.give_back(bill)
        return InvoiceClosed("failed", str(error))
    if isinstance(result, types.payments.PaymentVerificationNeeded):
        return InvoiceClosed("pending", "The payment has to be confirmed on a page of its provider.")
    if not _holds_receipt(result.updates):
        return InvoiceClosed("pending", "The message that it is paid has not come yet.")
    return InvoiceClosed("paid")


def _is_refusal(error: RpcFailed) -> bool:
    """Whether the payment was certainly not carried out; a server in trouble does not tell."""
    return isinstance(error, FloodWait) or not isinstance(error, Transient)


def _holds_receipt(updates: Any) -> bool:
    messages = (getattr(update, "message", None) for update in getattr(updates, "updates", ()))
    return any(
        isinstance(getattr(message, "action", None), types.MessageActionPaymentSent) for message in messages
    )
