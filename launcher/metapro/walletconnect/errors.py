"""What can go wrong between a wallet and a Mini App over WalletConnect.

    MiniAppError
    ├── BadInput                a link that is no pairing link, or one whose time is over
    └── MetaproError
        └── WalletConnectFailed     its layer is "wallet", but for
            ├── RelayUnreachable    the relay could not be reached (layer "network")
            ├── RelayRefused        the relay does not take this project, or an order
            ├── NoProposal          the app did not propose a session in time
            ├── AppFailed           the app did not answer, or with an error
            └── ProposalRejected    the wallet turned the app's proposal down, and told it so

None ever holds a link, a key, a token or a message in its text.
"""

from __future__ import annotations

from launcher.metapro.errors import MetaproError

__all__ = [
    "AppFailed",
    "NoProposal",
    "ProposalRejected",
    "RelayRefused",
    "RelayUnreachable",
    "WalletConnectFailed",
]


class WalletConnectFailed(MetaproError):
    """The wallet and the app did not come together."""

    def __init__(self, meaning: str, remedy: str, *, layer: str = "wallet") -> None:
        super().__init__(meaning, remedy, layer=layer)


class RelayUnreachable(WalletConnectFailed):
    """There was no connection to the relay for so many seconds."""

    def __init__(self, timeout: float) -> None:
        super().__init__(
            f"The WalletConnect relay could not be reached for {timeout:g} s.",
            "Check the network and the relay's URL.",
            layer="network",
        )


class RelayRefused(WalletConnectFailed):
    """The relay answered with a refusal; `code` is its number: an HTTP status, a close code, a JSON-RPC
    code."""

    def __init__(self, code: int) -> None:
        super().__init__(
            f"The WalletConnect relay refused with {code}.",
            "Check the project id and this machine's clock.",
        )
        self.code = code


class NoProposal(WalletConnectFailed):
    """The app did not propose a session within so many seconds."""

    def __init__(self, timeout: float) -> None:
        super().__init__(
            f"The app proposed no session within {timeout:g} s.",
            "Check that the app uses the same relay, and give its link at once: it is good for minutes.",
        )


class AppFailed(WalletConnectFailed):
    """The app did not do what it has to; `code` is its error, None when it said nothing in time."""

    def __init__(self, method: str, code: int | None = None) -> None:
        how = "did not answer" if code is None else f"answered with error {code} to"
        super().__init__(
            f"The app {how} {method}.", "Look at the app's console; it may have been closed meanwhile."
        )
        self.code = code


class ProposalRejected(WalletConnectFailed):
    """The wallet rejected the proposal; the app was told `code` and `reason`.

    Documentation: specs.walletconnect.com/2.0/specs/clients/sign/error-codes
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(
            f"The wallet rejected the app's proposal with {code}: {reason}.",
            "Give the wallet the chains that the app requires, or accept that it cannot connect.",
        )
        self.code = code
        self.reason = reason
