"""Every period and pause of the launcher, as arguments: tests shorten them, nothing sleeps in secret."""

from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds.

    `prolong_every`: the period of prolonging (60 s: core.telegram.org/method/messages.prolongWebView).
    `prolong_retry`: how soon a prolong is repeated after a failure that does not end the app.
    `attempt`: after how long one attempt to open, prolong or send data counts as unanswered.
    `retries`: the pauses before each repetition of an opening or of sent data after a transient failure.
    `flood_wait`: the longest flood wait that is waited out; a longer one is raised to the caller.
    `burst`: prolongs per second after a reconnect, when all apps are due at once.
    `connect`: how long the first connection may take.
    `menus`: how long the attachment menu is believed before it is compared with Telegram's again (an hour,
    as in official clients; core.telegram.org/api/bots/attach).
    """

    prolong_every: float = 60.0
    prolong_retry: float = 5.0
    attempt: float = 60.0
    retries: tuple[float, ...] = (0.5, 2.0, 5.0)
    flood_wait: float = 10.0
    burst: float = 1000.0
    connect: float = 15.0
    menus: float = 3600.0
