"""What must not be seen in a report, struck out of every text on its way there.

Known secrets (tokens, keys, the init data and their proofs) are struck out wherever they stand; what can be
told by its form is struck out even when nobody announced it: e-mail addresses, signatures, `symKey`.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from launcher.hosts.launch_secrets import PAIRING_KEY, LaunchSecrets
from launcher.masks import MASK

__all__ = ["Redaction"]

_SIGNATURE = re.compile(r"(?:0x)?[0-9a-fA-F]{130}")
_FORMS = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"), MASK),
    (PAIRING_KEY, rf"\g<1>{MASK}"),
    (re.compile(r"(appkey/)[^/?#\s]+", re.IGNORECASE), rf"\g<1>{MASK}"),
    (re.compile(r"(birth_?date\"?\s*[=:]\s*\"?)[^\s\"&,}]+", re.I), rf"\g<1>{MASK}"),
    (re.compile(r"((?:token|hash|signature|api_?key)\"?\s*[=:]\s*\"?)[^\s\"&,}]{12,}", re.I),
     rf"\g<1>{MASK}"),
)  # fmt: skip
_MARKS = frozenset("@=:/%")
"""A text without any of these has nothing of such a form."""
_SHORTEST = 6
"""A text of fewer characters would be struck out of words."""
_MANY = 500
"""So many masked texts are kept at hand."""


class Redaction:
    """The secrets of one drive; more become known while it runs. Its repr shows none of them."""

    def __init__(self) -> None:
        self._launches: list[LaunchSecrets] = []
        self._values: list[str] = []  # longest first: one may be a part of another
        self._masked: dict[str, str] = {}  # reports say the same of many steps

    def add(self, *values: str | None) -> None:
        """From now on these are struck out too, also percent-encoded."""
        known = {value for value in values if value and len(value) >= _SHORTEST}.difference(self._values)
        if known:
            forms = known.union(self._values, (quote(value, safe="") for value in known))
            self._values = sorted(forms, key=len, reverse=True)
            self._masked.clear()

    def launched(self, url: str) -> None:
        """Another launch is known, whose secrets are struck out too."""
        self._launches.append(LaunchSecrets(url))
        self._masked.clear()

    def mask(self, text: str) -> str:
        """The text without secrets."""
        if not text:
            return text
        if text not in self._masked:
            if len(self._masked) >= _MANY:
                self._masked.clear()
            self._masked[text] = self._struck_out(text)
        return self._masked[text]

    def _struck_out(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        for launch in self._launches:
            text = launch.mask(text)
        text = _SIGNATURE.sub(MASK, text)
        if not _MARKS.isdisjoint(text):
            for form, shown in _FORMS:
                text = form.sub(shown, text)
        return text
