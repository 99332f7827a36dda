"""Invoices and paying them: forms, provider payments, Telegram Stars, and the bot's last word.

No money moves. What becomes of a payment is told by its invoice (`world.Invoice.kind`).
Documentation: core.telegram.org/api/payments, core.telegram.org/api/stars, and the page of each method.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import calling_bot, person
from launcher.sandbox.payments import Form, Payments
from launcher.sandbox.peers import peer_named, render_all
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Bot, Invoice, InvoiceKind, User

__all__: list[str] = []

STARS = "XTR"
_TEST_KINDS = ("test", "verification", "declined")
_DETAILS = ("name", "phone", "email", "shipping_address")


@handles(
    functions.payments.ExportInvoiceRequest,
    docs="core.telegram.org/method/payments.exportInvoice",
    errors=(
        "CURRENCY_TOTAL_AMOUNT_INVALID", "INVOICE_PAYLOAD_INVALID", "MEDIA_INVALID",
        "PAYMENT_PROVIDER_INVALID", "STARS_INVOICE_INVALID", "USER_BOT_REQUIRED",
    ),
)  # fmt: skip
async def export_invoice(call: Call) -> Any:
    bot, media = calling_bot(call), call.request.invoice_media
    if not isinstance(media, types.InputMediaInvoice):
        raise RpcError(400, "MEDIA_INVALID")
    if not 1 <= len(media.payload) <= 128:
        raise RpcError(400, "INVOICE_PAYLOAD_INVALID")
    amount = sum(price.amount for price in media.invoice.prices)
    if amount <= 0:
        raise RpcError(400, "CURRENCY_TOTAL_AMOUNT_INVALID")
    invoice = Invoice(
        slug=secrets.token_urlsafe(16),
        bot=bot.id,
        title=media.title,
        currency=media.invoice.currency,
        amount=amount,
        kind=_kind(call, media),
        description=media.description,
        payload=media.payload,
        needs=_needs(media.invoice),
    )
    call.sandbox.world.invoices[invoice.slug] = invoice
    return types.payments.ExportedInvoice(f"https://t.me/${invoice.slug}")


def _kind(call: Call, media: Any) -> InvoiceKind:
    """What becomes of the invoice: told by the provider's token, of which Stars have none."""
    if media.invoice.currency == STARS:
        if len(media.invoice.prices) != 1 or _needs(media.invoice) or media.provider:
            raise RpcError(400, "STARS_INVOICE_INVALID")
        return "stars"
    kind = call.sandbox.world.providers.get(media.provider or "")
    if kind is None:
        raise RpcError(400, "PAYMENT_PROVIDER_INVALID")
    return kind


def _needs(invoice: Any) -> set[str]:
    return {detail for detail in _DETAILS if getattr(invoice, f"{detail}_requested")}


@handles(
    functions.payments.GetPaymentFormRequest,
    docs="core.telegram.org/method/payments.getPaymentForm",
    errors=("INVOICE_INVALID", "SLUG_INVALID"),
)
async def get_payment_form(call: Call) -> Any:
    user, invoice = person(call), _invoice_named(call, "SLUG_INVALID")
    form = call.sandbox.part(Payments).open(user, invoice)
    users, _ = render_all(call.sandbox, user.id, {invoice.bot})
    fields = {
        "form_id": form.id,
        "bot_id": invoice.bot,
        "title": invoice.title,
        "description": invoice.description,
        "invoice": _tl_invoice(invoice),
        "users": users,
    }
    if invoice.kind == "stars":
        return types.payments.PaymentFormStars(**fields)
    key = {"publishable_key": "pk_test_sandbox" if invoice.kind in _TEST_KINDS else "pk_live_sandbox"}
    return types.payments.PaymentForm(
        **fields,
        provider_id=invoice.bot,
        url=f"https://provider.example/pay/{form.id}",
        native_provider="stripe",
        native_params=types.DataJSON(json.dumps(key)),
    )


def _tl_invoice(invoice: Invoice) -> Any:
    return types.Invoice(
        currency=invoice.currency,
        prices=[types.LabeledPrice(invoice.title, invoice.amount)],
        test=invoice.kind in _TEST_KINDS,
        **{f"{detail}_requested": True for detail in invoice.needs},
    )


def _invoice_named(call: Call, unknown: str) -> Invoice:
    """The invoice of a link; the sandbox has none in messages, of gifts or of giveaways."""
    named = call.request.invoice
    if not isinstance(named, types.InputInvoiceSlug):
        raise RpcError(400, unknown.replace("SLUG", "INVOICE"))
    invoice = call.sandbox.world.invoices.get(named.slug)
    if invoice is None:
        raise RpcError(400, unknown)
    return invoice


@handles(
    functions.payments.SendPaymentFormRequest,
    docs="core.telegram.org/method/payments.sendPaymentForm",
    errors=("FORM_UNSUPPORTED", "INVOICE_INVALID", "PAYMENT_CREDENTIALS_INVALID", "TMP_PASSWORD_INVALID"),
)
async def send_payment_form(call: Call) -> Any:
    user, invoice = person(call), _invoice_named(call, "INVOICE_INVALID")
    if invoice.kind == "stars":
        raise RpcError(400, "FORM_UNSUPPORTED")
    form = _form_sent(call, user, invoice, assumed="provider_forms_end_as_those_of_stars")
    _check_details(call, invoice)
    _check_credentials(call, invoice)
    with _submitting(form):
        await _check_out(call, user, invoice)
        _check_not_declined(call, invoice)
    if invoice.kind == "verification":
        return types.payments.PaymentVerificationNeeded(call.sandbox.part(Payments).confirm_on(form))
    return _paid(call, user, form)


@handles(
    functions.payments.SendStarsFormRequest,
    docs="core.telegram.org/method/payments.sendStarsForm",
    errors=(
        "BALANCE_TOO_LOW", "BOT_INVOICE_INVALID", "FORM_EXPIRED", "FORM_ID_EMPTY", "FORM_SUBMIT_DUPLICATE",
        "FORM_UNSUPPORTED", "PRECHECKOUT_FAILED",
    ),
)  # fmt: skip
async def send_stars_form(call: Call) -> Any:
    user, invoice = person(call), _invoice_named(call, "BOT_INVOICE_INVALID")
    if invoice.kind != "stars":
        raise RpcError(400, "FORM_UNSUPPORTED")
    form = _form_sent(call, user, invoice)
    _check_balance(user, invoice)
    with _submitting(form):
        await _check_out(call, user, invoice)
        _check_balance(user, invoice)
    user.stars -= invoice.amount
    update = types.UpdateStarsBalance(types.StarsAmount(user.stars, 0))
    mailbox.notify(call.sandbox, user.id, update, besides=call.key)
    return _paid(call, user, form, update)


@contextmanager
def _submitting(form: Form) -> Iterator[None]:
    """A form is submitted once; one whose payment failed may be submitted again."""
    form.submitted = True
    try:
        yield
    except RpcError:
        form.submitted = False
        raise


def _check_not_declined(call: Call, invoice: Invoice) -> None:
    name = "a_declined_payment_is_payment_failed"
    if invoice.kind == "declined":
        holds = call.sandbox.assumptions.holds(name)
        raise RpcError(400, "PAYMENT_FAILED" if holds else "PAYMENT_CREDENTIALS_INVALID", name)


def _check_balance(user: User, invoice: Invoice) -> None:
    if user.stars < invoice.amount:
        raise RpcError(400, "BALANCE_TOO_LOW")


@handles(
    functions.payments.GetStarsStatusRequest,
    docs="core.telegram.org/method/payments.getStarsStatus",
    errors=("PEER_ID_INVALID",),
)
async def get_stars_status(call: Call) -> Any:
    """One's own balance; nobody is shown another's."""
    user = person(call)
    if peer_named(call, call.request.peer) is not user:
        raise RpcError(400, "PEER_ID_INVALID")
    return types.payments.StarsStatus(balance=types.StarsAmount(user.stars, 0), chats=[], users=[])


def _form_sent(call: Call, user: User, invoice: Invoice, assumed: str | None = None) -> Form:
    """The form that is paid: known, of this invoice, not too old, not paid before.

    `assumed` is the assumption for a method whose page does not list these errors: without it such a form is
    no valid invoice.
    """
    form = call.sandbox.part(Payments).form(call.request.form_id, user)
    try:
        if form is None or form.invoice is not invoice:
            raise RpcError(400, "FORM_EXPIRED" if call.request.form_id else "FORM_ID_EMPTY")
        if form.submitted:
            raise RpcError(400, "FORM_SUBMIT_DUPLICATE")
        if call.sandbox.now() > form.ends_at:
            raise RpcError(400, "FORM_EXPIRED")
    except RpcError as error:
        if assumed is None:
            raise
        holds = call.sandbox.assumptions.holds(assumed)
        raise RpcError(400, error.name if holds else "INVOICE_INVALID", assumed) from error
    return form


def _check_details(call: Call, invoice: Invoice) -> None:
    """There is no payments.validateRequestedInfo here, so nobody can have given them."""
    name = "a_form_without_its_details_is_requested_info_invalid"
    if invoice.needs:
        holds = call.sandbox.assumptions.holds(name)
        raise RpcError(400, "REQUESTED_INFO_INVALID" if holds else "INVOICE_INVALID", name)


_CARDS = re.compile(r"tok_\w+")


def _check_credentials(call: Call, invoice: Invoice) -> None:
    """A test provider takes test tokens, a live one those its own page has made."""
    credentials = call.request.credentials
    if isinstance(credentials, types.InputPaymentCredentialsSaved):
        raise RpcError(400, "TMP_PASSWORD_INVALID")  # nobody here has a saved card
    token = _token(credentials)
    live = token.startswith("tok_live_")
    if not _CARDS.fullmatch(token) or live != (invoice.kind == "card"):
        raise RpcError(400, "PAYMENT_CREDENTIALS_INVALID")


def _token(credentials: Any) -> str:
    if not isinstance(credentials, types.InputPaymentCredentials):
        return ""
    try:
        said = json.loads(credentials.data.data)
    except ValueError:
        return ""
    return str(said.get("id")) if isinstance(said, dict) and said.get("type") == "card" else ""


async def _check_out(call: Call, user: User, invoice: Invoice) -> None:
    """Ask a connected bot whether it takes the payment; one without a client takes every payment, or none."""
    bot, assumptions = call.sandbox.world.bot(invoice.bot), call.sandbox.assumptions
    if not call.sandbox.connected(bot.id):
        if not assumptions.holds("an_absent_bot_takes_every_payment"):
            raise RpcError(400, "BOT_PRECHECKOUT_TIMEOUT", "an_absent_bot_takes_every_payment")
        return
    if await _refusal(call, user, bot, invoice):
        if isinstance(call.request, functions.payments.SendStarsFormRequest):
            raise RpcError(406, "PRECHECKOUT_FAILED")
        name = "a_refused_checkout_is_bot_precheckout_failed"
        if assumptions.holds(name):
            raise RpcError(400, "BOT_PRECHECKOUT_FAILED", name)
        raise RpcError(406, "PRECHECKOUT_FAILED", name)


async def _refusal(call: Call, user: User, bot: Bot, invoice: Invoice) -> str:
    payments = call.sandbox.part(Payments)
    number, checkout = payments.open_checkout(bot)
    users, _ = render_all(call.sandbox, bot.id, {user.id})
    update = types.UpdateBotPrecheckoutQuery(
        query_id=number,
        user_id=user.id,
        payload=invoice.payload,
        currency=invoice.currency,
        total_amount=invoice.amount,
    )
    call.sandbox.push(bot.id, [update], users=users)
    try:
        return await asyncio.wait_for(checkout.answer, call.sandbox.bot_timeout)
    except TimeoutError:
        name = "a_silent_bot_is_bot_precheckout_timeout"
        if call.sandbox.assumptions.holds(name):
            raise RpcError(400, "BOT_PRECHECKOUT_TIMEOUT", name) from None
        raise RpcError(406, "PRECHECKOUT_FAILED", name) from None
    finally:
        del payments.checkouts[number]


@handles(
    functions.messages.SetBotPrecheckoutResultsRequest,
    docs="core.telegram.org/method/messages.setBotPrecheckoutResults",
    errors=("ERROR_TEXT_EMPTY", "USER_BOT_REQUIRED"),
)
async def set_bot_precheckout_results(call: Call) -> bool:
    bot, request = calling_bot(call), call.request
    if not request.success and not request.error:
        raise RpcError(400, "ERROR_TEXT_EMPTY")
    checkout = call.sandbox.part(Payments).checkouts.get(request.query_id)
    if checkout is None or checkout.bot != bot.id or checkout.answer.done():
        name = "an_unknown_checkout_is_query_id_invalid"
        if call.sandbox.assumptions.holds(name):
            raise RpcError(400, "QUERY_ID_INVALID", name)
        return False
    checkout.answer.set_result("" if request.success else request.error)
    return True


def _paid(call: Call, user: User, form: Form, *more: Any) -> Any:
    """The answer to a payment that went through, with the service message or just before it."""
    payments = call.sandbox.part(Payments)
    if call.sandbox.assumptions.holds("payment_results_hold_the_service_message"):
        message = payments.settle(form, besides=call.key)
        updates = mailbox.updates_for(call.sandbox, user.id, message, more=more)
    else:
        asyncio.get_running_loop().call_soon(payments.settle, form)
        updates = mailbox.updates_for(call.sandbox, user.id, more=more)
    return types.payments.PaymentResult(updates)
