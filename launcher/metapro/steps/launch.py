"""T: is the launch itself as it should be, and does the app make of it what it should?"""

from __future__ import annotations

from flows.init_data import InitData, InitDataError, InitDataExpired, SignatureMissing, UnusableKey
from launcher.metapro.app_page import own_login, settled, text_of
from launcher.metapro.drive import Drive, Shown
from launcher.metapro.launch import IDENTIFYING_FLOWS
from launcher.metapro.report import Layer
from launcher.metapro.step import Failed, Found, Need, Skip, Step

__all__ = ["STEPS"]

HASH_RIGHT, SIGNATURE_RIGHT = "hash right", "signature right"
PHONES = ("android", "ios")
FRESH = "Open the app again: the driver needs a fresh launch."


async def init_data(drive: Drive) -> Found:
    """The init data name a user, are fresh, and bear both proofs, as far as they can be checked here."""
    data = _identity(drive)
    proofs = [_hash(drive, data), _signature(drive, data)]
    proven = any(proof in (HASH_RIGHT, SIGNATURE_RIGHT) for proof in proofs)
    _fresh(drive, data)
    age = max(0.0, drive.now() - data.auth_date)
    who = data.user.id if data.user else "-"
    return Found(f"user {who}, {age:.0f} s old; {'; '.join(proofs)}", certain=proven)


def _identity(drive: Drive) -> InitData:
    launch = drive.launched
    if not launch.identifies:
        flow = f"a launch by {launch.flow}" if launch.flow else "this launch"
        raise Skip(
            f"{flow} does not tell the app who opened it",
            f"Open it by a flow that does: {', '.join(IDENTIFYING_FLOWS)}.",
        )
    if launch.init_data is None:
        problems = "; ".join(launch.params.problems) or "there are none"
        raise Failed(f"the init data cannot be read: {problems}")
    if launch.init_data.user is None:
        raise Failed("the init data name no user")
    return launch.init_data


def _hash(drive: Drive, data: InitData) -> str:
    token = drive.settings.bot_token
    if token is None:
        return "hash not checked (no bot token)"
    if drive.launched.bot_id not in (None, int(token.get_secret_value().partition(":")[0])):
        return "hash not checked (the token is another bot's)"
    try:
        data.check_hash(token.get_secret_value())
    except UnusableKey:
        raise Failed("METAPRO_BOT_TOKEN is no bot token", layer=Layer.CONFIG) from None
    except InitDataError:
        raise Failed(
            "the hash does not fit the bot token: the init data are of another bot, or were changed",
            remedy="Check that the token belongs to the app's bot and was not revoked.",
        ) from None
    return HASH_RIGHT


def _signature(drive: Drive, data: InitData) -> str:
    if drive.launched.bot_id is None:
        return "signature not checked (which bot?)"
    try:
        data.check_signature(drive.launched.bot_id, drive.launched.public_key)
    except SignatureMissing:
        return "no signature"
    except InitDataError:
        raise Failed(
            "the Ed25519 signature is not that of this Telegram server for this bot",
            remedy="Check that account, bot and server belong together.",
        ) from None
    return SIGNATURE_RIGHT


def _fresh(drive: Drive, data: InitData) -> None:
    try:
        data.check_age(drive.settings.max_auth_age, drive.now())
    except InitDataExpired as expired:
        raise Failed(
            f"the init data are {expired.now - expired.issued_at:.0f} s old, "
            f"{expired.max_age:.0f} s are allowed",
            remedy=FRESH,
        ) from None


# What the app makes of it


async def platform_gate(drive: Drive) -> Found:
    """The app works on phones; elsewhere it works too, or says why it does not, but is never blank."""
    told = []
    for platform in (*PHONES, "tdesktop"):
        async with drive.another(platform) as shown:
            told.append(await _on(drive, shown, platform))
    return Found("; ".join(told))


async def _on(drive: Drive, shown: Shown, platform: str) -> str:
    await settled(shown)
    works = await own_login(shown, drive.screen.seconds if platform in PHONES else 0.0)
    text = await text_of(shown)
    if not text:
        raise Failed(f"on {platform} the page stays blank")
    if platform in PHONES and works is None:
        raise Failed(f"on {platform} the app does not log in to Metapro; it shows: {text}")
    return f"{platform}: {'works' if works else f'warns ({text})'}"


async def start_parameter(drive: Drive) -> Found:
    """What the app was started with is in its login as referralCode, and nothing when there was nothing."""
    login = await own_login(drive.page, drive.screen.seconds)
    if login is None:
        raise Skip("because the app does not log in: see L1.app")
    body = login.json if isinstance(login.json, dict) else {}
    field = drive.settings.telegram_login.referral_field
    data = drive.launched.init_data
    wanted, sent = (data.start_param if data else None) or None, body.get(field)
    if wanted is None:
        if sent:
            raise Failed(f"the login has a {field}, though the launch has no start parameter")
        return Found(f"no start parameter, no {field}", login.status)
    if sent != wanted:
        raise Failed(f"the start parameter does not reach the login as {field}")
    return Found(f"the start parameter is the login's {field}", login.status)


STEPS = (
    Step(
        "T1",
        "launch and init data",
        Layer.TELEGRAM,
        init_data,
        "Inspect the launch with `miniapp inspect`.",
        needs=(Need.LAUNCH,),
        after=("C0",),
        assumption="unproven-launch",
    ),
    Step(
        "T2",
        "platform gate",
        Layer.TELEGRAM,
        platform_gate,
        "Let the app render on android and ios, and warn elsewhere.",
        needs=(Need.PAGE, Need.RELAUNCH),
        after=("T1",),
        assumption="platform-gate",
    ),
    Step(
        "T3",
        "start parameter",
        Layer.TELEGRAM,
        start_parameter,
        "Send initDataUnsafe.start_param as referralCode, and leave it out when it is empty.",
        needs=(Need.PAGE,),
        after=("T1",),
        assumption="referral-code",
    ),
)
