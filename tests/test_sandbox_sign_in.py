"""The unpatched Telethon client signs in to the sandbox, in every way there is."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from telethon import TelegramClient, errors
from telethon.crypto import AuthKey as ClientAuthKey
from telethon.password import compute_check
from telethon.tl import functions, types

from launcher.sandbox.faults import Fail
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import Bot, Channel, MenuButton, User, World

ALICE, BOB, CAROL, DAVE, BOT, FAR_BOT, CHANNEL = range(101, 108)
PHONE = {ALICE: "+9996620001", BOB: "+9996610002", CAROL: "+9996620003", DAVE: "+9996620004"}
WAIT = 60.0


class Clock:
    """A clock that a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return 1_800_000_000.0 + self.ahead


def world() -> World:
    """Alice, Bob on the other data centre, Carol with a password, Dave who is banned; two bots, one far."""
    made = World()
    made.add(
        User(ALICE, "Alice", "9996620001", username="alice_sandbox"),
        User(BOB, "Bob", "9996610002", code="11111", dc=1),
        User(CAROL, "Carol", "9996620003", password="a password"),
        User(DAVE, "Dave", "9996620004", banned=True),
        Bot(BOT, "near_bot", "Near", f"{BOT}:near", menu_button=MenuButton("Open", "https://near.example/")),
        Bot(FAR_BOT, "far_bot", "Far", f"{FAR_BOT}:far", dc=1, default_colors={"header_color": "#0a0b0c"}),
        Channel(CHANNEL, "News", username="sandbox_news", kind="channel"),
    )
    return made


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(world())


@pytest.fixture(autouse=True)
def no_failures(sandbox: Sandbox) -> Iterator[None]:
    yield
    assert sandbox.failures == []


def client(sandbox: Sandbox, session: Any) -> TelegramClient:
    return TelegramClient(session, sandbox.api_id, sandbox.api_hash)


class Stranger:
    """A connected client whose key nobody is signed in with; `async with Stranger(sandbox) as client`."""

    def __init__(self, sandbox: Sandbox, dc: int = 2, *, api_hash: str | None = None) -> None:
        session = sandbox.new_session(dc)
        session.auth_key = ClientAuthKey(sandbox.add_key(os.urandom(256), dc).key)
        self._client = TelegramClient(session, sandbox.api_id, api_hash or sandbox.api_hash)

    async def __aenter__(self) -> Any:
        await self._client.connect()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()


def methods(sandbox: Sandbox) -> list[str]:
    return [line.method for line in sandbox.log]


async def test_phone_and_code_over_a_real_key_exchange(sandbox: Sandbox) -> None:
    async with sandbox:
        alice = client(sandbox, sandbox.new_session())
        await alice.start(PHONE[ALICE], code_callback=lambda: "22222")
        try:
            assert (await alice.get_me()).id == ALICE
            assert methods(sandbox).index("auth.sendCode") < methods(sandbox).index("auth.signIn")
        finally:
            await alice.disconnect()


async def test_a_wrong_code_can_be_corrected_and_a_right_one_works_once(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as alice:
        sent = await alice.send_code_request(PHONE[ALICE])
        with pytest.raises(errors.PhoneCodeInvalidError):
            await alice.sign_in(PHONE[ALICE], "11111")
        with pytest.raises(errors.PhoneCodeEmptyError):
            await alice(functions.auth.SignInRequest(PHONE[ALICE], sent.phone_code_hash, ""))
        assert not await alice.is_user_authorized()
        assert (await alice.sign_in(PHONE[ALICE], "22222")).id == ALICE
        async with Stranger(sandbox) as other:
            with pytest.raises(errors.PhoneCodeExpiredError):
                await other.sign_in(PHONE[ALICE], "22222", phone_code_hash=sent.phone_code_hash)


async def test_a_code_expires_and_can_be_cancelled() -> None:
    clock = Clock()
    async with Sandbox(world(), clock=clock) as sandbox, Stranger(sandbox) as alice:
        sent = await alice.send_code_request(PHONE[ALICE])
        clock.ahead = 301
        with pytest.raises(errors.PhoneCodeExpiredError):
            await alice.sign_in(PHONE[ALICE], "22222")
        sent = await alice.send_code_request(PHONE[ALICE])
        assert await alice(functions.auth.CancelCodeRequest(PHONE[ALICE], sent.phone_code_hash))
        with pytest.raises(errors.PhoneCodeExpiredError):
            await alice.sign_in(PHONE[ALICE], "22222")


async def test_a_code_of_one_number_is_none_of_another(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as alice:
        sent = await alice.send_code_request(PHONE[ALICE])
        with pytest.raises(errors.PhoneCodeExpiredError):
            await alice.sign_in(PHONE[CAROL], "22222", phone_code_hash=sent.phone_code_hash)


async def test_the_code_goes_to_another_client_first_then_by_sms_then_by_call(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as alice:
        sandbox.sign_in("alice")
        sent = await alice.send_code_request(PHONE[ALICE])
        seen = [sent]
        for _ in range(2):
            sent = await alice(functions.auth.ResendCodeRequest(PHONE[ALICE], sent.phone_code_hash))
            seen.append(sent)
        kinds = (types.auth.SentCodeTypeApp, types.auth.SentCodeTypeSms, types.auth.SentCodeTypeCall)
        assert tuple(type(step.type) for step in seen) == kinds
        assert [type(step.next_type) for step in seen[:2]] == [
            types.auth.CodeTypeSms,
            types.auth.CodeTypeCall,
        ]
        assert seen[2].next_type is None
        assert [step.type.length for step in seen] == [5, 5, 5]
        with pytest.raises(errors.SendCodeUnavailableError):
            await alice(functions.auth.ResendCodeRequest(PHONE[ALICE], sent.phone_code_hash))
        assert (await alice.sign_in(PHONE[ALICE], "22222")).id == ALICE


@pytest.mark.parametrize(
    ("phone", "error"),
    [("12", errors.PhoneNumberInvalidError), (PHONE[DAVE], errors.PhoneNumberBannedError)],
)
async def test_some_numbers_get_no_code(sandbox: Sandbox, phone: str, error: type[Exception]) -> None:
    async with sandbox, Stranger(sandbox) as someone:
        with pytest.raises(error):
            await someone.send_code_request(phone)


async def test_a_number_without_an_account_is_told_so_only_after_its_code(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as nobody:
        await nobody.send_code_request("+9996629999")
        with pytest.raises(errors.PhoneNumberUnoccupiedError):
            await nobody.sign_in("+9996629999", "22222")
        assert not await nobody.is_user_authorized()


async def test_a_foreign_api_hash_is_refused(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox, api_hash="0" * 32) as someone:
        with pytest.raises(errors.ApiIdInvalidError):
            await someone.send_code_request(PHONE[ALICE])
        with pytest.raises(errors.ApiIdInvalidError):
            await someone.sign_in(bot_token=f"{BOT}:near")
        with pytest.raises(errors.ApiIdInvalidError):
            await someone.qr_login()


async def test_a_user_of_the_other_data_centre_is_sent_there(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as bob:
        await bob.send_code_request(PHONE[BOB])
        assert bob.session.dc_id == 1
        assert (await bob.sign_in(PHONE[BOB], "11111")).id == BOB
        key = next(key for key in sandbox.keys.values() if key.account == BOB)
        assert key.dc == 1
        assert "PHONE_MIGRATE_1" in [line.error for line in sandbox.log]


async def test_the_two_step_password(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as carol:
        with pytest.raises(errors.UnauthorizedError):
            await carol(functions.account.GetPasswordRequest())
        await carol.send_code_request(PHONE[CAROL])
        with pytest.raises(errors.SessionPasswordNeededError):
            await carol.sign_in(PHONE[CAROL], "22222")
        assert not await carol.is_user_authorized()
        with pytest.raises(errors.PasswordHashInvalidError):
            await carol.sign_in(password="another password")
        assert not await carol.is_user_authorized()
        assert (await carol.sign_in(password="a password")).id == CAROL
        asked = await carol(functions.account.GetPasswordRequest())
        assert asked.has_password


async def test_a_proof_of_the_password_is_bound_to_the_last_challenge(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as carol:
        await carol.send_code_request(PHONE[CAROL])
        with pytest.raises(errors.SessionPasswordNeededError):
            await carol.sign_in(PHONE[CAROL], "22222")
        first = await carol(functions.account.GetPasswordRequest())
        await carol(functions.account.GetPasswordRequest())
        proof = compute_check(first, "a password")
        with pytest.raises(errors.SrpIdInvalidError):
            await carol(functions.auth.CheckPasswordRequest(proof))
        again = await carol(functions.account.GetPasswordRequest())
        sandbox.world.user(CAROL).password = "a new password"
        with pytest.raises(errors.SrpPasswordChangedError):
            await carol(functions.auth.CheckPasswordRequest(compute_check(again, "a password")))
        assert (await carol.sign_in(password="a new password")).id == CAROL
        once = compute_check(await carol(functions.account.GetPasswordRequest()), "a new password")
        assert (await carol(functions.auth.CheckPasswordRequest(once))).user.id == CAROL
        with pytest.raises(errors.SrpIdInvalidError):
            await carol(functions.auth.CheckPasswordRequest(once))


async def test_a_password_that_is_owed_is_forgotten_when_somebody_else_signs_in(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as shared:
        await shared.send_code_request(PHONE[CAROL])
        with pytest.raises(errors.SessionPasswordNeededError):
            await shared.sign_in(PHONE[CAROL], "22222")
        await shared.send_code_request(PHONE[ALICE])
        assert (await shared.sign_in(PHONE[ALICE], "22222")).id == ALICE
        assert not (await shared(functions.account.GetPasswordRequest())).has_password


async def scanned_by(sandbox: Sandbox, scanner: str, qr: Any) -> Any:
    """Wait for a QR sign-in which a client that is signed in already accepts."""
    async with client(sandbox, sandbox.sign_in(scanner)) as phone:
        waiting = asyncio.create_task(qr.wait(WAIT))
        accepted = await phone(functions.auth.AcceptLoginTokenRequest(qr.token))
        assert isinstance(accepted, types.Authorization)
        with pytest.raises((errors.AuthTokenAlreadyAcceptedError, errors.AuthTokenInvalidError)):
            await phone(functions.auth.AcceptLoginTokenRequest(qr.token))
        return await waiting


async def test_qr_sign_in(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as screen:
        user = await scanned_by(sandbox, "alice", await screen.qr_login())
        assert user.id == ALICE
        assert (await screen.get_me()).id == ALICE


async def test_qr_sign_in_goes_on_at_the_users_own_data_centre(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as screen:
        user = await scanned_by(sandbox, "bob", await screen.qr_login())
        assert user.id == BOB
        assert screen.session.dc_id == 1


async def test_qr_sign_in_still_asks_for_the_password(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as screen:
        with pytest.raises(errors.SessionPasswordNeededError):
            await scanned_by(sandbox, "carol", await screen.qr_login())
        assert (await screen.sign_in(password="a password")).id == CAROL


async def test_a_qr_token_dies_after_half_a_minute() -> None:
    clock = Clock()
    async with (
        Sandbox(world(), clock=clock) as sandbox,
        Stranger(sandbox) as screen,
        client(sandbox, sandbox.sign_in("alice")) as phone,
    ):
        qr = await screen.qr_login()
        assert qr.expires.timestamp() == clock() + 30
        clock.ahead = 31
        with pytest.raises(errors.AuthTokenExpiredError):
            await phone(functions.auth.AcceptLoginTokenRequest(qr.token))
        with pytest.raises(errors.AuthTokenInvalidError):
            await phone(functions.auth.AcceptLoginTokenRequest(b"a token"))


async def test_a_bot_signs_in(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as bot:
        me = await bot.sign_in(bot_token=f"{BOT}:near")
        assert (me.id, me.bot, me.is_self) == (BOT, True, True)


async def test_a_bot_of_the_other_data_centre_is_sent_there(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as bot:
        assert (await bot.sign_in(bot_token=f"{FAR_BOT}:far")).id == FAR_BOT
        assert bot.session.dc_id == 1


@pytest.mark.parametrize(
    ("token", "flipped", "error"),
    [
        ("nonsense", (), errors.AccessTokenInvalidError),
        ("999:near", (), errors.AccessTokenInvalidError),
        (f"{ALICE}:near", (), errors.AccessTokenInvalidError),
        (f"{BOT}:revoked", (), errors.AccessTokenExpiredError),
        (f"{BOT}:revoked", ("revoked_bot_token_is_expired",), errors.AccessTokenInvalidError),
    ],
)
async def test_a_wrong_bot_token(token: str, flipped: tuple[str, ...], error: type[Exception]) -> None:
    async with Sandbox(world(), flipped=flipped) as sandbox, Stranger(sandbox) as bot:
        with pytest.raises(error):
            await bot.sign_in(bot_token=token)
        assert token not in repr(list(sandbox.log))


async def test_a_fault_stands_in_for_what_telegram_does_of_its_own_accord(sandbox: Sandbox) -> None:
    async with sandbox, Stranger(sandbox) as alice:
        sandbox.faults.on("auth.sendCode", Fail(400, "API_ID_PUBLISHED_FLOOD"))
        sandbox.faults.on("auth.sendCode", Fail(400, "PHONE_NUMBER_FLOOD"))
        with pytest.raises(errors.ApiIdPublishedFloodError):
            await alice.send_code_request(PHONE[ALICE])
        with pytest.raises(errors.PhoneNumberFloodError):
            await alice.send_code_request(PHONE[ALICE])
        assert await alice.send_code_request(PHONE[ALICE])


async def test_signing_out_leaves_a_key_of_nobody(sandbox: Sandbox) -> None:
    async with sandbox:
        session = sandbox.sign_in("alice")
        key = session.auth_key
        alice = client(sandbox, session)
        await alice.connect()
        assert await alice.log_out()
        session = sandbox.new_session()
        session.auth_key = key
        same_key = client(sandbox, session)
        await same_key.connect()
        try:
            assert await same_key.get_me() is None
            with pytest.raises(errors.AuthKeyUnregisteredError):
                await same_key(functions.updates.GetStateRequest())
        finally:
            await same_key.disconnect()


async def test_signing_out_everywhere_else(sandbox: Sandbox) -> None:
    async with (
        sandbox,
        client(sandbox, sandbox.sign_in("alice")) as here,
        client(sandbox, sandbox.sign_in("alice")) as there,
        client(sandbox, sandbox.sign_in("bob")) as bob,
    ):
        assert await here(functions.auth.ResetAuthorizationsRequest())
        assert (await here.get_me()).id == ALICE
        assert (await bob.get_me()).id == BOB
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await there(functions.updates.GetStateRequest())


async def test_an_authorization_is_carried_to_the_other_data_centre_once(sandbox: Sandbox) -> None:
    async with sandbox, client(sandbox, sandbox.sign_in("carol")) as carol, Stranger(sandbox, 1) as far:
        with pytest.raises(errors.DcIdInvalidError):
            await carol(functions.auth.ExportAuthorizationRequest(2))
        permit = await carol(functions.auth.ExportAuthorizationRequest(1))
        async with Stranger(sandbox, 2) as near:
            with pytest.raises(errors.AuthBytesInvalidError):
                await near(functions.auth.ImportAuthorizationRequest(permit.id, permit.bytes))
        with pytest.raises(errors.AuthBytesInvalidError):
            await far(functions.auth.ImportAuthorizationRequest(permit.id, b"forged"))
        brought = await far(functions.auth.ImportAuthorizationRequest(permit.id, permit.bytes))
        assert brought.user.id == CAROL
        async with Stranger(sandbox, 1) as late:
            with pytest.raises(errors.AuthBytesInvalidError):
                await late(functions.auth.ImportAuthorizationRequest(permit.id, permit.bytes))


async def test_full_users_say_how_the_menu_button_opens(sandbox: Sandbox) -> None:
    async with sandbox, client(sandbox, sandbox.sign_in("alice")) as alice:
        near = await alice(functions.users.GetFullUserRequest("near_bot"))
        button = near.full_user.bot_info.menu_button
        assert (button.text, button.url) == ("Open", "https://near.example/")
        assert near.full_user.bot_info.app_settings is None
        far = await alice(functions.users.GetFullUserRequest("far_bot"))
        assert isinstance(far.full_user.bot_info.menu_button, types.BotMenuButtonDefault)
        assert far.full_user.bot_info.app_settings.header_color == 0x0A0B0C
        assert far.full_user.bot_info.app_settings.background_color is None
        mine = await alice(functions.users.GetFullUserRequest("me"))
        assert (mine.full_user.id, mine.full_user.bot_info) == (ALICE, None)


async def test_blocking_shows_in_the_full_user(sandbox: Sandbox) -> None:
    async with sandbox, client(sandbox, sandbox.sign_in("alice")) as alice:
        await alice(functions.contacts.BlockRequest("near_bot"))
        assert sandbox.world.user("alice").blocked == {BOT}
        assert (await alice(functions.users.GetFullUserRequest("near_bot"))).full_user.blocked
        await alice(functions.contacts.UnblockRequest("near_bot"))
        assert not (await alice(functions.users.GetFullUserRequest("near_bot"))).full_user.blocked
        with pytest.raises(errors.ContactIdInvalidError):
            await alice(functions.contacts.BlockRequest("me"))


async def test_names_and_numbers_are_resolved(sandbox: Sandbox) -> None:
    async with sandbox, client(sandbox, sandbox.sign_in("alice")) as alice:
        assert (await alice.get_entity("NEAR_bot")).id == BOT
        assert (await alice.get_entity("sandbox_news")).broadcast
        with pytest.raises(errors.UsernameNotOccupiedError):
            await alice(functions.contacts.ResolveUsernameRequest("nobody_here"))
        with pytest.raises(errors.UsernameInvalidError):
            await alice(functions.contacts.ResolveUsernameRequest("1st"))
        found = await alice(functions.contacts.ResolvePhoneRequest(PHONE[BOB]))
        assert (found.peer.user_id, found.users[0].phone) == (BOB, None)
        with pytest.raises(errors.PhoneNotOccupiedError):
            await alice(functions.contacts.ResolvePhoneRequest("+9996629999"))


async def test_an_access_hash_of_one_account_is_nothing_to_another(sandbox: Sandbox) -> None:
    async with (
        sandbox,
        client(sandbox, sandbox.sign_in("alice")) as alice,
        client(sandbox, sandbox.sign_in("bob")) as bob,
    ):
        hers = types.InputUser(BOT, (await alice.get_entity("near_bot")).access_hash)
        assert isinstance((await alice(functions.users.GetUsersRequest([hers])))[0], types.User)
        assert isinstance((await bob(functions.users.GetUsersRequest([hers])))[0], types.UserEmpty)
        with pytest.raises(errors.UserIdInvalidError):
            await bob(functions.users.GetFullUserRequest(hers))
