"""Texts of a page on their way into TL, whose strings are UTF-8.

JavaScript's strings may hold half of a surrogate pair, which UTF-8 cannot carry.
"""

__all__ = ["wire_text"]


def wire_text(text: str) -> str:
    """The text with every lone surrogate replaced by U+FFFD, as JavaScript's `toWellFormed` does."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
