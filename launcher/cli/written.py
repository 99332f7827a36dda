"""Files that a command writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["writing"]


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """While a file is written. Raises BadInput for what the system refuses, with its name."""
    from flows import BadInput

    try:
        yield
    except OSError as error:
        where = error.filename or file
        raise BadInput(f"{where}: {error.strerror}.", "Name a place that can be written.") from None
