"""WalletConnect v2, the wallet's side: how Metapro's own Mini App meets a wallet inside Telegram."""

from launcher.metapro.walletconnect.connect import WalletConnect
from launcher.metapro.walletconnect.errors import (
    AppFailed,
    NoProposal,
    ProposalRejected,
    RelayRefused,
    RelayUnreachable,
    WalletConnectFailed,
)
from launcher.metapro.walletconnect.sessions import SessionEnd, WalletSession
from launcher.metapro.walletconnect.uri import PairingUri

__all__ = [
    "AppFailed",
    "NoProposal",
    "PairingUri",
    "ProposalRejected",
    "RelayRefused",
    "RelayUnreachable",
    "SessionEnd",
    "WalletConnect",
    "WalletConnectFailed",
    "WalletSession",
]
