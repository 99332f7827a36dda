"""How tall the window of a Mini App is when it opens, as TDLib's `WebAppOpenMode` names it.

It is a wish, written as `mode=` in a link and as the `compact` and `fullscreen` flags in a
request; what the window becomes is said by the flags of the answer.
"""

from enum import StrEnum


class OpenMode(StrEnum):
    """The wish for a window: half of the screen, the usual full height, or the whole screen."""

    COMPACT = "compact"
    FULLSIZE = "fullsize"
    FULLSCREEN = "fullscreen"
