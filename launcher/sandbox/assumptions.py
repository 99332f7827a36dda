"""Rules of the sandbox that no documentation states, by name.

Telegram documents what its methods mean, not every choice its servers make. Where the sandbox has to choose,
the choice is a sentence here that either holds or is flipped, so that a test can ask for the other world and
so that each sentence can one day be compared with the real servers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["ASSUMPTIONS", "Assumption", "Assumptions", "UnknownAssumption"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """One rule: its name (a sentence that may hold), what holding means, what the flipped world does."""

    name: str
    holds: str
    flipped: str


class UnknownAssumption(KeyError):
    """There is no assumption of that name; the message lists the names there are."""

    def __str__(self) -> str:
        return f"no assumption is called {self.args[0]!r}; there are: {', '.join(ASSUMPTIONS)}"


ASSUMPTIONS: dict[str, Assumption] = {
    row.name: row
    for row in (
        Assumption(
            "duplicate_random_id_is_silent",
            "sendWebViewData with a random_id that was seen before succeeds and changes nothing",
            "it answers 500 RANDOM_ID_DUPLICATE",
        ),
        Assumption(
            "result_sent_survives_absence",
            "updateWebViewResultSent, which has no pts, is kept for a client that is away and delivered "
            "on its next connection",
            "it is lost for ever for a client without an open connection",
        ),
        Assumption(
            "other_updates_without_pts_survive_absence",
            "updateBotMenuButton, updateAttachMenuBots, updateJoinChatWebViewDecision and other updates that "
            "have no pts are kept for a client that is away and delivered on its next connection",
            "they are lost for ever for a client without an open connection",
        ),
        Assumption(
            "difference_names_channels_with_news",
            "updates.getDifference carries updateChannelTooLong for each of the account's channels that has "
            "messages since the given date",
            "channels are not mentioned: the client has to ask for their difference by itself",
        ),
        Assumption(
            "revoked_bot_token_is_expired",
            "a token with the id of an existing bot but another secret answers 400 ACCESS_TOKEN_EXPIRED",
            "it answers 400 ACCESS_TOKEN_INVALID, as any other text does",
        ),
        Assumption(
            "reconnect_announces_updates_too_long",
            "a new connection of a signed-in key with missed updates is sent updatesTooLong",
            "nothing is sent: the client has to ask for the difference itself",
        ),
    )
}


class Assumptions:
    """The state of every assumption in one sandbox: all hold, but for the flipped ones.

    Raises `UnknownAssumption` for a name that is not in `ASSUMPTIONS`.
    """

    def __init__(self, flipped: Iterable[str] = ()) -> None:
        self._flipped: set[str] = set()
        for name in flipped:
            self.flip(name)

    def holds(self, name: str) -> bool:
        return _known(name) not in self._flipped

    def flip(self, name: str) -> None:
        """Turn one assumption over; a second flip turns it back."""
        self._flipped ^= {_known(name)}

    def __iter__(self) -> Iterator[tuple[Assumption, bool]]:
        return ((row, self.holds(row.name)) for row in ASSUMPTIONS.values())


def _known(name: str) -> str:
    if name not in ASSUMPTIONS:
        raise UnknownAssumption(name)
    return name
