"""Messages reach whom they should, and whoever was away catches up: Telethon's own client is the reader."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from telethon import TelegramClient, errors, events
from telethon.tl import functions, types

from launcher.sandbox.difference import SLICE
from launcher.sandbox.mailbox import Mailbox, notify, post, render_message, updates_for
from launcher.sandbox.peers import render
from launcher.sandbox.server import AuthKey, Sandbox
from launcher.sandbox.world import Bot, Channel, Group, Message, Topic, User, World

ALICE, BOB, CAROL, BOT, GROUP, FORUM, NEWS = range(101, 108)
WAIT = 60.0


def world() -> World:
    made = World()
    made.add(
        User(ALICE, "Alice", "9996620001"),
        User(BOB, "Bob", "9996620002"),
        User(CAROL, "Carol", "9996620003"),
        Bot(BOT, "some_bot", "Bot", f"{BOT}:token"),
        Group(GROUP, "Group", members={ALICE, BOB, BOT}),
        Channel(
            FORUM,
            "Forum",
            members={ALICE, BOB},
            forum=True,
            topics={1: Topic(1, "General"), 7: Topic(7, "Seven")},
        ),
        Channel(NEWS, "News", kind="channel", members={ALICE}, admins={BOB}),
    )
    return made


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(world())


@pytest.fixture(autouse=True)
def no_failures(sandbox: Sandbox) -> Iterator[None]:
    yield
    assert sandbox.failures == []


class Reader:
    """A client of one account, and what its handlers were given; `async with Reader(...) as reader`."""

    def __init__(
        self, sandbox: Sandbox, account: int, session: Any = None, *, catch_up: bool = False
    ) -> None:
        self.sandbox = sandbox
        self.session = session or sandbox.sign_in(account)
        self.client = TelegramClient(
            self.session, sandbox.api_id, sandbox.api_hash, catch_up=catch_up, retry_delay=0
        )
        self.key: AuthKey = sandbox.keys[self.session.auth_key.key_id]
        self.seen: asyncio.Queue[Any] = asyncio.Queue()
        self.passed: list[Any] = []
        self.client.add_event_handler(self.seen.put, events.Raw())

    async def __aenter__(self) -> "Reader":
        await self.client.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Disconnect, until the sandbox has noticed."""
        mine = [link for link in self.sandbox.connections if link.key is self.key]
        await self.client.disconnect()
        for link in mine:
            await link.lost.wait()

    async def next(self, kind: type) -> Any:
        """The next update of a kind; those of other kinds are `passed` over."""
        async with asyncio.timeout(WAIT):
            while True:
                update = await self.seen.get()
                if isinstance(update, kind):
                    return update
                self.passed.append(update)

    async def message(self) -> Any:
        return (await self.next(types.UpdateNewMessage | types.UpdateNewChannelMessage)).message

    async def texts(self, count: int) -> list[str]:
        return [(await self.message()).message for _ in range(count)]


def calls(sandbox: Sandbox, method: str) -> int:
    return sum(line.method == method for line in sandbox.log)


async def test_a_private_message_has_a_copy_on_each_side(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice, Reader(sandbox, BOT) as bot:
        post(sandbox, BOT, ALICE, "first, to move Alice's numbers on")
        mine = post(sandbox, ALICE, BOB, "to somebody else")
        assert (mine.id, sandbox.world.boxes[ALICE].pts, sandbox.world.boxes[BOT].pts) == (2, 3, 2)
        await alice.texts(2)
        await bot.texts(1)
        mine = post(sandbox, ALICE, BOT, "hello")
        hers, its = await alice.message(), await bot.message()
        assert (hers.id, hers.out, hers.peer_id) == (3, True, types.PeerUser(BOT))
        assert (its.id, its.out, its.peer_id, its.sender_id) == (2, False, types.PeerUser(ALICE), ALICE)
        assert hers.id == mine.id
        assert hers.date.timestamp() == mine.date
        answer = post(sandbox, BOT, ALICE, "answer", reply_to=its.id)
        assert (answer.id, answer.reply_to) == (3, 2)
        assert (await alice.message()).reply_to.reply_to_msg_id == 3, "each side numbers for itself"


async def test_other_connections_are_told_but_not_the_caller(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as calling, Reader(sandbox, ALICE) as other:
        post(sandbox, ALICE, BOT, "one", besides=calling.key)
        post(sandbox, BOT, ALICE, "two")
        assert await other.texts(2) == ["one", "two"]
        # The caller sees a gap here, as it would had it lost the answer to its call: the difference has both.
        assert await calling.texts(2) == ["one", "two"]
        assert calls(sandbox, "updates.getDifference") == 3


async def test_a_real_call_is_pushed_to_the_other_connection_only(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as calling, Reader(sandbox, ALICE) as other:
        await calling.client(functions.contacts.BlockRequest("some_bot"))
        assert (await other.next(types.UpdatePeerBlocked)).peer_id == types.PeerUser(BOT)
        post(sandbox, BOT, ALICE, "mark")
        await calling.message()
        assert calling.seen.empty()


async def test_the_answer_for_the_caller_moves_its_pts_without_an_event(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        before = sandbox.world.boxes[ALICE].pts
        mine = post(sandbox, ALICE, BOT, "mine", besides=alice.key, random_id=99)
        answer = updates_for(sandbox, ALICE, mine, random_id=99, also={BOB})
        linked, new = answer.updates
        assert (linked.id, linked.random_id) == (mine.id, 99)
        assert (new.pts, new.pts_count, new.message.out) == (before + 1, 1, True)
        assert {user.id for user in answer.users} == {ALICE, BOT, BOB}


async def test_a_random_id_posts_once(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, BOT) as bot:
        first = post(sandbox, ALICE, BOT, "once", random_id=5)
        assert post(sandbox, ALICE, BOT, "once", random_id=5) is first
        post(sandbox, BOB, BOT, "another's number five", random_id=5)
        assert await bot.texts(2) == ["once", "another's number five"]


async def test_a_basic_group_has_a_copy_for_each_member(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice, Reader(sandbox, BOB) as bob:
        post(sandbox, BOB, ALICE, "only to Alice's and Bob's numbers")
        post(sandbox, BOB, BOT, "and to Bob's")
        mine = post(sandbox, ALICE, GROUP, "to all")
        post(sandbox, BOT, GROUP, "reply", reply_to=2)
        await alice.texts(1)
        await bob.texts(2)
        hers, his = await alice.message(), await bob.message()
        assert (hers.id, hers.out, his.id, his.out) == (2, True, 3, False)
        assert (his.peer_id, his.sender_id) == (types.PeerChat(GROUP), ALICE)
        assert mine.id == 2
        reply_to = [(await reader.message()).reply_to.reply_to_msg_id for reader in (alice, bob)]
        assert reply_to == [hers.id, his.id], "each in their own numbers"
        with pytest.raises(ValueError, match="not in the group"):
            post(sandbox, CAROL, GROUP, "from outside")


async def test_topics_of_a_forum(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        first = post(sandbox, BOB, FORUM, "in seven", topic=7)
        post(sandbox, BOB, FORUM, "a reply there", topic=7, reply_to=first.id)
        post(sandbox, BOB, FORUM, "in general", topic=1)
        header = (await alice.message()).reply_to
        assert (header.forum_topic, header.reply_to_msg_id, header.reply_to_top_id) == (True, 7, None)
        header = (await alice.message()).reply_to
        assert (header.forum_topic, header.reply_to_msg_id, header.reply_to_top_id) == (True, first.id, 7)
        assert (await alice.message()).reply_to is None


async def test_a_post_of_a_channel_has_no_author(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        post(sandbox, BOB, NEWS, "news", silent=True)
        update = await alice.next(types.UpdateNewChannelMessage)
        message = update.message
        assert (message.post, message.from_id, message.silent, message.out) == (True, None, True, False)
        assert BOB not in update._entities


async def test_service_messages_may_differ_for_both_sides(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice, Reader(sandbox, BOT) as bot:
        sent = types.MessageActionWebViewDataSent("Send")
        post(
            sandbox, ALICE, BOT, action=sent, their_action=types.MessageActionWebViewDataSentMe("Send", "42")
        )
        assert (await alice.message()).action == sent
        assert (await bot.message()).action.data == "42"


async def test_buttons_and_entities_arrive_and_a_bots_urls_are_remembered(sandbox: Sandbox) -> None:
    button = types.KeyboardInlineButton("Open", types.InlineButtonTypeWebView("https://app.example/"))
    inline = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([button])])
    key = types.KeyboardButton("Open", types.ButtonTypeSimpleWebView("https://key.example/"))
    keyboard = types.ReplyKeyboardMarkup([types.KeyboardButtonRow([key])])
    async with sandbox, Reader(sandbox, ALICE) as alice:
        post(
            sandbox, BOT, ALICE, "bold", markup=inline, entities=[types.MessageEntityBold(0, 4)], via_bot=BOT
        )
        post(sandbox, BOT, ALICE, "keys", markup=keyboard)
        first, second = await alice.message(), await alice.message()
        assert first.reply_markup.rows[0].buttons == [button]
        assert second.reply_markup.rows[0].buttons == [key]
        assert first.entities == [types.MessageEntityBold(0, 4)]
        assert first.via_bot_id == BOT
    bot = sandbox.world.bot(BOT)
    assert bot.webview_buttons == {"https://app.example/", "https://key.example/"}


async def test_a_client_catches_up_with_what_came_while_it_was_away(sandbox: Sandbox) -> None:
    sandbox.assumptions.flip("reconnect_announces_updates_too_long")
    async with sandbox:
        async with Reader(sandbox, ALICE) as alice:
            post(sandbox, BOT, ALICE, "seen")
            assert await alice.texts(1) == ["seen"]
        for number in range(2 * SLICE + 5):
            post(sandbox, BOT, ALICE, str(number))
        async with Reader(sandbox, ALICE, alice.session, catch_up=True) as back:
            assert await back.texts(2 * SLICE + 5) == [str(number) for number in range(2 * SLICE + 5)]
        assert calls(sandbox, "updates.getDifference") == 4, "one at sign-in, three slices"


async def reconnected(sandbox: Sandbox, reader: Reader) -> None:
    """Drop the reader's connection, post meanwhile, and wait until it is back."""
    sandbox.drop_connections(ALICE)
    post(sandbox, BOT, ALICE, "meanwhile")
    async with asyncio.timeout(WAIT):
        await reader.client.get_me()


async def test_a_client_that_reconnects_is_told_that_it_missed_something(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        await reconnected(sandbox, alice)
        assert await alice.texts(1) == ["meanwhile"]


async def test_or_it_has_to_find_out_by_itself(sandbox: Sandbox) -> None:
    sandbox.assumptions.flip("reconnect_announces_updates_too_long")
    async with sandbox, Reader(sandbox, ALICE) as alice:
        asked = calls(sandbox, "updates.getDifference")
        await reconnected(sandbox, alice)
        assert calls(sandbox, "updates.getDifference") == asked
        assert alice.seen.empty()
        await alice.client.catch_up()
        assert await alice.texts(1) == ["meanwhile"]


async def test_only_the_connection_that_was_away_is_told(sandbox: Sandbox) -> None:
    async with sandbox:
        async with Reader(sandbox, ALICE) as away:
            pass
        async with Reader(sandbox, ALICE) as here:
            post(sandbox, BOT, ALICE, "one")
            assert await here.texts(1) == ["one"]
            asked = calls(sandbox, "updates.getDifference")
            async with Reader(sandbox, ALICE, away.session, catch_up=True) as back:
                assert await back.texts(1) == ["one"]
            post(sandbox, BOT, ALICE, "two")
            assert await here.texts(1) == ["two"]
            assert here.seen.empty()
            assert calls(sandbox, "updates.getDifference") > asked


async def test_a_lost_update_is_healed_by_the_next_one(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice, Reader(sandbox, BOT) as bot:
        sandbox.part(Mailbox).lose_next("updateNewMessage", account=ALICE)
        post(sandbox, BOT, ALICE, "lost")
        assert await bot.texts(1) == ["lost"]
        post(sandbox, BOT, ALICE, "next")
        assert await alice.texts(2) == ["lost", "next"]


async def test_a_gap_of_nothing_is_healed_too(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        sandbox.part(Mailbox).skip_pts(ALICE, 3)
        post(sandbox, BOT, ALICE, "after the gap")
        assert await alice.texts(1) == ["after the gap"]
        state = await alice.client(functions.updates.GetStateRequest())
        assert state.pts == sandbox.world.boxes[ALICE].pts == 5


async def test_a_gap_in_a_channel_is_healed_by_the_channels_own_difference(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        post(sandbox, BOB, FORUM, "one")
        assert await alice.texts(1) == ["one"]
        sandbox.part(Mailbox).lose_next("updateNewChannelMessage")
        post(sandbox, BOB, FORUM, "two")
        post(sandbox, BOB, FORUM, "three")
        assert await alice.texts(2) == ["two", "three"]
        assert calls(sandbox, "updates.getChannelDifference") == 1


@pytest.mark.parametrize("flipped", [False, True])
async def test_a_difference_names_the_channels_with_news(sandbox: Sandbox, flipped: bool) -> None:
    if flipped:
        sandbox.assumptions.flip("difference_names_channels_with_news")
    async with sandbox, Reader(sandbox, ALICE) as alice:
        before = await alice.client(functions.updates.GetStateRequest())
        post(sandbox, BOB, FORUM, "one")
        await alice.message()
        missed = await alice.client(functions.updates.GetDifferenceRequest(before.pts, before.date, 0))
        if flipped:
            assert isinstance(missed, types.updates.DifferenceEmpty)
        else:
            assert missed.other_updates == [types.UpdateChannelTooLong(FORUM, pts=2)]
            assert [chat.id for chat in missed.chats] == [FORUM]


async def test_differences_refuse_what_they_cannot_know(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, CAROL) as carol:
        ask, date = functions.updates.GetDifferenceRequest, carol.client._message_box.date
        with pytest.raises(errors.PersistentTimestampInvalidError):
            await carol.client(ask(1000, date, 0))
        with pytest.raises(errors.PersistentTimestampEmptyError):
            await carol.client(ask(0, date, 0))
        for number in range(3):
            post(sandbox, BOT, CAROL, str(number))
        too_long = await carol.client(ask(1, date, 0, pts_total_limit=2))
        assert too_long == types.updates.DifferenceTooLong(4)
        post(sandbox, BOB, FORUM, "not for Carol")
        channel = types.InputChannel(FORUM, 1)
        with pytest.raises(errors.ChannelInvalidError):
            await carol.client(
                functions.updates.GetChannelDifferenceRequest(
                    channel, types.ChannelMessagesFilterEmpty(), 1, 10
                )
            )


async def test_a_stranger_in_a_group_is_a_min_user_whose_hash_is_refused(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        post(sandbox, BOB, FORUM, "who am I?")
        update = await alice.next(types.UpdateNewChannelMessage)
        bob = update._entities[BOB]
        assert bob.min
        hers = types.InputUser(BOB, bob.access_hash)
        assert await alice.client(functions.users.GetUsersRequest([hers])) == [types.UserEmpty(BOB)]
        with pytest.raises(errors.PeerIdInvalidError):
            await alice.client(functions.contacts.BlockRequest(types.InputPeerUser(BOB, bob.access_hash)))
        channel = await alice.client.get_input_entity(types.PeerChannel(FORUM))
        full = await alice.client(
            functions.updates.GetChannelDifferenceRequest(
                channel, types.ChannelMessagesFilterEmpty(), update.pts - 1, 10
            )
        )
        assert [(user.id, bool(user.min)) for user in full.users] == [(BOB, False)]
        post(sandbox, BOB, FORUM, "now we have met")
        update = await alice.next(types.UpdateNewChannelMessage)
        assert not update._entities[BOB].min


async def test_who_has_written_in_private_is_no_stranger(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        post(sandbox, BOB, ALICE, "hello")
        await alice.message()
        post(sandbox, BOB, FORUM, "it is me")
        update = await alice.next(types.UpdateNewChannelMessage)
        assert not update._entities[BOB].min


SENT = types.UpdateWebViewResultSent(77)
MENU = types.UpdateBotMenuButton(BOT, types.BotMenuButtonDefault())


@pytest.mark.parametrize("update", [SENT, MENU], ids=["result sent", "menu button"])
async def test_an_update_without_pts_waits_for_a_client_that_is_away(sandbox: Sandbox, update: Any) -> None:
    async with sandbox:
        async with Reader(sandbox, ALICE) as alice, Reader(sandbox, ALICE) as here:
            await alice.leave()
            notify(sandbox, ALICE, update)
            assert await here.next(type(update)) == update
        async with Reader(sandbox, ALICE, alice.session) as back:
            assert await back.next(type(update)) == update
        for session in (alice.session, here.session):
            async with Reader(sandbox, ALICE, session) as again:
                notify(sandbox, ALICE, types.UpdateConfig())
                await again.next(types.UpdateConfig)
                assert again.passed == [], "it is delivered once"


@pytest.mark.parametrize(
    ("update", "assumption"),
    [(SENT, "result_sent_survives_absence"), (MENU, "other_updates_without_pts_survive_absence")],
    ids=["result sent", "menu button"],
)
async def test_or_it_is_lost(sandbox: Sandbox, update: Any, assumption: str) -> None:
    sandbox.assumptions.flip(assumption)
    async with sandbox:
        async with Reader(sandbox, ALICE) as alice:
            pass
        notify(sandbox, ALICE, update)
        async with Reader(sandbox, ALICE, alice.session) as back:
            notify(sandbox, ALICE, types.UpdateConfig())
            await back.next(types.UpdateConfig)
            assert back.passed == []


async def test_or_it_waits_for_the_difference(sandbox: Sandbox) -> None:
    sandbox.assumptions.flip("kept_updates_are_pushed_on_return")
    async with sandbox:
        async with Reader(sandbox, ALICE) as alice:
            pass
        notify(sandbox, ALICE, SENT, users=[render(sandbox, ALICE, sandbox.world[BOT])])
        async with Reader(sandbox, ALICE, alice.session, catch_up=True) as back:
            told = await back.next(types.UpdateWebViewResultSent)
            assert told == SENT
            assert BOT in told._entities, "with the peers it names"
            now = await back.client(functions.updates.GetStateRequest())
            again = functions.updates.GetDifferenceRequest(now.pts, now.date, now.qts)
            assert isinstance(await back.client(again), types.updates.DifferenceEmpty), "it is told once"


async def test_an_update_without_pts_can_be_lost_on_request(sandbox: Sandbox) -> None:
    async with sandbox, Reader(sandbox, ALICE) as alice:
        sandbox.part(Mailbox).lose_next("updateWebViewResultSent")
        notify(sandbox, ALICE, SENT)
        notify(sandbox, ALICE, types.UpdateWebViewResultSent(78))
        assert (await alice.next(types.UpdateWebViewResultSent)).query_id == 78


async def test_a_message_put_into_a_box_by_hand_reads_like_any_other(sandbox: Sandbox) -> None:
    async with sandbox:
        message = sandbox.world.boxes[ALICE].add(
            Message(id=0, chat=BOT, sender=BOT, text="old", date=1_700_000_000)
        )
        read = render_message(sandbox, ALICE, ALICE, message)
        assert (read.id, read.message, read.peer_id, read.from_id) == (1, "old", types.PeerUser(BOT), None)
