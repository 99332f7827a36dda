"""Metapro for Mini Apps: driving an app that is integrated with it, its HTTP API, and a wallet for the app.

`MetaproDriver` makes every step from the launch to the leaderboard and says at which layer it broke. What is
publicly known of Metapro is documented in words and samples only; what a step rests on beyond that is in its
result (`assumptions`).
"""

from launcher.extras import from_extras

with from_extras():
    import launcher.metapro.recursion_limit  # noqa: F401
    from launcher.metapro.assumptions import ASSUMPTIONS
    from launcher.metapro.client import Exchange, MetaproClient
    from launcher.metapro.drive import LongRun, Relaunch, Screen, reopening
    from launcher.metapro.driver import KeptAlive, MetaproDriver
    from launcher.metapro.eip1193 import WalletRefused
    from launcher.metapro.errors import (
        MetaproBroken,
        MetaproError,
        MetaproMisconfigured,
        MetaproRefused,
        MetaproUnreachable,
        NeedsLaunch,
    )
    from launcher.metapro.launch import Launch
    from launcher.metapro.message import read_message, recover, sign_in_message
    from launcher.metapro.report import DriveReport, Layer, Outcome, StepResult, Verdict
    from launcher.metapro.settings import SERVICES, MetaproSettings, TelegramLogin
    from launcher.metapro.show import print_report
    from launcher.metapro.stand_in import stand_in_settings
    from launcher.metapro.steps import CATALOGUE
    from launcher.metapro.wallet import Wallet
    from launcher.metapro.wallet_log import Decision, WalletPolicy, WalletRequest

__all__ = [
    "ASSUMPTIONS",
    "CATALOGUE",
    "SERVICES",
    "Decision",
    "DriveReport",
    "Exchange",
    "KeptAlive",
    "Launch",
    "Layer",
    "LongRun",
    "MetaproBroken",
    "MetaproClient",
    "MetaproDriver",
    "MetaproError",
    "MetaproMisconfigured",
    "MetaproRefused",
    "MetaproSettings",
    "MetaproUnreachable",
    "NeedsLaunch",
    "Outcome",
    "Relaunch",
    "Screen",
    "StepResult",
    "TelegramLogin",
    "Verdict",
    "Wallet",
    "WalletPolicy",
    "WalletRefused",
    "WalletRequest",
    "print_report",
    "read_message",
    "recover",
    "reopening",
    "sign_in_message",
    "stand_in_settings",
]
