"""The packages that not everybody needs: which extra brings each, and how somebody is told what to install.

A package of ours that needs an extra imports its modules within `from_extras()`. What is missing is then told
in one line, which names both ways to an extra: by the name of the distribution, and from a clone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flows.errors import MiniAppError

__all__ = ["ExtraMissing", "extra_of", "from_extras", "install"]

_EXTRAS = {
    "bcrypt": "monitor", "coincurve": "metapro", "eth_account": "metapro", "eth_keys": "metapro",
    "eth_utils": "metapro", "keyring": "keyring", "playwright": "browser", "procrastinate": "scale",
    "prometheus_client": "monitor", "psycopg": "scale", "psycopg_pool": "scale", "py_ecc": "metapro",
    "python_socks": "proxy", "segno": "qr", "websockets": "metapro", "yaml": "monitor",
}  # fmt: skip


class ExtraMissing(MiniAppError, ModuleNotFoundError):
    """A package is not installed that an extra brings; `name` is the package's."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"The package {package} is not installed.", install(extra))
        self.name = package


def install(*extras: str) -> str:
    """What to do to get these extras. It ends without a full stop: people copy it."""
    names = ",".join(extras)
    return f"Run: pip install 'miniapp-launcher[{names}]', or from a clone: pip install '.[{names}]'"


def extra_of(missing: ModuleNotFoundError) -> str | None:
    """The extra that brings what could not be imported; None when none does."""
    return _EXTRAS.get(_package(missing))


@contextmanager
def from_extras() -> Iterator[None]:
    """Have imports in here that fail for want of an extra raise ExtraMissing."""
    try:
        yield
    except ExtraMissing:
        raise
    except ModuleNotFoundError as missing:
        extra = extra_of(missing)
        if extra is None:
            raise
        raise ExtraMissing(_package(missing), extra) from None


def _package(missing: ModuleNotFoundError) -> str:
    return (missing.name or "").partition(".")[0]
