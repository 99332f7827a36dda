"""What the page of an open app may ask of the account: granted, refused, and declined by default."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import functions, types

from flows import (
    AccountLost,
    BadInput,
    Bill,
    Bot,
    ChatRequest,
    Consent,
    InvoiceClosed,
    PaymentPolicy,
    PreparedMessage,
    RpcFailed,
    Transient,
    allowed_protocols,
    invoke_custom_method,
    pay_invoice,
    request_download,
    request_emoji_status_access,
    request_write_access,
    send_requested_chat,
    set_emoji_status,
    share_phone,
    share_prepared_message,
)
from flows.bots import find_bot
from flows.wire_text import wire_text
from launcher.sandbox import DropAfter, Fail, FloodWait
from launcher.sandbox.default_world import BOB, CHANNEL, CUSTOM_EMOJI, DEMO_BOT, GROUP
from launcher.sandbox.peers import access_hash
from launcher.sandbox.world import EmojiStatus, Message
from tests.opened import Account, Asker, account, client_of

NO = Consent()


@asynccontextmanager
async def user_and_bot(who: str = "alice", **options: Any) -> AsyncIterator[tuple[Account, Bot]]:
    """An account that has resolved the bot which can do everything; the log is empty."""
    async with account(who, **options) as user:
        bot = await find_bot(user.client, "demo_bot", user.cache)
        user.forget_calls()
        yield user, bot


class Says:
    """A chooser or payment policy that remembers what it was asked and always says the same."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def __call__(self, what: Any) -> Any:
        self.asked.append(what)
        return self.answer


def messages(user: Account, owner: int, sender: int) -> list[Message]:
    """What one has written, as it lies in a box, newest last."""
    box = user.sandbox.world.boxes[owner].messages.values()
    return [message for message in box if message.sender == sender]


def input_user(user: Account, viewer: int, named: int) -> Any:
    return types.InputUser(named, access_hash(user.sandbox, viewer, named))


# Custom methods


async def test_cloud_storage_keeps_values() -> None:
    async with user_and_bot() as (alice, bot):
        saved = await invoke_custom_method(
            alice.client, bot, "saveStorageValue", {"key": "name", "value": "Älice \ud800"}
        )
        assert (saved.result, saved.error) == (True, None)
        found = await invoke_custom_method(alice.client, bot, "getStorageValues", {"keys": ["name", "other"]})
        assert found.result == {"name": "Älice \ufffd"}
        assert alice.asked == ["bots.invokeWebViewCustomMethod"] * 2


async def test_an_error_of_a_custom_method_is_the_answer() -> None:
    async with user_and_bot() as (alice, bot):
        for method in ("noSuchMethod", "half \udfff", ""):
            unknown = await invoke_custom_method(alice.client, bot, method, {})
            assert (unknown.result, unknown.error) == (None, "METHOD_INVALID")
        listed = await invoke_custom_method(alice.client, bot, "getStorageKeys", [1])
        assert listed.error == "DATA_JSON_INVALID"


async def test_what_fails_in_passing_is_no_answer() -> None:
    """It is for the caller to repeat."""
    async with user_and_bot() as (alice, bot):
        alice.sandbox.faults.on("bots.invokeWebViewCustomMethod", FloodWait(30))
        with pytest.raises(Transient):
            await invoke_custom_method(alice.client, bot, "getStorageKeys", {})
        alice.sandbox.faults.on("account.updateEmojiStatus", FloodWait(30))
        with pytest.raises(Transient):
            await set_emoji_status(alice.client, bot, str(CUSTOM_EMOJI[0]), None, Consent("emoji_status"))
        alice.sandbox.faults.on("bots.getRequestedWebViewButton", FloodWait(30))
        with pytest.raises(Transient):
            await send_requested_chat(alice.client, bot, "1", NO, Says())
        alice.sandbox.faults.on("messages.getPreparedInlineMessage", FloodWait(30))
        with pytest.raises(Transient):
            await share_prepared_message(alice.client, bot, "1", NO, Says(), 1)


async def test_a_lost_account_is_no_answer() -> None:
    async with user_and_bot() as (alice, bot):
        alice.sandbox.faults.on("bots.invokeWebViewCustomMethod", Fail(401, "SESSION_REVOKED"))
        with pytest.raises(AccountLost):
            await invoke_custom_method(alice.client, bot, "getStorageKeys", {})


# Write access


async def test_write_access_is_asked_for_once() -> None:
    async with user_and_bot() as (alice, bot):
        asked = Asker()
        consent = Consent(write_access=asked)
        assert await request_write_access(alice.client, bot, consent) == "allowed"
        assert alice.asked == ["bots.canSendMessage", "bots.allowSendMessage"]
        assert messages(alice, DEMO_BOT, alice.id)[-1].action == types.MessageActionBotAllowed(
            from_request=True
        )
        assert await request_write_access(alice.client, bot, consent) == "allowed"
        assert asked.questions == [{"write_access"}]
        assert asked.prompts[0].bot == "demo_bot"


async def test_write_access_is_declined_by_default() -> None:
    async with user_and_bot() as (alice, bot):
        assert await request_write_access(alice.client, bot, NO) == "cancelled"
        assert alice.asked == ["bots.canSendMessage"]
        assert alice.sandbox.world.user("alice").writes_allowed == set()


# The phone number


async def test_the_phone_number_goes_to_the_bot_once() -> None:
    async with user_and_bot() as (alice, bot):
        for _ in range(2):
            assert await share_phone(alice.client, bot, Consent("phone"), 5) == "sent"
        shared = [message.media for message in messages(alice, DEMO_BOT, alice.id) if message.media]
        assert shared == [types.MessageMediaContact("9996621111", "Alice", "Liddell", "", alice.id)]
        answer = await invoke_custom_method(alice.client, bot, "getRequestedContact", {})
        assert "contact=" in answer.result


async def test_sending_the_number_again_is_done_already() -> None:
    async with user_and_bot(flipped=["duplicate_random_id_is_silent"]) as (alice, bot):
        for _ in range(2):
            assert await share_phone(alice.client, bot, Consent("phone"), 5) == "sent"


async def test_the_phone_number_is_kept_by_default() -> None:
    async with user_and_bot() as (alice, bot):
        assert await share_phone(alice.client, bot, NO, 5) == "cancelled"
        assert alice.asked == []


async def test_a_blocked_bot_is_unblocked_only_if_allowed() -> None:
    async with user_and_bot() as (alice, bot):
        me = alice.sandbox.world.user("alice")
        me.blocked.add(DEMO_BOT)
        assert await share_phone(alice.client, bot, Consent("phone"), 5) == "cancelled"
        assert me.blocked == {DEMO_BOT}
        assert await share_phone(alice.client, bot, Consent("phone", "unblock"), 5) == "sent"
        assert me.blocked == set()
        assert messages(alice, DEMO_BOT, alice.id)[-1].media.phone_number == me.phone


# Emoji statuses


async def test_emoji_status_access_is_asked_for_once() -> None:
    async with user_and_bot() as (alice, bot):
        assert await request_emoji_status_access(alice.client, bot, NO) == "cancelled"
        assert "bots.toggleUserEmojiStatusPermission" not in alice.asked
        assert (
            await request_emoji_status_access(alice.client, bot, Consent("emoji_status_access")) == "allowed"
        )
        assert alice.sandbox.world.user("alice").emoji_status_bots == {DEMO_BOT}
        assert await request_emoji_status_access(alice.client, bot, NO) == "allowed"


async def test_an_emoji_status_is_set_until_its_time() -> None:
    async with user_and_bot("dora") as (dora, bot):
        me, yes = dora.sandbox.world.user("dora"), Consent("emoji_status")
        assert await set_emoji_status(dora.client, bot, str(CUSTOM_EMOJI[0]), 60, yes, 1_800_000_000) is None
        assert me.emoji_status == EmojiStatus(CUSTOM_EMOJI[0], 1_800_000_060)
        assert await set_emoji_status(dora.client, bot, str(CUSTOM_EMOJI[1]), None, yes) is None
        assert me.emoji_status == EmojiStatus(CUSTOM_EMOJI[1])


async def test_an_emoji_status_is_declined_by_default() -> None:
    async with user_and_bot("dora") as (dora, bot):
        assert await set_emoji_status(dora.client, bot, str(CUSTOM_EMOJI[0]), None, NO) == "USER_DECLINED"
        assert dora.asked == []


@pytest.mark.parametrize(
    ("emoji", "duration", "error"),
    [
        ("", None, "SUGGESTED_EMOJI_INVALID"),
        ("smile", None, "SUGGESTED_EMOJI_INVALID"),
        ("-5", None, "SUGGESTED_EMOJI_INVALID"),
        ("٣", None, "SUGGESTED_EMOJI_INVALID"),
        (str(1 << 63), None, "SUGGESTED_EMOJI_INVALID"),
        ("9" * 5000, None, "SUGGESTED_EMOJI_INVALID"),
        (str(CUSTOM_EMOJI[0]), -1, "DURATION_INVALID"),
        (str(CUSTOM_EMOJI[0]), 1 << 40, "DURATION_INVALID"),
    ],
)
async def test_an_emoji_status_that_cannot_be_is_not_asked_about(
    emoji: str, duration: int | None, error: str
) -> None:
    async with user_and_bot("dora") as (dora, bot):
        asked = Asker()
        consent = Consent(emoji_status=asked)
        assert await set_emoji_status(dora.client, bot, emoji, duration, consent) == error
        assert asked.prompts == []
        assert dora.asked == []


async def test_what_the_server_refuses_of_an_emoji_status() -> None:
    async with user_and_bot("dora") as (dora, bot):
        yes = Consent("emoji_status")
        assert await set_emoji_status(dora.client, bot, "7", None, yes) == "SUGGESTED_EMOJI_INVALID"
        dora.sandbox.world.user("dora").premium = False
        assert await set_emoji_status(dora.client, bot, str(CUSTOM_EMOJI[0]), None, yes) == "SERVER_ERROR"


# Prepared messages


async def prepare(user: Account, *kinds: Any) -> str:
    """The id of a message that the bot has prepared for the user; the bot is gone afterwards."""
    async with client_of(user.sandbox, "demo_bot") as bot:
        article = types.InputBotInlineResult(
            "one", "article", types.InputBotInlineMessageText("Look at this")
        )
        saved = await bot(
            functions.messages.SavePreparedInlineMessageRequest(
                article, input_user(user, DEMO_BOT, user.id), list(kinds)
            )
        )
    return str(saved.id)


async def test_a_prepared_message_is_shared_once() -> None:
    async with user_and_bot() as (alice, bot):
        number = await prepare(alice, types.InlineQueryPeerTypePM(), types.InlineQueryPeerTypeMegagroup())
        seen: list[PreparedMessage] = []

        async def choose(message: PreparedMessage) -> str:
            seen.append(message)
            return "@bob_builds"

        yes = Consent("share_message")
        assert await share_prepared_message(alice.client, bot, number, yes, choose, 9) is None
        assert seen == [PreparedMessage("Look at this", ("users", "groups"))]
        assert (messages(alice, BOB, alice.id)[-1].text, messages(alice, BOB, alice.id)[-1].via_bot) == (
            "Look at this",
            DEMO_BOT,
        )
        again = await share_prepared_message(alice.client, bot, number, yes, choose, 10)
        assert again == "MESSAGE_EXPIRED"
        assert len(seen) == 1


async def test_a_prepared_message_is_kept_by_default() -> None:
    async with user_and_bot() as (alice, bot):
        number = await prepare(alice)
        chooser = Says("@bob_builds")
        error = await share_prepared_message(alice.client, bot, number, NO, chooser, 9)
        assert (error, chooser.asked) == ("USER_DECLINED", [])
        nobody = Says(None)
        yes = Consent("share_message")
        error = await share_prepared_message(alice.client, bot, number, yes, nobody, 9)
        assert (error, len(nobody.asked)) == ("USER_DECLINED", 1)
        assert "messages.sendInlineBotResult" not in alice.asked


async def test_a_prepared_message_goes_to_its_kinds_of_chats_only() -> None:
    async with user_and_bot() as (alice, bot):
        number = await prepare(alice, types.InlineQueryPeerTypeBroadcast(), types.InlineQueryPeerTypeBotPM())
        yes = Consent("share_message")
        with pytest.raises(BadInput, match="channels, bots"):
            await share_prepared_message(alice.client, bot, number, yes, Says("@bob_builds"), 9)
        assert "messages.sendInlineBotResult" not in alice.asked
        assert await share_prepared_message(alice.client, bot, number, yes, Says("@demo_news"), 9) is None


async def test_a_prepared_message_that_fails() -> None:
    async with user_and_bot() as (alice, bot):
        yes, bob = Consent("share_message"), Says("@bob_builds")
        assert await share_prepared_message(alice.client, bot, "nothing", yes, bob, 9) == "ID_INVALID"
        number = await prepare(alice)
        alice.sandbox.world.user("bob").premium_only = True
        error = await share_prepared_message(alice.client, bot, number, yes, bob, 9)
        assert error == "MESSAGE_SEND_FAILED"


# Requested chats


async def request_chat(user: Account, peer_type: Any, quantity: int = 1, **flags: Any) -> str:
    async with client_of(user.sandbox, "demo_bot") as bot:
        wanted = types.InputButtonTypeRequestPeer(3, peer_type, quantity, **flags)
        requested = await bot(
            functions.bots.RequestWebViewButtonRequest(
                input_user(user, DEMO_BOT, user.id), types.KeyboardButton("Choose", wanted)
            )
        )
    return str(requested.webapp_req_id)


async def test_chosen_users_are_told_to_the_bot() -> None:
    async with user_and_bot() as (alice, bot):
        number = await request_chat(alice, types.RequestPeerTypeUser(bot=False), 2, name_requested=True)
        chooser = Says(["@bob_builds", "@dora"])
        assert await send_requested_chat(alice.client, bot, number, Consent("share_chat"), chooser) is None
        assert chooser.asked == [ChatRequest("Choose", "users", 2, types.RequestPeerTypeUser(bot=False))]
        told = messages(alice, DEMO_BOT, alice.id)[-1].action
        assert [(peer.user_id, peer.first_name) for peer in told.peers] == [(BOB, "Bob"), (1004, "Dora")]
        again = await send_requested_chat(alice.client, bot, number, Consent("share_chat"), chooser)
        assert again == "WEBAPP_REQ_ID_INVALID"


async def test_no_chat_is_told_by_default() -> None:
    async with user_and_bot() as (alice, bot):
        number = await request_chat(alice, types.RequestPeerTypeChat())
        chooser = Says(GROUP)
        assert await send_requested_chat(alice.client, bot, number, NO, chooser) == "USER_DECLINED"
        assert chooser.asked == []
        nothing: Any
        for nothing in (None, []):
            error = await send_requested_chat(alice.client, bot, number, Consent("share_chat"), Says(nothing))
            assert error == "USER_DECLINED"
        assert "messages.sendBotRequestedPeer" not in alice.asked


async def test_chats_the_bot_does_not_want() -> None:
    async with user_and_bot() as (alice, bot):
        number = await request_chat(alice, types.RequestPeerTypeBroadcast())
        yes = Consent("share_chat")
        with pytest.raises(BadInput, match="1 of them"):
            await send_requested_chat(alice.client, bot, number, yes, Says(["@demo_news", "@demo_forum"]))
        error = await send_requested_chat(alice.client, bot, number, yes, Says("@demo_forum"))
        assert error == "PEER_ID_INVALID"
        made = await request_chat(alice, types.RequestPeerTypeCreateBot())
        assert await send_requested_chat(alice.client, bot, made, yes, Says("@dora")) == "UNSUPPORTED"
        assert await send_requested_chat(alice.client, bot, "x", yes, Says()) == "WEBAPP_REQ_ID_INVALID"


# Invoices

COFFEE = Bill("demo_bot", "Coffee", "EUR", 350, test=True)
STICKER = Bill("demo_bot", "Sticker", "XTR", 25)


def receipts(user: Account) -> list[Any]:
    """What the bot was told of payments."""
    actions = [message.action for message in messages(user, DEMO_BOT, user.id)]
    return [action for action in actions if isinstance(action, types.MessageActionPaymentSentMe)]


@pytest.mark.parametrize(
    "slug", ["demo-coffee", "demo-confirm", "demo-declined", "demo-card", "demo-delivery", "demo-stars"]
)
async def test_nothing_is_paid_by_default(slug: str) -> None:
    async with user_and_bot() as (alice, _):
        for policy in (None, PaymentPolicy(), PaymentPolicy({"XTR": 24, "EUR": 10**9}), lambda bill: False):
            closed = await pay_invoice(alice.client, slug, NO, policy)
            assert (closed.status, bool(closed.reason)) == ("cancelled", True)
        assert set(alice.asked) == {"payments.getPaymentForm"}
        assert alice.sandbox.world.user("alice").stars == 100


async def test_a_test_invoice_is_paid() -> None:
    async with user_and_bot() as (alice, _):
        bills = Says(True)
        assert await pay_invoice(alice.client, "demo-coffee", NO, bills) == InvoiceClosed("paid")
        assert bills.asked == [COFFEE]
        (receipt,) = receipts(alice)
        assert (receipt.currency, receipt.total_amount, receipt.payload) == ("EUR", 350, b"order")
        assert (await pay_invoice(alice.client, "demo-coffee", NO, PaymentPolicy(test=True))).status == "paid"
        assert len(receipts(alice)) == 2


async def test_the_question_of_payment_tells_the_sum() -> None:
    async with user_and_bot() as (alice, _):
        asked = Asker()
        closed = await pay_invoice(alice.client, "demo-stars", Consent(payment=asked))
        assert closed == InvoiceClosed("paid")
        assert [(prompt.bot, prompt.detail) for prompt in asked.prompts] == [
            ("demo_bot", "pay 25 XTR for Sticker")
        ]
        assert alice.asked == ["payments.getPaymentForm", "payments.sendStarsForm"]
        assert alice.sandbox.world.user("alice").stars == 75


@pytest.mark.parametrize("said", [None, 1, "no", "yes"])
async def test_only_a_plain_yes_pays(said: Any) -> None:
    async def later(_: Bill) -> Any:
        return said

    async with user_and_bot() as (alice, _):
        for policy in (Says(said), later):
            closed = await pay_invoice(alice.client, "demo-stars", Consent("payment"), policy)
            assert closed.status == "cancelled"
        assert alice.sandbox.world.user("alice").stars == 100


async def test_a_policy_goes_before_the_question() -> None:
    async with user_and_bot() as (alice, _):
        closed = await pay_invoice(alice.client, "demo-stars", Consent("payment"), PaymentPolicy())
        assert closed.status == "cancelled"


async def test_limits_hold_for_all_payments_together() -> None:
    async with user_and_bot() as (alice, _):
        policy = PaymentPolicy({"XTR": 60})
        closed = [(await pay_invoice(alice.client, "demo-stars", NO, policy)).status for _ in range(3)]
        assert closed == ["paid", "paid", "cancelled"]
        assert policy.spent == {"XTR": 50}
        assert alice.sandbox.world.user("alice").stars == 50


async def test_too_few_stars() -> None:
    async with user_and_bot("bob") as (bob, _):
        policy = PaymentPolicy({"XTR": 25})
        closed = await pay_invoice(bob.client, "demo-stars", NO, policy)
        assert closed.status == "failed"
        assert "BALANCE_TOO_LOW" in closed.reason
        assert policy.spent == {"XTR": 0}


async def test_what_is_not_known_to_have_failed_stays_spent() -> None:
    async with user_and_bot() as (alice, _):
        policy = PaymentPolicy({"XTR": 60})
        alice.sandbox.faults.on("payments.sendStarsForm", Fail(500, "RPC_CALL_FAIL"))
        assert (await pay_invoice(alice.client, "demo-stars", NO, policy)).status == "failed"
        assert policy.spent == {"XTR": 25}


async def test_a_form_that_was_sent_twice_is_paid_once() -> None:
    """Telethon repeats the request when the connection breaks before the answer."""
    async with user_and_bot() as (alice, _):
        policy = PaymentPolicy({"XTR": 60})
        alice.sandbox.faults.on("payments.sendStarsForm", DropAfter())
        closed = await pay_invoice(alice.client, "demo-stars", NO, policy)
        assert (closed.status, "FORM_SUBMIT_DUPLICATE" in closed.reason) == ("pending", True)
        assert policy.spent == {"XTR": 25}
        assert alice.sandbox.world.user("alice").stars == 75
        assert len(receipts(alice)) == 1


async def test_a_confirmation_is_pending() -> None:
    async with user_and_bot() as (alice, _):
        closed = await pay_invoice(alice.client, "demo-confirm", NO, PaymentPolicy(test=True))
        assert closed.status == "pending"
        assert "confirmed" in closed.reason
        assert "provider.example" not in closed.reason
        assert receipts(alice) == []


async def test_a_payment_without_its_message_is_pending() -> None:
    async with user_and_bot(flipped=["payment_results_hold_the_service_message"]) as (alice, _):
        closed = await pay_invoice(alice.client, "demo-coffee", NO, PaymentPolicy(test=True))
        assert closed.status == "pending"


async def test_a_declined_payment_has_failed() -> None:
    async with user_and_bot() as (alice, _):
        closed = await pay_invoice(alice.client, "demo-declined", NO, PaymentPolicy(test=True))
        assert closed.status == "failed"
        assert "PAYMENT_FAILED" in closed.reason


async def test_a_card_is_needed_and_used_if_given() -> None:
    async with user_and_bot() as (alice, _):
        policy = PaymentPolicy({"EUR": 2500})
        closed = await pay_invoice(alice.client, "demo-card", NO, policy)
        assert closed.status == "cancelled"
        assert "card" in closed.reason
        card = {"type": "card", "id": "tok_live_4242"}
        refused = await pay_invoice(alice.client, "demo-card", NO, policy, {"type": "card", "id": "tok_visa"})
        assert refused.status == "failed"
        assert (await pay_invoice(alice.client, "demo-card", NO, policy, card)).status == "paid"
        assert policy.spent == {"EUR": 2500}


async def test_details_of_the_payer_are_not_given_away() -> None:
    async with user_and_bot() as (alice, _):
        closed = await pay_invoice(alice.client, "demo-delivery", NO, PaymentPolicy(test=True))
        assert (closed.status, "shipping_address" in closed.reason) == ("cancelled", True)


async def test_an_invoice_that_is_none() -> None:
    async with user_and_bot() as (alice, _):
        unknown = await pay_invoice(alice.client, "nothing", NO, PaymentPolicy(test=True))
        assert (unknown.status, "SLUG_INVALID" in unknown.reason) == ("failed", True)
        alice.forget_calls()
        for slug in ("", "a b", "../x", "демо", "x\n"):
            assert (await pay_invoice(alice.client, slug, NO)).status == "failed"
        assert alice.asked == []


def test_stars_are_never_a_test() -> None:
    invoice = types.Invoice("XTR", [types.LabeledPrice("a", 5), types.LabeledPrice("b", 6)], test=True)
    bill = Bill.of(types.payments.PaymentFormStars(1, 77, "Title", "", invoice, []))
    assert bill == Bill("77", "Title", "XTR", 11)
    monthly = types.Invoice("XTR", [], subscription_period=2_592_000)
    assert Bill.of(types.payments.PaymentFormStars(1, 77, "Title", "", monthly, [])).subscription


def test_a_policy_pays_what_it_names_and_nothing_else() -> None:
    policy = PaymentPolicy({"XTR": 100})
    assert not policy(COFFEE)
    assert not policy(Bill("demo_bot", "Coffee", "EUR", 1))
    assert not policy(Bill("demo_bot", "Gift", "XTR", -5))
    assert not policy(Bill("demo_bot", "Club", "XTR", 10, subscription=True))
    assert PaymentPolicy({"XTR": 100}, subscriptions=True)(Bill("b", "Club", "XTR", 10, subscription=True))
    assert policy(Bill("demo_bot", "All", "XTR", 100))
    assert not policy(Bill("demo_bot", "More", "XTR", 1))
    policy.give_back(Bill("demo_bot", "All", "XTR", 100))
    assert policy(STICKER)


# Downloads


async def test_a_download_is_checked_then_asked_about() -> None:
    async with user_and_bot() as (alice, bot):
        url, asked = "https://demo.example/a.pdf", Asker()
        consent = Consent(download=asked)
        assert await request_download(alice.client, bot, url, "a.pdf", consent) == "downloading"
        assert asked.prompts[0].detail == "download a.pdf"
        assert await request_download(alice.client, bot, url, "a.pdf", NO) == "cancelled"
        assert alice.asked == ["bots.checkDownloadFileParams"] * 2
        bad = "http://demo.example/a.pdf"
        assert await request_download(alice.client, bot, bad, "a.pdf", consent) == "cancelled"
        assert len(asked.prompts) == 1


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "a\\b", "ä" * 128])
async def test_a_bad_file_name_is_not_even_checked(name: str) -> None:
    async with user_and_bot() as (alice, bot):
        status = await request_download(
            alice.client, bot, "https://demo.example/a", name, Consent("download")
        )
        assert (status, alice.asked) == ("cancelled", [])


# The configuration, texts, and errors in general


async def test_allowed_protocols() -> None:
    async with account() as alice:
        assert await allowed_protocols(alice.client) == {"http", "https"}
        alice.sandbox.world.app_config["web_app_allowed_protocols"] = ["https", "TON", 5]
        assert await allowed_protocols(alice.client) == {"https", "ton"}
        for nothing in ({}, {"web_app_allowed_protocols": "https"}):
            alice.sandbox.world.app_config = dict(nothing)
            assert await allowed_protocols(alice.client) == {"http", "https"}


def test_texts_of_a_page_are_made_whole() -> None:
    assert wire_text("a😀ü") == "a😀ü"
    assert wire_text("\ud83d\ude00") == "😀"
    assert wire_text("\ud83d a \ude00") == "\ufffd a \ufffd"


@pytest.mark.parametrize("method", ["bots.canSendMessage", "bots.allowSendMessage"])
async def test_what_the_event_cannot_say_is_raised(method: str) -> None:
    async with user_and_bot() as (alice, bot):
        alice.sandbox.faults.on(method, Fail(400, "BOT_INVALID"))
        with pytest.raises(RpcFailed, match="BOT_INVALID"):
            await request_write_access(alice.client, bot, Consent("write_access"))


async def test_an_emoji_status_ends_with_the_clock_of_the_wire() -> None:
    async with user_and_bot("dora") as (dora, bot):
        await set_emoji_status(dora.client, bot, str(CUSTOM_EMOJI[0]), 60, Consent("emoji_status"), 2e9)
        sent = dora.sent("account.updateEmojiStatus")["emoji_status"]
        assert sent == types.EmojiStatus(CUSTOM_EMOJI[0], datetime.fromtimestamp(2_000_000_060, UTC))


async def test_credentials_stay_out_of_reprs() -> None:
    async with user_and_bot() as (alice, _):
        closed = await pay_invoice(
            alice.client, "demo-card", NO, lambda bill: True, {"type": "card", "id": "tok_secret"}
        )
        assert closed.status == "failed"
        assert "tok_secret" not in repr(closed)
        assert (
            json.loads(alice.sent("payments.sendPaymentForm")["credentials"].data.data)["id"] == "tok_secret"
        )


async def test_the_channel_that_was_posted_in() -> None:
    async with user_and_bot() as (alice, bot):
        number = await prepare(alice, types.InlineQueryPeerTypeBroadcast())
        yes = Consent("share_message")
        assert await share_prepared_message(alice.client, bot, number, yes, Says("@demo_news"), 9) is None
        newest = list(alice.sandbox.world.boxes[CHANNEL].messages.values())[-1]
        assert (newest.text, newest.via_bot) == ("Look at this", DEMO_BOT)
