"""Seeing every request of one piece of work, as it was sent and answered.

    with traced() as exchanges:
        async with launcher.open(link): ...

A launcher's client (`connection.new_client`) reports to the trace of the task that makes the request. So a
trace holds what the block asked, and nothing of what goes on beside it: prolongs, updates, other launches.
Telethon's own calls on the block's behalf (a page of messages, a resolved name) are there as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from flows.errors import MiniAppError, answers, method_name

__all__ = ["Exchange", "observed", "traced", "tracing"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request (TL, with the peers Telethon put in) and what came of it; `seconds` until then, from the
    time `at` on the event loop's clock.

    `answer` is TL, None after a `failure`. Request and answer hold secrets.
    """

    request: Any = field(repr=False)
    answer: Any = field(repr=False)
    failure: MiniAppError | None
    seconds: float
    at: float

    @property
    def method(self) -> str:
        """The TL name of the request."""
        return method_name(self.request)


_traces: ContextVar[tuple[list[Exchange], ...]] = ContextVar("traces", default=())


@contextmanager
def traced() -> Iterator[list[Exchange]]:
    """Collect the requests of the block, in the order of their answers; those of a block within it too.

    A block that is left in another task than it was entered in has ended with that task.
    """
    exchanges: list[Exchange] = []
    token = _traces.set((*_traces.get(), exchanges))
    try:
        yield exchanges
    finally:
        with suppress(ValueError):
            _traces.reset(token)


def tracing() -> bool:
    """Whether somebody collects the requests of this task."""
    return bool(_traces.get())


async def observed(request: Any, answering: Awaitable[Any]) -> Any:
    """Await the answer to a request, and note both in the trace of this task."""
    at = asyncio.get_running_loop().time()
    started = time.perf_counter()
    answer, failure = None, None
    try:
        answer = await answering
    except BaseException as error:
        failure = _classified(error, method_name(request))
        raise
    finally:
        if traces := _traces.get():
            exchange = Exchange(request, answer, failure, time.perf_counter() - started, at)
            for exchanges in traces:
                exchanges.append(exchange)
    return answer


def _classified(error: BaseException, method: str) -> MiniAppError | None:
    try:
        with answers(method):
            raise error
    except MiniAppError as failure:
        return failure
    except BaseException:  # a mistake on this side, before anything was sent: its caller is told
        return None
