"""What errors of the library advise, in the words of the command line.

The library speaks to scripts: `via=`, `start="…"`, the consent policy. Here the same is done by options, so
an error is told with their names. One table, used wherever an error is told.
"""

from __future__ import annotations

import re

__all__ = ["spoken"]

ARGUMENTS = ("via", "chat", "button", "topic", "reply_to", "send_as", "silent", "start", "start_param")
"""The options of the library that the command line has by the same name, with dashes."""

_SENTENCES = {
    r"The question (\w+) was answered with no\. Allow this question in the consent policy": (
        r"The question \1 was answered with no. Allow it with --allow \1"
    ),
    r"or allow unblocking in the consent policy\.": "or allow it with --allow unblock.",
    r"Give the one meant as HiddenLink\(url\)\.": "Give the link that is meant itself.",
    r"Give the message itself,": "Give the link of the message,",
    r"Give another message,": "Give the link of another message,",
}
_PRESET = re.compile(r'\bstart="[^"]*"')
_ARGUMENT = re.compile(
    rf"(?<![\w?&'\"-])({'|'.join(ARGUMENTS)})=(?![\w\"%])|\b(start_param|reply_to|send_as)\b"
)


def spoken(error: Exception | str) -> str:
    """The error's text with options in place of the library's arguments."""
    text = str(error)
    for sentence, ours in _SENTENCES.items():
        text = re.sub(sentence, ours, text)
    return _ARGUMENT.sub(_option, _PRESET.sub("--start PAYLOAD", text))


def _option(found: re.Match[str]) -> str:
    return f"--{(found[1] or found[2]).replace('_', '-')}"
