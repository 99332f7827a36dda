"""One TCP connection of a client: from its bytes to calls, from answers to its bytes.

Every packet names an auth key: none (a step of the key exchange, in plain text), one this data centre knows
(an encrypted message), or another (answered with -404). Each request runs as a task of its own, so that a
slow one holds up nobody. Answers that become ready in the same turn of the event loop leave in one container.

Nothing grows without limit: a client that sends faster than it is answered, or does not read its answers, is
not read from until it has caught up; one that lets pushed updates pile up is disconnected.
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from launcher.sandbox import calls, exchange, mtproto
from launcher.sandbox.transport import AUTH_KEY_NOT_FOUND, BadFrame, Transport

if TYPE_CHECKING:
    from launcher.sandbox.server import AuthKey, Sandbox

__all__ = ["Connection"]

_MOST_RUNNING = 16384
"""Requests of one connection that may be under way at once."""
_MOST_UNREAD = 1 << 24
"""Bytes that may wait for a client that does not read."""


class Connection(asyncio.Protocol):
    """The server's end of one connection."""

    def __init__(self, sandbox: Sandbox, dc: int) -> None:
        self.sandbox = sandbox
        self.dc = dc
        self.key: AuthKey | None = None
        """The key of the last encrypted message."""
        self.session: mtproto.MtprotoSession | None = None
        self.lost = asyncio.Event()
        self._announced: mtproto.MtprotoSession | None = None
        self._transport = Transport()
        self._exchange: exchange.PqSent | exchange.DhSent | None = None
        self._flushing = False
        self.running: dict[int, asyncio.Task[None]] = {}
        """Requests under way, by message id."""
        self._unread = False
        self._deadline: asyncio.TimerHandle | None = None
        self._last_plain_id = 0

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        if not self.sandbox.listening:  # accepted just before the port was closed
            transport.abort()
        self.sandbox.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.sandbox.connections.discard(self)
        self.lost.set()
        self._detach()
        if self._deadline:
            self._deadline.cancel()

    def pause_writing(self) -> None:
        self._unread = True
        self._regulate()

    def resume_writing(self) -> None:
        self._unread = False
        self._regulate()

    def data_received(self, data: bytes) -> None:
        try:
            for packet in self._transport.feed(data):
                self._packet(packet)
                if self._socket.is_closing():
                    return
        except (BadFrame, exchange.Slip, mtproto.Forged):
            self.close()
        except Exception as error:  # a bug of ours ends this connection, is kept, and ends nothing else
            self.sandbox.failures.append(error)
            self.close()

    # What comes in

    def _packet(self, packet: bytes) -> None:
        if len(packet) < 8:
            raise BadFrame("the packet is too short to name a key")
        key_id = int.from_bytes(packet[:8], "little")
        if key_id == 0:
            self._plain(packet)
        elif key := self.sandbox.known_key(key_id, self.dc):
            self._encrypted(key, packet)
        else:
            self.refuse_key()

    def _plain(self, packet: bytes) -> None:
        if len(packet) < 24:
            raise BadFrame("the plain message is too short")
        length = int.from_bytes(packet[16:20], "little")
        try:
            request = mtproto.read_object(packet[20 : 20 + length])
        except Exception as error:  # Telethon's reader raises whatever the bytes lead it to
            raise exchange.Slip("the plain message cannot be read") from error
        if not isinstance(request, types.MsgsAck):
            self._say_plainly(bytes(self._exchange_step(request)))

    def _exchange_step(self, request: Any) -> Any:
        """The answer to one request of the key exchange. Raises `exchange.Slip`."""
        state, rsa = self._exchange, self.sandbox.rsa
        match request, state:
            case functions.ReqPqMultiRequest() | functions.ReqPqRequest(), _:
                server_nonce = int.from_bytes(os.urandom(16), "little", signed=True)
                answer, self._exchange = exchange.answer_pq(request, rsa.fingerprint, server_nonce)
            case functions.ReqDHParamsRequest(), exchange.PqSent():
                a, now = int.from_bytes(os.urandom(256), "big"), int(time.time())
                answer, self._exchange = exchange.answer_dh_params(state, request, rsa, a=a, server_time=now)
            case functions.SetClientDHParamsRequest(), exchange.DhSent():
                answer, new = exchange.answer_client_dh(state, request)
                self._exchange = None
                self.sandbox.add_key(new.key, self.dc, salt=new.salt, expires_in=new.expires_in)
            case _:
                raise exchange.Slip("this is not the next step of a key exchange")
        return answer

    def _say_plainly(self, body: bytes) -> None:
        self._last_plain_id = max((self._last_plain_id | 3) + 2, int(time.time()) << 32 | 1)
        self._write(struct.pack("<qqI", 0, self._last_plain_id, len(body)) + body)

    def _encrypted(self, key: AuthKey, packet: bytes) -> None:
        message = mtproto.decrypt(key.key, packet)
        session = key.sessions[message.session_id]
        self._attach(key, session)
        flushing, self._flushing = self._flushing, True  # what this packet leads to leaves together
        for event in session.receive(message, time.time()):
            match event:
                case mtproto.Request():
                    self._start(key, session, event)
                case mtproto.DisconnectAfter(seconds):
                    self._disconnect_after(seconds)
                case mtproto.DestroyKey():
                    self._flush()
                    self.sandbox.forget(key)
        self.announce()
        self._flushing = flushing
        self._wake()

    def _attach(self, key: AuthKey, session: mtproto.MtprotoSession) -> None:
        if session is not self.session:
            self._detach()
            self.key, self.session = key, session
        session.wake = self._wake

    def _detach(self) -> None:
        if self.session and self.session.wake == self._wake:
            self.session.wake = None

    def _start(self, key: AuthKey, session: mtproto.MtprotoSession, request: mtproto.Request) -> None:
        task = self.sandbox.start(calls.answer(self, key, session, request))
        self.running[request.msg_id] = task
        task.add_done_callback(lambda _: self._ended(request.msg_id))
        self._regulate()

    def _ended(self, msg_id: int) -> None:
        del self.running[msg_id]
        self._regulate()

    def announce(self) -> None:
        """Tell the sandbox, once in a session, that a signed-in client which knows its layer is here."""
        key = self.key.real if self.key else None
        if self._announced is not self.session and key and key.account is not None and key.layer is not None:
            self._announced = self.session
            for callback in self.sandbox.on_connected:
                callback(key.account, key)

    # What goes out

    def push(self, body: bytes) -> bool:
        """Send serialized updates if this client wants any; False when it does not or does not read.

        A session that went on to another connection gets them there.
        """
        session = self.session
        if session is None or not session.wants_updates or session.wake != self._wake:
            return False
        if self._socket.get_write_buffer_size() > _MOST_UNREAD:
            self.close()
            return False
        session.push(body, time.time())
        return True

    def refuse_key(self) -> None:
        """Say that the auth key is not known."""
        self._write(AUTH_KEY_NOT_FOUND)

    def close(self) -> None:
        """Close at once; what waits to be sent is lost. From now on its client counts as away."""
        self.sandbox.connections.discard(self)
        self._detach()
        self._socket.abort()

    def _wake(self) -> None:
        if not self._flushing:
            self._flushing = True
            self.sandbox.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self.session and not self._socket.is_closing():
            for packet in self.session.flush(time.time()):
                self._write(packet)

    def _write(self, packet: bytes) -> None:
        if not self._socket.is_closing():
            self._socket.write(self._transport.pack(packet))

    def _regulate(self) -> None:
        """Read from the client only while it reads from us and few enough of its requests are under way."""
        read = not self._unread and len(self.running) < _MOST_RUNNING
        if self._socket.is_closing() or read == self._socket.is_reading():
            return
        if read:
            self._socket.resume_reading()
        else:
            self._socket.pause_reading()

    def _disconnect_after(self, seconds: int) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.sandbox.loop.call_later(seconds, self.close)
