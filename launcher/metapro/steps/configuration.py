"""C: is the configuration whole, does it fit the launch, and is there anybody at each address?"""

from __future__ import annotations

from functools import partial

from launcher.metapro.drive import Drive
from launcher.metapro.errors import MetaproMisconfigured
from launcher.metapro.report import Layer
from launcher.metapro.settings import SERVICES
from launcher.metapro.step import Failed, Found, Need, Skip, Step

__all__ = ["STEPS"]


async def configuration(drive: Drive) -> Found:
    """Every id and address that is needed, none of them of another environment. Nothing is sent."""
    problems = drive.settings.check()
    if problems:
        raise Failed(" ".join(str(problem) for problem in problems))
    return Found(f"environment {drive.settings.environment}")


async def registration(drive: Drive) -> Found:
    """The bot that was launched is the one whose name and token are configured."""
    launch, settings = drive.launched, drive.settings
    if launch.bot_name is None and launch.bot_id is None:
        raise Skip("it is not known which bot was launched", "Name the bot with the launch.")
    _same_name(launch.bot_name, settings.bot_name)
    known = _same_id(drive, launch.bot_id)
    return Found(f"@{launch.bot_name or launch.bot_id}{known}")


def _same_name(launched: str | None, configured: str | None) -> None:
    if launched is None or configured is None:
        return
    if launched.lower() != configured.removeprefix("@").lower():
        raise Failed(
            f"METAPRO_BOT_NAME is {configured}, the launched bot is @{launched}",
            remedy=f"Set METAPRO_BOT_NAME={launched}, or launch the other bot.",
        )


def _same_id(drive: Drive, launched: int | None) -> str:
    token = drive.settings.bot_token
    if token is None or launched is None:
        return ", by its name only: no bot token is configured"
    owner = token.get_secret_value().partition(":")[0]
    if owner != str(launched):
        raise Failed(
            f"METAPRO_BOT_TOKEN belongs to the bot {owner}, the launched bot is {launched}",
            remedy=f"Set METAPRO_BOT_TOKEN to the token of the bot {launched}.",
        )
    return ""


async def reachable(drive: Drive, service: str) -> Found:
    """Anything in HTTP will do, a refusal too; DNS, TLS, time-outs and server errors are told apart."""
    try:
        drive.settings.url(service)
    except MetaproMisconfigured as unknown:
        raise Skip(unknown.meaning, unknown.remedy) from None
    reached = await drive.client.reach(service)
    return Found(f"answers in {reached.seconds * 1000:.0f} ms", reached.status)


STEPS = (
    Step(
        "C0",
        "configuration",
        Layer.CONFIG,
        configuration,
        "Correct the METAPRO_… settings; nothing was sent.",
    ),
    Step(
        "C0.registration",
        "bot registration",
        Layer.CONFIG,
        registration,
        "Configure the name and token of the launched bot.",
        needs=(Need.LAUNCH,),
        after=("C0",),
    ),
    *(
        Step(
            f"C1.{service}",
            f"{service} service reachable",
            Layer.NETWORK,
            partial(reachable, service=service),
            f"Check METAPRO_{service.upper()}_URL, and whether the service is up.",
            after=("C0",),
        )
        for service in SERVICES
    ),
)
