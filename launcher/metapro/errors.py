"""What can go wrong with Metapro, split by whose fault it is.

    MetaproError
    ├── MetaproMisconfigured    a setting is missing or does not fit: nothing was sent
    ├── MetaproUnreachable      no answer came: DNS, TLS, connection, time
    ├── MetaproRefused          the service says no (4xx): `status`, `messages`
    ├── NeedsLaunch             the init data are too old to log in with: open the app again
    └── MetaproBroken           the service itself fails (5xx), or answers what it should not

`layer` names where the fault lies, in the words of the driver's reports. No text holds a token, a key or
init data.
"""

from __future__ import annotations

from typing import Final

from flows import MiniAppError

__all__ = [
    "TOO_MANY",
    "MetaproBroken",
    "MetaproError",
    "MetaproMisconfigured",
    "MetaproRefused",
    "MetaproUnreachable",
    "NeedsLaunch",
]


TOO_MANY: Final = 429
"""The status of a service that wants to be asked less often: it says nothing about what was asked."""


class MetaproError(MiniAppError):
    """See the module; `layer` is one of config, network, metapro-auth, metapro-data, wallet, telegram."""

    def __init__(self, meaning: str, remedy: str, *, layer: str) -> None:
        super().__init__(meaning, remedy)
        self.layer = layer


class MetaproMisconfigured(MetaproError):
    """A METAPRO_… setting is missing or does not fit the others."""

    def __init__(self, meaning: str, remedy: str) -> None:
        super().__init__(meaning, remedy, layer="config")


class MetaproUnreachable(MetaproError):
    """No answer came from a service; whether it did what was asked is unknown."""

    def __init__(self, meaning: str, remedy: str) -> None:
        super().__init__(meaning, remedy, layer="network")


class MetaproRefused(MetaproError):
    """The service refuses the request. `messages` are its own words, cut short."""

    def __init__(
        self, meaning: str, remedy: str, *, layer: str, status: int, messages: tuple[str, ...]
    ) -> None:
        super().__init__(meaning, remedy, layer=layer)
        self.status = status
        self.messages = messages


class MetaproBroken(MetaproError):
    """The service answers with a status of 500 or more, or with something else than is documented."""

    def __init__(self, meaning: str, remedy: str, *, layer: str, status: int) -> None:
        super().__init__(meaning, remedy, layer=layer)
        self.status = status


class NeedsLaunch(MetaproError):
    """A new login needs init data that are fresh, and there are none."""

    def __init__(self) -> None:
        super().__init__(
            "Another login needs a new launch: the init data are too old, or are not taken twice.",
            "Open the app again, or give the driver a `relaunch`.",
            layer="telegram",
        )
