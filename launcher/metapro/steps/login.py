"""L and K: does Metapro know the person, always as the same one, nobody else, and what is the token good
for?"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from flows import InitData
from launcher.metapro.app_page import answered, odd_calls, own_login
from launcher.metapro.drive import Drive, Shown
from launcher.metapro.errors import TOO_MANY, MetaproRefused
from launcher.metapro.report import Layer
from launcher.metapro.step import Failed, Found, Need, Skip, Step
from launcher.metapro.watch import Sent

__all__ = ["STEPS"]

REFUSALS = (401, 403)
OLD = 366 * 86_400
"""Seconds: init data of that age should be refused by everybody."""


async def telegram_login(drive: Drive) -> Found:
    """The driver's own login with the launch's init data: a token, and a Metapro ID. The app's goes first:
    init data that are good for one login only are the app's, and the driver takes those of another launch."""
    used = drive.shown is not None and await _logged_in_by_the_app(drive, drive.shown)
    if used and drive.relaunch is not None:
        drive.login = login = await drive.log_in_again(drive.client)
    else:
        drive.login = login = await drive.client.telegram_login(drive.launched.raw)
        drive.learn(login)
    warnings = ("init data are good for one login only",) if drive.used_up else ()
    return Found(f"Metapro ID {login.account.user_id}", login.status, warnings)


async def _logged_in_by_the_app(drive: Drive, shown: Shown) -> bool:
    sent = await own_login(shown, drive.screen.seconds)
    if sent is None:
        return False
    await answered(sent, shown.watch, drive.screen.seconds)
    return sent.went_well


async def app_login(drive: Drive) -> Found:
    """The app's own login: our init data untouched, the configured ids, before anything that needs it."""
    sent = await own_login(drive.page, drive.screen.seconds)
    if sent is None:
        raise Failed(f"the app did not log in to Metapro within {drive.screen.seconds:g} s")
    wrong = list(_wrong(drive, sent.json))
    if wrong:
        raise Failed(f"in the app's login {', '.join(wrong)}", status=sent.status)
    await answered(sent, drive.page.watch, drive.screen.seconds)
    if sent.status is None:
        remedy = "The driver itself is answered: may the app's origin read it (CORS), or does the page hang?"
        raise Failed("the app's login gets no answer", layer=Layer.NETWORK, remedy=remedy)
    if not 200 <= sent.status < 300:
        raise Failed(f"the app's login is refused with status {sent.status}", status=sent.status)
    await drive.learn_watched(drive.page)
    if sent.stuck:
        raise Failed(
            "the app's login is answered, and then its page hangs",
            status=sent.status,
            remedy="Look for a script of the app that does not end.",
        )
    if not drive.app_tokens:
        raise Failed("the answer to the app's login has no token", status=sent.status)
    return Found("our init data unchanged, the configured ids", sent.status, tuple(_odd(drive, sent)))


def _wrong(drive: Drive, body: Any) -> Iterator[str]:
    settings, knobs = drive.settings, drive.settings.telegram_login
    if not isinstance(body, Mapping):
        yield "the body is no JSON object"
        return
    if body.get(knobs.string_field) != drive.launched.raw:
        yield f"{knobs.string_field} is not the init data of the launch, byte for byte"
    ids = {knobs.project_field: settings.project_id, knobs.platform_field: settings.platform_id}
    for name, wanted in ids.items():
        if name and wanted is not None and body.get(name) != wanted:
            yield f"{name} is not the configured one"
    bot = str(body.get(knobs.bot_field, "")).removeprefix("@").lower()
    if knobs.bot_field and settings.bot_name and bot != settings.bot_name.removeprefix("@").lower():
        yield f"{knobs.bot_field} is not the configured one"


def _odd(drive: Drive, sent: Sent) -> Iterator[str]:
    """What is not wrong, but not as in the samples."""
    if "authorization" in sent.headers:
        yield "the app sends an Authorization header with the login"
    watch = drive.page.watch
    before = watch.sent[: watch.sent.index(sent)]
    if any(call.service == "users" and "authorization" in call.headers for call in before):
        yield "the app calls the users service with a token before it logs in"
    yield from odd_calls(drive.page, drive.settings.auth_scheme)


async def same_identity(drive: Drive) -> Found:
    """A second login of the same person gives the same Metapro ID; whether the token differs is told."""
    before = drive.logged_in
    async with drive.client_of_its_own() as client:
        again = await drive.log_in_again(client)
    if again.account.user_id != before.account.user_id:
        raise Failed("a second login gives another Metapro ID", status=again.status)
    same = again.token.get_secret_value() == before.token.get_secret_value()
    return Found(f"the same Metapro ID, {'the same' if same else 'another'} token", again.status)


# What should be refused


async def tampered_hash(drive: Drive) -> Found:
    """Init data whose hash does not fit. Believing them lets anybody be anybody."""
    return await _refused(drive, "init data with a wrong hash", _with(drive, hash="0" * 64))


async def old_auth_date(drive: Drive) -> Found:
    """Init data from a year ago, signed anew with the bot's token: only their age speaks against them."""
    token = drive.settings.bot_token
    if token is None:
        raise Skip("only the bot can sign init data of another date", "Set METAPRO_BOT_TOKEN.")
    old = str(int(drive.now()) - OLD)
    aged = InitData.parse(_with(drive, auth_date=old))
    secret = hmac.digest(b"WebAppData", token.get_secret_value().encode(), "sha256")
    proof = hmac.digest(secret, aged.data_check_string.encode(), "sha256").hex()
    return await _refused(drive, "init data of a year ago", _with(drive, auth_date=old, hash=proof))


async def wrong_bot(drive: Drive) -> Found:
    unused = await drive.unused_init_data()
    return await _refused(drive, "a bot that is not ours", unused, bot_name="nobody_has_this_bot")


async def wrong_project(drive: Drive) -> Found:
    unused = await drive.unused_init_data()
    return await _refused(drive, "an unknown project", unused, project_id="no-such-project")


def _with(drive: Drive, **changed: str) -> str:
    return urlencode(dict(parse_qsl(drive.launched.raw, keep_blank_values=True)) | changed, quote_via=quote)


async def _refused(drive: Drive, what: str, init_data: str, **settings: str) -> Found:
    """A login that must not work, with a client of its own."""
    async with drive.client_of_its_own(**settings) as client:
        try:
            login = await client.telegram_login(init_data)
        except MetaproRefused as refusal:
            if refusal.status == TOO_MANY:
                raise
            return Found(f"{what}: refused", refusal.status)
        drive.learn(login)
        raise Failed(f"SECURITY: Metapro logs in with {what}", status=login.status)


# The token


async def token_use(drive: Drive) -> Found:
    """`GET me` knows the person by the token, and nobody without."""
    try:
        drive.user = user = await drive.client.me()
    except MetaproRefused as refusal:
        if refusal.status not in REFUSALS:
            raise
        raise await _other_scheme(drive, refusal) from None
    drive.learn_person(user)
    if user.user_id != drive.logged_in.account.user_id:
        raise Failed(
            "GET me answers with another Metapro ID than the login",
            remedy="Tell Metapro: a token shows the account of somebody else.",
        )
    bare = await drive.client.me_with(None)
    if bare not in REFUSALS:
        raise Failed(
            f"GET me without a token is answered with {bare}, not 401 or 403",
            status=bare,
            remedy="Tell Metapro: it should refuse whoever has no token, and say so.",
        )
    return Found(f"the {drive.settings.auth_scheme} token counts; without: {bare}", 200)


async def _other_scheme(drive: Drive, refusal: MetaproRefused) -> Exception:
    """A token that is refused: is it only written in the wrong way?"""
    scheme = drive.settings.auth_scheme
    other = "bearer" if scheme == "raw" else "raw"
    async with drive.client_of_its_own(auth_scheme=other) as client:
        client.take(drive.logged_in)
        status = await client.me_with(client.authorization(drive.logged_in.token))
    if status == 200:
        remedy = f"Set METAPRO_AUTH_SCHEME={other}."
        return Failed(
            f"the {scheme} token is refused, a {other} one counts", status=refusal.status, remedy=remedy
        )
    return Failed(
        f"the token of the login is refused, raw and bearer: {refusal.meaning}", status=refusal.status
    )


NEGATIVES = (
    ("tampered", "tampered hash refused", tampered_hash, ("L1",),
     "Tell Metapro: whoever knows a person's id can log in as that person."),
    ("old", "old auth_date refused", old_auth_date, ("L1",),
     "Tell Metapro: whoever once saw a person's init data can log in as that person for ever."),
    ("bot", "wrong bot refused", wrong_bot, ("L2",),
     "Tell Metapro: init data of one bot log people in to the app of another."),
    ("project", "wrong project refused", wrong_project, ("L2",),
     "Tell Metapro: init data log people in to a project that there is not."),
)  # fmt: skip
"""Whether init data are good for one login only is known after L2."""

STEPS = (
    Step(
        "L1",
        "Telegram login",
        Layer.METAPRO_AUTH,
        telegram_login,
        "Check project, platform and bot name, and that the bot is registered with Metapro.",
        needs=(Need.LAUNCH,),
        after=("T1", "C0.registration", "C1.users"),
        assumption="telegram-login",
    ),
    Step(
        "L1.app",
        "the app's own login",
        Layer.METAPRO_AUTH,
        app_login,
        "Compare the app's login with the documented one.",
        needs=(Need.PAGE,),
        after=("T1", "C0.registration", "C1.users"),
        assumption="telegram-login",
    ),
    Step(
        "L2",
        "stable identity",
        Layer.METAPRO_AUTH,
        same_identity,
        "Ask Metapro why one person has several IDs.",
        after=("L1",),
        assumption="stable-identity",
    ),
    *(
        Step(
            f"L3.{name}",
            title,
            Layer.METAPRO_AUTH,
            run,
            remedy,
            needs=(Need.NEGATIVE,),
            after=after,
            assumption="login-refusals",
        )
        for name, title, run, after, remedy in NEGATIVES
    ),
    Step(
        "K1",
        "token use",
        Layer.METAPRO_AUTH,
        token_use,
        "Check that METAPRO_TELEGRAM_LOGIN__TOKEN_PATH names the token, and how long Metapro lets it live.",
        after=("L1",),
        assumption="users-me",
    ),
)
