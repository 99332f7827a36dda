"""U and B: what Metapro knows of the person, the wallet and the scores."""

from __future__ import annotations

from launcher.metapro.answers import refusal, words_of
from launcher.metapro.drive import Drive
from launcher.metapro.errors import TOO_MANY
from launcher.metapro.report import Layer
from launcher.metapro.step import Failed, Found, Need, Step

__all__ = ["STEPS"]

WRONG_KEY = "not-the-key-of-this-leaderboard"


async def user_data(drive: Drive) -> Found:
    """`me` and the public profile are of one person, and have what is documented."""
    assert drive.user is not None
    profile = await drive.client.profile(drive.user.user_id)
    drive.learn_person(profile)
    if profile.user_id != drive.user.user_id:
        raise Failed("GET profile answers with another Metapro ID than GET me")
    wallets = [{address.wallet.lower() for address in one.addresses} for one in (drive.user, profile)]
    if wallets[0] != wallets[1]:
        raise Failed("GET me and GET profile name different wallets")
    return Found(f"me and profile agree, {len(wallets[0])} wallets", 200)


async def assets(drive: Drive) -> Found:
    """The tokens of a wallet: the person's, if it is known by then, else the driver's own."""
    page = await drive.client.wallet_tokens(drive.some_wallet)
    foreign = sorted({asset.chain_id for asset in page.results} - set(drive.settings.chain_ids))
    if foreign:
        raise Failed(
            f"assets are on chains that are not configured: {', '.join(map(str, foreign))}",
            remedy="Add them to METAPRO_CHAIN_IDS, or look why they are listed.",
        )
    return Found(f"{page.count} tokens", 200)


async def scores(drive: Drive) -> Found:
    """The list, and how many there are: the one in JSON, the other as plain text."""
    rows = await drive.client.leaderboard()
    count = await drive.client.leaderboard_count()
    return Found(f"{len(rows)} of {count} places", 200)


async def personal_score(drive: Drive) -> Found:
    score = await drive.client.personal_score(drive.logged_in.account.user_id)
    place = score.main_score.position if score.main_score else None
    return Found(f"place {place if place is not None else '-'}", 200)


async def bad_key(drive: Drive) -> Found:
    """A wrong key and none, on a read. Open reads are told, and are no fault."""
    told, odd = [], []
    for name, key in (("wrong", WRONG_KEY), ("missing", None)):
        answer = await drive.client.leaderboard_with(key)
        status, mask = answer.status_code, drive.redaction.mask
        if status == TOO_MANY:
            raise refusal("leaderboard", answer, Layer.METAPRO_DATA, mask)
        if status >= 500:
            raise Failed(f"a {name} key is answered with {status}", status=status)
        told.append(f"{name} key: {status}")
        if status < 300:
            odd.append("reads of the leaderboard are open")
        elif not words_of(answer, mask):
            odd.append(f"the answer to a {name} key does not say what is wrong")
    return Found(", ".join(told), status, tuple(dict.fromkeys(odd)))


STEPS = (
    Step(
        "U1",
        "user data",
        Layer.METAPRO_DATA,
        user_data,
        "The users service has changed, or two of its parts disagree.",
        after=("K1",),
        assumption="users-me",
    ),
    Step(
        "U2",
        "assets",
        Layer.METAPRO_DATA,
        assets,
        "Compare the answer of the nft service with its documentation.",
        after=("C1.nft",),
    ),
    Step(
        "B1",
        "leaderboard",
        Layer.METAPRO_DATA,
        scores,
        "Check METAPRO_LEADERBOARD_ID and METAPRO_LEADERBOARD_KEY.",
        needs=(Need.LEADERBOARD,),
        after=("C1.leaderboard",),
    ),
    Step(
        "B1.personal",
        "personal score",
        Layer.METAPRO_DATA,
        personal_score,
        "Compare the answer of the leaderboard service with its documentation.",
        needs=(Need.LEADERBOARD,),
        after=("B1", "L1"),
    ),
    Step(
        "B2",
        "bad leaderboard key",
        Layer.METAPRO_DATA,
        bad_key,
        "A wrong key should be refused with 401 or 403.",
        needs=(Need.LEADERBOARD,),
        after=("B1",),
        assumption="bad-key",
    ),
)
