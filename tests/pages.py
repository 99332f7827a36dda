"""A small web server on the loopback for the pages of host tests.

    async with Pages({"/": "<p>hello"}) as pages:
        pages.url("/")

A page is its HTML, or an `Answer`. `SILENT` never answers. What was asked for is in `pages.asked`, with
which headers in `pages.heads`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["HEARING", "SILENT", "Answer", "Pages", "app", "certificate"]


@dataclass(frozen=True, slots=True)
class Answer:
    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        headers = {"Content-Type": "text/html; charset=utf-8", **self.headers}
        lines = [f"HTTP/1.1 {self.status} .", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        return "\r\n".join(lines).encode() + body


SILENT = Answer(status=0)

_POST = """
const native = () => window.TelegramWebviewProxy;
const post = (name, data) => native()
  ? TelegramWebviewProxy.postEvent(name, data === undefined ? undefined : JSON.stringify(data))
  : parent.postMessage(JSON.stringify({ eventType: name, eventData: data }), '*');
"""

HEARING = """
  const waiting = [];
  const receive = (name, data) => { waiting.push([name, data]); window.came?.() };
  window.Telegram = { WebView: { receiveEvent: receive } };
  window.addEventListener('message', event => {
    if (event.source !== parent || native()) return;
    const { eventType, eventData } = JSON.parse(event.data);
    receive(eventType, eventData);
  });
  window.take = name => new Promise(resolve => {
    const look = () => {
      const at = waiting.findIndex(([waits]) => waits === name);
      window.came = at < 0 ? look : undefined; // who has got one must not take the next
      if (at >= 0) resolve(waiting.splice(at, 1)[0][1]);
    };
    look();
  });
"""
"""For `app`: `take(name)` in the page promises the next event of this name which nobody has taken yet."""


def app(script: str = "", body: str = "<p>app") -> str:
    """A page with `post(name, data)` for either transport, which runs a script."""
    return f"<!doctype html><title>app</title>{body}<script>{_POST}{script}</script>"


class Pages:
    """The server: `async with Pages({...}) as pages:`."""

    def __init__(self, pages: Mapping[str, str | Answer], tls: ssl.SSLContext | None = None) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.arrived = asyncio.Event()  # set by each request
        self.answers = asyncio.Event()  # cleared, it holds all answers back
        self.answers.set()
        self._tls = tls
        self._connections: set[asyncio.Task[Any]] = set()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *failure: Any) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side has gone, or the server ends
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = head.split()[1]
        self.heads.append(head)
        self.asked.append(target)
        self.arrived.set()
        page = self.pages.get(target.partition("?")[0], Answer("not here", 404))
        if page is SILENT:
            await reader.read()
            return
        await self.answers.wait()
        writer.write((Answer(page) if isinstance(page, str) else page).encoded())
        await writer.drain()


def certificate(folder: Path, valid: timedelta) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for 127.0.0.1, and the file of the authority to trust it by: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pages")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem
