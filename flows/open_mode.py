"""How much of the screen an app is given: TDLib's `WebAppOpenMode`, by its names."""

from enum import StrEnum


class OpenMode(StrEnum):
    """The display mode a client asks for and Telegram answers with."""

    COMPACT = "compact"
    FULLSIZE = "fullsize"
    FULLSCREEN = "fullscreen"
