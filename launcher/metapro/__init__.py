"""Metapro for Mini Apps: the wallet that meets an app."""

from launcher.metapro.eip1193 import WalletRefused
from launcher.metapro.injected import ProviderInfo, inject
from launcher.metapro.wallet import Wallet
from launcher.metapro.wallet_log import Decision, WalletPolicy, WalletRequest

__all__ = [
    "Decision",
    "ProviderInfo",
    "Wallet",
    "WalletPolicy",
    "WalletRefused",
    "WalletRequest",
    "inject",
]
