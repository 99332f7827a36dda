"""Metapro for Mini Apps: the wallet that meets an app.

`launcher.metapro.injected` puts it before a page, and needs the browser.
"""

import launcher.metapro.recursion_limit  # noqa: F401
from launcher.metapro.eip1193 import WalletRefused
from launcher.metapro.wallet import Wallet
from launcher.metapro.wallet_log import Decision, WalletPolicy, WalletRequest

__all__ = ["Decision", "Wallet", "WalletPolicy", "WalletRefused", "WalletRequest"]
