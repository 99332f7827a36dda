"""What the sandbox answers to what open Mini Apps ask for, with every assumption both ways."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from telethon.tl import functions, types

from launcher.sandbox.default_world import (
    ALICE,
    BOB,
    CHANNEL,
    CUSTOM_EMOJI,
    DEMO_BOT,
    DORA,
    FORUM,
    GROUP,
    PLAIN_BOT,
)
from launcher.sandbox.payments import Payments
from launcher.sandbox.server import Sandbox
from tests.telethon_clients import Client, Clock, signed_in


@asynccontextmanager
async def people(*accounts: int, **options: Any) -> AsyncIterator[list[Client]]:
    """Clients of these accounts in a fresh sandbox."""
    async with Sandbox(**options) as sandbox:
        if len(accounts) == 1:
            async with signed_in(sandbox, accounts[0]) as only:
                yield [only]
        else:
            async with signed_in(sandbox, accounts[0]) as first, signed_in(sandbox, accounts[1]) as second:
                yield [first, second]


def custom(client: Client, method: str, params: Any, bot: int = DEMO_BOT) -> Any:
    text = params if isinstance(params, str) else json.dumps(params)
    return functions.bots.InvokeWebViewCustomMethodRequest(client.user(bot), method, types.DataJSON(text))


async def result(client: Client, method: str, params: Any, bot: int = DEMO_BOT) -> Any:
    return json.loads((await client(custom(client, method, params, bot))).data)


# Cloud storage


async def test_cloud_storage_is_kept_for_each_user_and_bot() -> None:
    async with people(ALICE, BOB) as (alice, bob):
        for key in ("b", "a"):
            assert await result(alice, "saveStorageValue", {"key": key, "value": f"value of {key}"}) is True
        assert await result(alice, "getStorageKeys", {}) == ["b", "a"]
        assert await result(alice, "getStorageValues", {"keys": ["a", "c"]}) == {"a": "value of a"}
        assert await result(alice, "getStorageKeys", {}, PLAIN_BOT) == []
        assert await result(bob, "getStorageKeys", {}) == []
        assert await result(alice, "deleteStorageValues", {"keys": ["b", "c"]}) is True
        assert await result(alice, "getStorageKeys", {}) == ["a"]
        assert alice.sandbox.world.user(ALICE).cloud_storage == {DEMO_BOT: {"a": "value of a"}}


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("", "x", "KEY_INVALID"),
        ("k" * 129, "x", "KEY_INVALID"),
        ("a b", "x", "KEY_INVALID"),
        ("ключ", "x", "KEY_INVALID"),
        (5, "x", "KEY_INVALID"),
        (None, "x", "KEY_INVALID"),
        ("k", "x" * 4097, "VALUE_INVALID"),
        ("k", None, "VALUE_INVALID"),
    ],
)
async def test_assumption_cloud_storage_names_its_limits(key: Any, value: Any, error: str) -> None:
    async with people(ALICE) as (alice,):
        request = custom(alice, "saveStorageValue", {"key": key, "value": value})
        assert await alice.refused(request) == f"400 {error}"
        alice.sandbox.assumptions.flip("cloud_storage_names_its_limits")
        assert await alice.refused(request) == "400 DATA_JSON_INVALID"


async def test_cloud_storage_is_full_with_1024_keys() -> None:
    async with people(ALICE) as (alice,):
        stored = {str(number): "" for number in range(1023)}
        alice.sandbox.world.user(ALICE).cloud_storage[DEMO_BOT] = stored
        longest = {"key": "k" * 128, "value": "v" * 4096}
        assert await result(alice, "saveStorageValue", longest) is True
        more = custom(alice, "saveStorageValue", {"key": "more", "value": ""})
        assert await alice.refused(more) == "400 QUOTA_EXCEEDED"
        assert await result(alice, "saveStorageValue", {"key": "7", "value": "again"}) is True


async def test_assumption_missing_keys() -> None:
    async with people(ALICE, flipped=["cloud_storage_leaves_missing_keys_out"]) as (alice,):
        assert await result(alice, "getStorageValues", {"keys": ["a"]}) == {"a": ""}


async def test_custom_methods_that_cannot_be() -> None:
    async with people(ALICE) as (alice,):
        assert await alice.refused(custom(alice, "fly", {})) == "400 METHOD_INVALID"
        for params in ("", "{", "[]", "null", '{"keys": 1}', '{"keys": "\\ud800"}', "[" * 100_000):
            refused = await alice.refused(custom(alice, "getStorageValues", params))
            assert refused == "400 DATA_JSON_INVALID"
        assert await alice.refused(custom(alice, "getCurrentTime", {}, BOB)) == "400 BOT_INVALID"


async def test_the_current_time() -> None:
    async with people(ALICE, clock=Clock(1_900_000_000.5)) as (alice,):
        assert await result(alice, "getCurrentTime", {}) == 1_900_000_000


# Contacts


def contact(client: Client, peer: int = DEMO_BOT, number: str = "9996621111", **more: Any) -> Any:
    media = types.InputMediaContact(number, "Alice", "", "")
    return functions.messages.SendMediaRequest(client.peer(peer), media, "", **more)


async def test_a_shared_contact_reaches_the_bot_and_the_page() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        assert await result(alice, "getRequestedContact", {}) == ""
        await alice(contact(alice))
        shown = (await bot.update(types.UpdateNewMessage)).message.media
        assert shown == types.MessageMediaContact("9996621111", "Alice", "", "", ALICE)
        signed = dict(parse_qsl(await result(alice, "getRequestedContact", {})))
        assert json.loads(signed["contact"]) == {
            "user_id": ALICE,
            "phone_number": "+9996621111",
            "first_name": "Alice",
        }
        assert set(signed) == {"contact", "auth_date", "hash"}
        token = alice.sandbox.world.bot(DEMO_BOT).token
        lines = f"auth_date={signed['auth_date']}\ncontact={signed['contact']}"
        secret = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
        assert signed["hash"] == hmac.digest(secret, lines.encode(), hashlib.sha256).hex()
        assert await result(alice, "getRequestedContact", {}, PLAIN_BOT) == ""


async def test_assumptions_on_the_requested_contact() -> None:
    flipped = ["requested_contacts_have_a_plus", "requested_contacts_have_a_hash_alone"]
    async with people(ALICE, flipped=flipped) as (alice,):
        await alice(contact(alice))
        signed = dict(parse_qsl(await result(alice, "getRequestedContact", {})))
        assert set(signed) == {"contact", "auth_date", "signature", "hash"}
        assert json.loads(signed["contact"])["phone_number"] == "9996621111"


async def test_assumption_whom_a_contact_names() -> None:
    async with people(ALICE, BOB) as (alice, bob):
        for holds in (True, False):
            await alice(contact(alice, BOB, "+9996624444"))
            shown = (await bob.update(types.UpdateNewMessage)).message.media
            assert shown.user_id == (DORA if holds else 0)
            alice.sandbox.assumptions.flip("a_contact_names_the_user_with_the_number")
        await alice(contact(alice, DEMO_BOT, "9996624444"))
        assert await result(alice, "getRequestedContact", {}) == ""


async def test_media_that_cannot_be_sent() -> None:
    async with people(ALICE) as (alice,):
        dice = functions.messages.SendMediaRequest(alice.peer(BOB), types.InputMediaDice("🎲"), "")
        assert await alice.refused(dice) == "400 MEDIA_INVALID"
        alice.sandbox.world.user(ALICE).blocked.add(DEMO_BOT)
        assert await alice.refused(contact(alice)) == "400 YOU_BLOCKED_USER"
        assert await alice.refused(contact(alice, CHANNEL, send_as=alice.peer(BOB))) == (
            "400 SEND_AS_PEER_INVALID"
        )


# Emoji statuses


async def test_an_emoji_status_is_seen_until_its_time() -> None:
    clock = Clock(1_900_000_000.0)
    async with people(DORA, BOB, clock=clock) as (dora, bob):
        until = datetime.fromtimestamp(1_900_000_060, UTC)
        status = types.EmojiStatus(CUSTOM_EMOJI[0], until)
        assert await dora(functions.account.UpdateEmojiStatusRequest(status))
        (seen,) = await bob(functions.users.GetUsersRequest([bob.user(DORA)]))
        assert seen.emoji_status == status
        clock.forward(60)
        (seen,) = await bob(functions.users.GetUsersRequest([bob.user(DORA)]))
        assert seen.emoji_status is None


async def test_the_other_clients_of_a_person_learn_the_emoji_status() -> None:
    async with people(DORA, DORA) as (first, second):
        status = types.EmojiStatus(CUSTOM_EMOJI[0])
        await first(functions.account.UpdateEmojiStatusRequest(status))
        update = await second.update(types.UpdateUserEmojiStatus)
        assert (update.user_id, update.emoji_status) == (DORA, status)
        await first(functions.account.UpdateEmojiStatusRequest(types.EmojiStatusEmpty()))
        update = await second.update(types.UpdateUserEmojiStatus)
        assert update.emoji_status == types.EmojiStatusEmpty()
        assert first.pushed() == []


async def test_emoji_statuses_that_are_refused() -> None:
    async with people(ALICE, DORA) as (alice, dora):

        def setting(status: Any) -> Any:
            return functions.account.UpdateEmojiStatusRequest(status)

        assert await alice.refused(setting(types.EmojiStatus(CUSTOM_EMOJI[0]))) == (
            "403 PREMIUM_ACCOUNT_REQUIRED"
        )
        assert await alice(setting(types.EmojiStatusEmpty()))
        assert await dora.refused(setting(types.EmojiStatus(7))) == "400 DOCUMENT_INVALID"
        collectible = types.InputEmojiStatusCollectible(7)
        assert await dora.refused(setting(collectible)) == "400 COLLECTIBLE_INVALID"


async def test_a_bot_sets_the_emoji_status_with_permission() -> None:
    async with people(DORA, DEMO_BOT) as (dora, bot):
        setting = functions.bots.UpdateUserEmojiStatusRequest(
            bot.user(DORA), types.EmojiStatus(CUSTOM_EMOJI[1])
        )
        assert await bot.refused(setting) == "403 USER_PERMISSION_DENIED"
        for enabled in (True, False):
            toggle = functions.bots.ToggleUserEmojiStatusPermissionRequest(dora.user(DEMO_BOT), enabled)
            assert await dora(toggle)
            full = await dora(functions.users.GetFullUserRequest(dora.user(DEMO_BOT)))
            assert bool(full.full_user.bot_can_manage_emoji_status) is enabled
            if enabled:
                assert await bot(setting)
                update = await dora.update(types.UpdateUserEmojiStatus)
                assert update.emoji_status.document_id == CUSTOM_EMOJI[1]
        assert await bot.refused(setting) == "403 USER_PERMISSION_DENIED"
        nobody = functions.bots.UpdateUserEmojiStatusRequest(bot.user(PLAIN_BOT), types.EmojiStatusEmpty())
        assert await bot.refused(nobody) == "400 USER_ID_INVALID"
        assert await dora.refused(setting) == "400 USER_BOT_REQUIRED"
        toggle = functions.bots.ToggleUserEmojiStatusPermissionRequest(dora.user(BOB), True)
        assert await dora.refused(toggle) == "400 BOT_INVALID"


async def test_assumption_emoji_statuses_of_bots_are_checked() -> None:
    async with people(DEMO_BOT) as (bot,):
        bot.sandbox.world.user(DORA).emoji_status_bots.add(DEMO_BOT)
        setting = functions.bots.UpdateUserEmojiStatusRequest(bot.user(DORA), types.EmojiStatus(7))
        assert await bot.refused(setting) == "400 DOCUMENT_INVALID"
        bot.sandbox.assumptions.flip("a_bots_emoji_status_is_checked_as_a_persons")
        assert await bot(setting)


# Prepared messages


def saving(bot: Client, name: str = "one", user: int = ALICE, kinds: Any = None) -> Any:
    text = types.InputBotInlineMessageText("Prepared")
    article = types.InputBotInlineResult(name, "article", text)
    return functions.messages.SavePreparedInlineMessageRequest(article, bot.user(user), kinds)


def fetching(client: Client, name: str, bot: int = DEMO_BOT) -> Any:
    return functions.messages.GetPreparedInlineMessageRequest(client.user(bot), name)


def sharing(client: Client, found: Any, peer: int = BOB, random_id: int | None = None) -> Any:
    return functions.messages.SendInlineBotResultRequest(
        client.peer(peer), found.query_id, found.result.id, random_id=random_id
    )


async def test_a_prepared_message_is_fetched_and_sent_once() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        saved = await bot(saving(bot))
        found = await alice(fetching(alice, saved.id))
        assert found.result.send_message.message == "Prepared"
        assert len(found.peer_types) == 6
        again = await alice(fetching(alice, saved.id))
        for _ in range(2):
            await alice(sharing(alice, found, random_id=5))
        texts = [message.text for message in alice.sandbox.world.boxes[BOB].messages.values()]
        assert texts.count("Prepared") == 1
        assert await alice.refused(sharing(alice, again)) == "400 INLINE_RESULT_EXPIRED"
        assert await alice.refused(fetching(alice, saved.id)) == "400 ID_EXPIRED"
        alice.sandbox.assumptions.flip("a_sent_prepared_message_is_expired")
        assert await alice.refused(fetching(alice, saved.id)) == "400 ID_INVALID"


async def test_a_prepared_message_is_for_one_user_of_one_bot() -> None:
    async with people(BOB, DEMO_BOT) as (bob, bot):
        saved = await bot(saving(bot))
        assert await bob.refused(fetching(bob, saved.id)) == "400 ID_INVALID"
        own = await bot(saving(bot, user=BOB))
        assert await bob.refused(fetching(bob, own.id, PLAIN_BOT)) == "400 ID_INVALID"
        assert await bob.refused(fetching(bob, "none")) == "400 ID_INVALID"
        assert await bot.refused(saving(bot, name="")) == "400 RESULT_ID_INVALID"
        assert await bot.refused(saving(bot, user=PLAIN_BOT)) == "400 USER_ID_INVALID"
        assert await bob.refused(saving(bob, user=ALICE)) == "400 USER_BOT_REQUIRED"


@pytest.mark.parametrize(("flipped", "life"), [([], 3600), (["prepared_messages_live_for_an_hour"], 86_400)])
async def test_assumption_how_long_prepared_messages_live(flipped: list[str], life: int) -> None:
    clock = Clock()
    async with people(ALICE, DEMO_BOT, clock=clock, flipped=flipped) as (alice, bot):
        saved = await bot(saving(bot))
        assert saved.expire_date.timestamp() == clock.now + life
        clock.forward(life - 1)
        found = await alice(fetching(alice, saved.id))
        assert found.cache_time == 1
        clock.forward(1)
        assert await alice.refused(fetching(alice, saved.id)) == "400 ID_EXPIRED"
        assert await alice.refused(sharing(alice, found)) == "400 INLINE_RESULT_EXPIRED"


async def test_assumptions_on_kinds_of_chats() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        saved = await bot(saving(bot, kinds=[types.InlineQueryPeerTypeMegagroup()]))
        found = await alice(fetching(alice, saved.id))
        for elsewhere in (BOB, GROUP, CHANNEL):
            assert await alice.refused(sharing(alice, found, elsewhere)) == "400 PEER_ID_INVALID"
        await alice(sharing(alice, found, FORUM))
        saved = await bot(saving(bot, kinds=[types.InlineQueryPeerTypeMegagroup()]))
        found = await alice(fetching(alice, saved.id))
        alice.sandbox.assumptions.flip("prepared_messages_go_to_their_kinds_of_chats")
        await alice(sharing(alice, found, BOB))
        alice.sandbox.assumptions.flip("prepared_messages_without_kinds_go_anywhere")
        saved = await bot(saving(bot))
        assert (await alice(fetching(alice, saved.id))).peer_types == []


# Requested peers


def asking(bot: Client, peer_type: Any, quantity: int = 1, text: str = "Choose", **flags: Any) -> Any:
    wanted = types.InputButtonTypeRequestPeer(3, peer_type, quantity, **flags)
    return functions.bots.RequestWebViewButtonRequest(bot.user(ALICE), types.KeyboardButton(text, wanted))


def button_of(client: Client, req_id: str, bot: int = DEMO_BOT) -> Any:
    return functions.bots.GetRequestedWebViewButtonRequest(client.user(bot), req_id)


def telling(client: Client, *peers: int, button: int = 3, bot: int = DEMO_BOT, **which: Any) -> Any:
    return functions.messages.SendBotRequestedPeerRequest(
        client.peer(bot), button, [client.peer(peer) for peer in peers], **which
    )


async def test_the_bot_learns_the_chosen_chats() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        prepared = await bot(
            asking(bot, types.RequestPeerTypeChat(), 2, name_requested=True, username_requested=True)
        )
        shown = await alice(button_of(alice, prepared.webapp_req_id))
        wanted = types.ButtonTypeRequestPeer(3, types.RequestPeerTypeChat(), 2)
        assert bytes(shown) == bytes(types.KeyboardButton("Choose", wanted))
        updates = await alice(telling(alice, GROUP, FORUM, webapp_req_id=prepared.webapp_req_id))
        own = [update.message.action for update in updates.updates if hasattr(update, "message")]
        peers = [types.PeerChat(GROUP), types.PeerChannel(FORUM)]
        assert own == [types.MessageActionRequestedPeer(3, peers)]
        told = (await bot.update(types.UpdateNewMessage)).message.action
        assert told.peers == [
            types.RequestedPeerChat(GROUP, title="Demo group"),
            types.RequestedPeerChannel(FORUM, title="Demo forum", username="demo_forum"),
        ]


async def test_buttons_that_cannot_be_asked_with() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        text = types.KeyboardButton("Help", types.ButtonTypeDefault())
        plain = functions.bots.RequestWebViewButtonRequest(bot.user(ALICE), text)
        assert await bot.refused(plain) == "400 BUTTON_INVALID"
        for bad in (
            asking(bot, types.RequestPeerTypeChat(), 0),
            asking(bot, types.RequestPeerTypeChat(), text=""),
        ):
            assert await bot.refused(bad) == "400 BUTTON_INVALID"
        stranger = functions.bots.RequestWebViewButtonRequest(bot.user(PLAIN_BOT), text)
        assert await bot.refused(stranger) == "400 USER_ID_INVALID"
        person = functions.bots.RequestWebViewButtonRequest(alice.user(BOB), text)
        assert await alice.refused(person) == "400 USER_BOT_REQUIRED"
        assert await alice.refused(button_of(alice, "none")) == "400 WEBAPP_REQ_ID_INVALID"
        assert await alice.refused(button_of(alice, "none", BOB)) == "400 BOT_ID_INVALID"


async def test_assumptions_on_answers_to_a_request() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        wanted = types.RequestPeerTypeUser(bot=False, premium=True)
        number = (await bot(asking(bot, wanted))).webapp_req_id
        for peers in ([BOB], [DEMO_BOT], [GROUP], [], [DORA, DORA]):
            refused = await alice.refused(telling(alice, *peers, webapp_req_id=number))
            assert refused == "400 PEER_ID_INVALID"
        other = telling(alice, DORA, button=4, webapp_req_id=number)
        assert await alice.refused(other) == "400 WEBAPP_REQ_ID_INVALID"
        alice.sandbox.assumptions.flip("an_unknown_request_is_webapp_req_id_invalid")
        assert await alice.refused(other) == "400 MESSAGE_ID_INVALID"
        alice.sandbox.assumptions.flip("a_request_of_an_app_is_answered_once")
        await alice(telling(alice, DORA, webapp_req_id=number))
        alice.sandbox.assumptions.flip("a_request_of_an_app_is_answered_once")
        await alice(telling(alice, DORA, webapp_req_id=number))
        assert await alice.refused(telling(alice, DORA, webapp_req_id=number)) == "400 MESSAGE_ID_INVALID"
        alice.sandbox.assumptions.flip("requested_peers_have_to_fit")
        number = (await bot(asking(bot, wanted))).webapp_req_id
        await alice(telling(alice, BOB, webapp_req_id=number))


@pytest.mark.parametrize(
    ("wanted", "fits", "does_not"),
    [
        (types.RequestPeerTypeUser(), BOB, GROUP),
        (types.RequestPeerTypeUser(bot=True), PLAIN_BOT, BOB),
        (types.RequestPeerTypeChat(forum=True), FORUM, GROUP),
        (types.RequestPeerTypeChat(has_username=False), GROUP, FORUM),
        (types.RequestPeerTypeChat(), FORUM, CHANNEL),
        (types.RequestPeerTypeBroadcast(creator=True), CHANNEL, FORUM),
    ],
)
async def test_which_peers_fit(wanted: Any, fits: int, does_not: int) -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        number = (await bot(asking(bot, wanted))).webapp_req_id
        refused = await alice.refused(telling(alice, does_not, webapp_req_id=number))
        assert refused == "400 PEER_ID_INVALID"
        await alice(telling(alice, fits, webapp_req_id=number))


async def test_a_button_of_a_keyboard_asks_as_well() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        wanted = types.InputButtonTypeRequestPeer(3, types.RequestPeerTypeUser(), 1)
        keyboard = types.ReplyKeyboardMarkup([types.KeyboardButtonRow([types.KeyboardButton("Who", wanted)])])
        await bot(functions.messages.SendMessageRequest(bot.peer(ALICE), "Who?", reply_markup=keyboard))
        message = (await alice.update(types.UpdateNewMessage)).message
        assert await alice.refused(telling(alice, BOB, msg_id=999)) == "400 MESSAGE_ID_INVALID"
        assert await alice.refused(telling(alice, BOB, button=9, msg_id=message.id)) == (
            "400 MESSAGE_ID_INVALID"
        )
        assert await alice.refused(telling(alice, BOB)) == "400 MESSAGE_ID_INVALID"
        await alice(telling(alice, BOB, msg_id=message.id))


# Invoices

TOKEN = "123456789:TEST:pays"
CARD = {"type": "card", "id": "tok_visa"}


def selling(
    *amounts: int, currency: str = "EUR", provider: str | None = TOKEN, payload: bytes = b"p", **flags: Any
) -> Any:
    prices = [types.LabeledPrice("Part", amount) for amount in amounts]
    invoice = types.Invoice(currency, prices, **flags)
    media = types.InputMediaInvoice("Cup", "A cup", invoice, payload, types.DataJSON("{}"), provider=provider)
    return functions.payments.ExportInvoiceRequest(media)


def form_of(slug: str) -> Any:
    return functions.payments.GetPaymentFormRequest(types.InputInvoiceSlug(slug))


def paying(form_id: int, slug: str, credentials: Any = None, **more: Any) -> Any:
    data = types.DataJSON(json.dumps(CARD if credentials is None else credentials))
    given = types.InputPaymentCredentials(data)
    return functions.payments.SendPaymentFormRequest(form_id, types.InputInvoiceSlug(slug), given, **more)


def paying_stars(form_id: int, slug: str = "demo-stars") -> Any:
    return functions.payments.SendStarsFormRequest(form_id, types.InputInvoiceSlug(slug))


async def test_an_invoice_of_a_bot_is_paid_when_it_agrees() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        link = (await bot(selling(300, 50, payload=b"order 7"))).url
        assert link.startswith("https://t.me/$")
        slug = link.partition("$")[2]
        form = await alice(form_of(slug))
        assert (form.invoice.currency, form.invoice.prices[0].amount, form.title) == ("EUR", 350, "Cup")
        payment = alice.sandbox.start(_pay(alice, form.form_id, slug))
        query = await bot.update(types.UpdateBotPrecheckoutQuery)
        assert (query.user_id, query.payload, query.total_amount) == (ALICE, b"order 7", 350)
        assert await bot(functions.messages.SetBotPrecheckoutResultsRequest(query.query_id, success=True))
        await payment
        receipt = (await bot.update(types.UpdateNewMessage)).message.action
        assert (receipt.payload, receipt.total_amount) == (b"order 7", 350)
        assert receipt.charge.id


async def _pay(client: Client, form_id: int, slug: str) -> None:
    """Pay; the answer has the payer's side of the service message."""
    paid = await client(paying(form_id, slug))
    (action,) = [update.message.action for update in paid.updates.updates if hasattr(update, "message")]
    assert bytes(action) == bytes(types.MessageActionPaymentSent("EUR", 350, invoice_slug=slug))


async def test_a_bot_that_does_not_agree() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        for slug, assumption, expected in (
            ("demo-coffee", "", "400 BOT_PRECHECKOUT_FAILED"),
            ("demo-coffee", "a_refused_checkout_is_bot_precheckout_failed", "406 PRECHECKOUT_FAILED"),
            ("demo-stars", "", "406 PRECHECKOUT_FAILED"),
        ):
            if assumption:
                alice.sandbox.assumptions.flip(assumption)
            number = (await alice(form_of(slug))).form_id
            request = paying_stars(number) if slug == "demo-stars" else paying(number, slug)
            refusals: list[str] = []
            payment = alice.sandbox.start(_refused(alice, request, refusals))
            query = await bot.update(types.UpdateBotPrecheckoutQuery)
            empty = functions.messages.SetBotPrecheckoutResultsRequest(query.query_id, error="")
            assert await bot.refused(empty) == "400 ERROR_TEXT_EMPTY"
            await bot(functions.messages.SetBotPrecheckoutResultsRequest(query.query_id, error="Sold out"))
            await payment
            assert refusals == [expected]
        assert alice.sandbox.world.user(ALICE).stars == 100


async def _refused(client: Client, request: Any, refusals: list[str]) -> None:
    refusals.append(await client.refused(request))


async def test_assumption_a_silent_bot() -> None:
    async with people(ALICE, DEMO_BOT, bot_timeout=0.05) as (alice, _):
        request = paying((await alice(form_of("demo-coffee"))).form_id, "demo-coffee")
        assert await alice.refused(request) == "400 BOT_PRECHECKOUT_TIMEOUT"
        alice.sandbox.assumptions.flip("a_silent_bot_is_bot_precheckout_timeout")
        assert await alice.refused(request) == "406 PRECHECKOUT_FAILED"


async def test_assumption_an_absent_bot() -> None:
    async with people(ALICE, flipped=["an_absent_bot_takes_every_payment"]) as (alice,):
        request = paying((await alice(form_of("demo-coffee"))).form_id, "demo-coffee")
        assert await alice.refused(request) == "400 BOT_PRECHECKOUT_TIMEOUT"


async def test_assumption_an_unknown_checkout() -> None:
    async with people(DEMO_BOT, ALICE) as (bot, alice):
        answer = functions.messages.SetBotPrecheckoutResultsRequest(7, success=True)
        assert await bot.refused(answer) == "400 QUERY_ID_INVALID"
        bot.sandbox.assumptions.flip("an_unknown_checkout_is_query_id_invalid")
        assert await bot(answer) is False
        assert await alice.refused(answer) == "400 USER_BOT_REQUIRED"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (selling(), "CURRENCY_TOTAL_AMOUNT_INVALID"),
        (selling(5, -5), "CURRENCY_TOTAL_AMOUNT_INVALID"),
        (selling(5, payload=b""), "INVOICE_PAYLOAD_INVALID"),
        (selling(5, payload=b"x" * 129), "INVOICE_PAYLOAD_INVALID"),
        (selling(5, provider=None), "PAYMENT_PROVIDER_INVALID"),
        (selling(5, provider="unknown"), "PAYMENT_PROVIDER_INVALID"),
        (selling(5, currency="XTR"), "STARS_INVOICE_INVALID"),
        (selling(5, 6, currency="XTR", provider=None), "STARS_INVOICE_INVALID"),
        (selling(5, currency="XTR", provider=None, email_requested=True), "STARS_INVOICE_INVALID"),
        (functions.payments.ExportInvoiceRequest(types.InputMediaEmpty()), "MEDIA_INVALID"),
    ],
)
async def test_invoices_that_cannot_be(request_: Any, error: str) -> None:
    async with people(DEMO_BOT) as (bot,):
        assert await bot.refused(request_) == f"400 {error}"


async def test_forms_say_how_they_are_paid() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        test, card = await alice(form_of("demo-coffee")), await alice(form_of("demo-card"))
        assert (test.native_provider, bool(test.invoice.test)) == ("stripe", True)
        assert not card.invoice.test
        assert (await alice(form_of("demo-delivery"))).invoice.shipping_address_requested
        stars = await alice(form_of("demo-stars"))
        assert isinstance(stars, types.payments.PaymentFormStars)
        assert [user.username for user in stars.users] == ["demo_bot"]
        slug = (await bot(selling(5, currency="XTR", provider=None))).url.partition("$")[2]
        assert isinstance(await alice(form_of(slug)), types.payments.PaymentFormStars)
        assert await alice.refused(form_of("none")) == "400 SLUG_INVALID"
        message = types.InputInvoiceMessage(alice.peer(DEMO_BOT), 1)
        of_message = functions.payments.GetPaymentFormRequest(message)
        assert await alice.refused(of_message) == "400 INVOICE_INVALID"
        assert await alice.refused(selling(5)) == "400 USER_BOT_REQUIRED"


async def test_credentials_have_to_be_of_the_provider() -> None:
    async with people(ALICE) as (alice,):
        for slug, token, taken in (
            ("demo-coffee", "tok_visa", True),
            ("demo-coffee", "tok_live_1", False),
            ("demo-coffee", "4242424242424242", False),
            ("demo-card", "tok_visa", False),
            ("demo-card", "tok_live_1", True),
        ):
            request = paying((await alice(form_of(slug))).form_id, slug, {"type": "card", "id": token})
            if taken:
                assert isinstance(await alice(request), types.payments.PaymentResult)
            else:
                assert await alice.refused(request) == "400 PAYMENT_CREDENTIALS_INVALID"
        number = (await alice(form_of("demo-coffee"))).form_id
        assert await alice.refused(paying(number, "demo-coffee", [])) == "400 PAYMENT_CREDENTIALS_INVALID"
        saved = types.InputPaymentCredentialsSaved("1", b"x")
        request = functions.payments.SendPaymentFormRequest(
            number, types.InputInvoiceSlug("demo-coffee"), saved
        )
        assert await alice.refused(request) == "400 TMP_PASSWORD_INVALID"


async def test_a_confirmed_payment_is_told_later() -> None:
    async with people(ALICE) as (alice,):
        form = await alice(form_of("demo-confirm"))
        needed = await alice(paying(form.form_id, "demo-confirm"))
        assert isinstance(needed, types.payments.PaymentVerificationNeeded)
        alice.sandbox.part(Payments).confirmed(needed.url)
        action = (await alice.update(types.UpdateNewMessage)).message.action
        assert (action.currency, action.total_amount, action.invoice_slug) == ("EUR", 450, "demo-confirm")
        with pytest.raises(KeyError):
            alice.sandbox.part(Payments).confirmed(needed.url)


async def test_assumptions_on_refused_payments() -> None:
    async with people(ALICE) as (alice,):
        for slug, assumption, errors in (
            ("demo-declined", "a_declined_payment_is_payment_failed",
             ("PAYMENT_FAILED", "PAYMENT_CREDENTIALS_INVALID")),
            ("demo-delivery", "a_form_without_its_details_is_requested_info_invalid",
             ("REQUESTED_INFO_INVALID", "INVOICE_INVALID")),
        ):  # fmt: skip
            request = paying((await alice(form_of(slug))).form_id, slug)
            for error in errors:
                assert await alice.refused(request) == f"400 {error}"
                alice.sandbox.assumptions.flip(assumption)


async def test_assumption_where_the_service_message_comes() -> None:
    async with people(ALICE, flipped=["payment_results_hold_the_service_message"]) as (alice,):
        paid = await alice(paying((await alice(form_of("demo-coffee"))).form_id, "demo-coffee"))
        assert paid.updates.updates == []
        action = (await alice.update(types.UpdateNewMessage)).message.action
        assert action.invoice_slug == "demo-coffee"


async def test_assumption_provider_forms_end() -> None:
    clock = Clock()
    async with people(ALICE, clock=clock) as (alice,):
        paid, old = [(await alice(form_of("demo-coffee"))).form_id for _ in range(2)]
        await alice(paying(paid, "demo-coffee"))
        cases = [
            (paying(paid, "demo-coffee"), "FORM_SUBMIT_DUPLICATE"),
            (paying(0, "demo-coffee"), "FORM_ID_EMPTY"),
            (paying(5, "demo-coffee"), "FORM_EXPIRED"),
            (paying(old, "demo-card"), "FORM_EXPIRED"),
            (paying(old, "demo-coffee"), "FORM_EXPIRED"),
        ]
        clock.forward(601)
        for request, error in cases:
            assert await alice.refused(request) == f"400 {error}"
        alice.sandbox.assumptions.flip("provider_forms_end_as_those_of_stars")
        for request, _ in cases:
            assert await alice.refused(request) == "400 INVOICE_INVALID"


async def test_stars_are_paid_from_the_balance() -> None:
    async with people(ALICE, ALICE) as (alice, other):
        for left in (75, 50, 25, 0):
            paid = await alice(paying_stars((await alice(form_of("demo-stars"))).form_id))
            (balance,) = [u for u in paid.updates.updates if isinstance(u, types.UpdateStarsBalance)]
            assert balance.balance.amount == left
            assert (await other.update(types.UpdateStarsBalance)).balance.amount == left
        last = (await alice(form_of("demo-stars"))).form_id
        assert await alice.refused(paying_stars(last)) == "400 BALANCE_TOO_LOW"
        status = await alice(functions.payments.GetStarsStatusRequest(types.InputPeerSelf()))
        assert status.balance == types.StarsAmount(0, 0)
        assert await alice.refused(functions.payments.GetStarsStatusRequest(alice.peer(BOB))) == (
            "400 PEER_ID_INVALID"
        )


async def test_stars_forms_end() -> None:
    clock = Clock()
    async with people(ALICE, DORA, clock=clock) as (alice, dora):
        form, old = [(await alice(form_of("demo-stars"))).form_id for _ in range(2)]
        assert await dora.refused(paying_stars(form)) == "400 FORM_EXPIRED"
        await alice(paying_stars(form))
        assert await alice.refused(paying_stars(form)) == "400 FORM_SUBMIT_DUPLICATE"
        assert await alice.refused(paying_stars(0)) == "400 FORM_ID_EMPTY"
        assert await alice.refused(paying_stars(form, "none")) == "400 BOT_INVOICE_INVALID"
        assert await alice.refused(paying_stars(form, "demo-coffee")) == "400 FORM_UNSUPPORTED"
        assert await alice.refused(paying(old, "demo-stars")) == "400 FORM_UNSUPPORTED"
        clock.forward(601)
        assert await alice.refused(paying_stars(old)) == "400 FORM_EXPIRED"


async def test_a_form_under_way_is_not_paid_twice() -> None:
    async with people(ALICE, DEMO_BOT) as (alice, bot):
        number = (await alice(form_of("demo-stars"))).form_id
        refusals: list[str] = []
        first = alice.sandbox.start(_refused(alice, paying_stars(number), refusals))
        query = await bot.update(types.UpdateBotPrecheckoutQuery)
        assert await alice.refused(paying_stars(number)) == "400 FORM_SUBMIT_DUPLICATE"
        await bot(functions.messages.SetBotPrecheckoutResultsRequest(query.query_id, error="No"))
        await first
        assert refusals == ["406 PRECHECKOUT_FAILED"]


# Downloads and the configuration


def download(client: Client, url: str, name: str, bot: int = DEMO_BOT) -> Any:
    return functions.bots.CheckDownloadFileParamsRequest(client.user(bot), name, url)


async def test_assumption_which_downloads_are_allowed() -> None:
    async with people(ALICE) as (alice,):
        for url, name, allowed in (
            ("https://demo.example/file", "file.txt", True),
            ("https://demo.example/file", "ä" * 127, True),
            ("https://demo.example/file", "ä" * 128, False),
            ("https://demo.example/file", "", False),
            ("https://demo.example/file", "../file", False),
            ("https://demo.example/file", "a\\b", False),
            ("http://demo.example/file", "file.txt", False),
            ("https://demo.example/" + "x" * 32_768, "file.txt", False),
        ):
            request = download(alice, url, name)
            assert await alice(request) is allowed
            alice.sandbox.assumptions.flip("downloads_are_judged_by_address_and_name")
            assert await alice(request) is True
            alice.sandbox.assumptions.flip("downloads_are_judged_by_address_and_name")
        person = download(alice, "https://demo.example/file", "file.txt", BOB)
        assert await alice.refused(person) == "400 BOT_INVALID"


async def test_the_app_configuration_is_that_of_the_world() -> None:
    async with people(ALICE) as (alice,):
        first = await alice(functions.help.GetAppConfigRequest(0))
        assert [member.key for member in first.config.value] == ["web_app_allowed_protocols"]
        alice.sandbox.world.app_config |= {"n": 1.5, "b": True, "o": {"deep": None}, "s": "text"}
        second = await alice(functions.help.GetAppConfigRequest(first.hash))
        assert second.hash != first.hash
        assert {member.key: type(member.value).__name__ for member in second.config.value} == {
            "web_app_allowed_protocols": "JsonArray",
            "n": "JsonNumber",
            "b": "JsonBool",
            "o": "JsonObject",
            "s": "JsonString",
        }
        same = await alice(functions.help.GetAppConfigRequest(second.hash))
        assert isinstance(same, types.help.AppConfigNotModified)


async def test_bots_do_not_call_what_people_call() -> None:
    async with people(DEMO_BOT) as (bot,):
        for request in (
            custom(bot, "getCurrentTime", {}, PLAIN_BOT),
            form_of("demo-stars"),
            download(bot, "https://demo.example/", "x", PLAIN_BOT),
            functions.account.UpdateEmojiStatusRequest(types.EmojiStatusEmpty()),
            fetching(bot, "x", PLAIN_BOT),
        ):
            assert await bot.refused(request) == "400 BOT_METHOD_INVALID"
