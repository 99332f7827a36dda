"""Text of strangers on a terminal.

Names, titles and button texts come from outside. Shown as they are they could move the cursor, retitle the
window, or turn the direction of what stands beside them.
"""

__all__ = ["plain"]


def plain(text: object) -> str:
    """The text in one line, with everything that does not print written as an escape sequence."""
    return "".join(char if char.isprintable() else _escaped(char) for char in str(text))


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
