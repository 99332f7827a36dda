"""Encrypted messages of one auth key: MTProto 2.0 as the server speaks it, without input or output.

A packet is decrypted to one message (`decrypt`), which belongs to one session of the key. The session
(`MtprotoSession`) checks salt and message id, opens containers and gzip, answers what concerns the protocol
itself (pings, salts, states, resends) and hands the rest out as `Request`. Whatever is to be sent waits in
the session's outbox until `flush` packs it. A request that arrives twice under one message id is answered
twice but handed out once.

Messages of the server carry odd ids: 1 modulo 4 for answers, 3 for everything else, strictly growing.

Documentation: core.telegram.org/mtproto/description, core.telegram.org/mtproto/service_messages,
core.telegram.org/mtproto/service_messages_about_messages, core.telegram.org/mtproto/security_guidelines.
"""

from __future__ import annotations

import gzip
import hmac
import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1, sha256
from typing import Any, NamedTuple, TypeAlias

from telethon.crypto import AES
from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import TLObject, functions, types

__all__ = [
    "DestroyKey",
    "DisconnectAfter",
    "Event",
    "Forged",
    "Message",
    "MtprotoSession",
    "Request",
    "Salts",
    "Sessions",
    "decrypt",
    "encrypt",
    "key_id",
    "open_binding",
    "read_object",
    "serialize",
]

MAX_UNPACKED = 1 << 24
"""What one gzip_packed may unpack to, in bytes."""

_CONTAINER = b"\xdc\xf8\xf1\x73"
_GZIP = b"\xa1\xcf\x72\x30"
_RPC_RESULT = b"\x01\x6d\x5c\xf3"
_RPC_ERROR = b"\x19\xca\x44\x21"
_MSGS_STATE_INFO = b"\x7d\xb5\xde\x04"
_TRUE, _FALSE, _VECTOR = b"\xb5\x75\x72\x99", b"\x37\x97\x79\xbc", b"\x15\xc4\xb5\x1c"

_GZIP_FROM = 4096
_CONTAINER_MESSAGES = 100
_CONTAINER_BYTES = 1 << 19
_REMEMBERED = 16384
_REMEMBERED_BYTES = 1 << 23
_DROPPED = 0
_SESSIONS_PER_KEY = 32
_SALT_LIFE, _SALT_STEP = 3600, 1800
_TOO_LOW, _TOO_HIGH, _WRONG_BITS, _BAD_SALT, _BAD_CONTAINER = 16, 17, 18, 48, 64
_OLDEST, _NEWEST = 300, 30


class Forged(ValueError):
    """A packet that the owner of this key cannot have sent: the connection has to be closed."""


class Message(NamedTuple):
    """A decrypted message as it stood on the wire."""

    salt: int
    session_id: int
    msg_id: int
    seqno: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A call for the API; answer it with `MtprotoSession.answer`."""

    msg_id: int
    query: Any


@dataclass(frozen=True, slots=True)
class DisconnectAfter:
    """The client asks to be disconnected unless it says so again within this many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class DestroyKey:
    """The client asks to forget its auth key; the answer is already in the outbox."""


Event: TypeAlias = Request | DisconnectAfter | DestroyKey


def key_id(key: bytes) -> int:
    """How a packet names its auth key: the low 64 bits of the key's SHA-1, unsigned."""
    return int.from_bytes(sha1(key).digest()[12:20], "little")


def decrypt(key: bytes, packet: bytes, *, from_client: bool = True) -> Message:
    """Open a packet and verify its msg_key. Stray bytes of padded transports are cut off. Raises `Forged`."""
    msg_key = packet[8:24]
    size = (len(packet) - 24) & ~15
    if size < 32:
        raise Forged("the packet is too short")
    x = 0 if from_client else 8
    plain = AES.decrypt_ige(packet[24 : 24 + size], *_aes(key, msg_key, x))
    if not hmac.compare_digest(sha256(key[88 + x : 120 + x] + plain).digest()[8:24], msg_key):
        raise Forged("msg_key does not fit")
    salt, session_id, msg_id, seqno, length = struct.unpack_from("<qqqiI", plain)
    if length % 4 or not 12 <= size - 32 - length <= 1024:
        raise Forged("the length inside does not fit")
    return Message(salt, session_id, msg_id, seqno, plain[32 : 32 + length])


def encrypt(key: bytes, message: Message, *, from_client: bool = False) -> bytes:
    """The packet that carries a message."""
    head = struct.pack("<qqqiI", *message[:4], len(message.body))
    plain = head + message.body + os.urandom(-(len(message.body) + 12) % 16 + 12)
    x = 0 if from_client else 8
    msg_key = sha256(key[88 + x : 120 + x] + plain).digest()[8:24]
    sealed = AES.encrypt_ige(plain, *_aes(key, msg_key, x))
    return b"".join((sha1(key).digest()[12:20], msg_key, sealed))


def _aes(key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + key[x : x + 36]).digest()
    b = sha256(key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


def open_binding(key: bytes, encrypted: bytes) -> Any:
    """The bind_auth_key_inner of auth.bindTempAuthKey, which is encrypted with the permanent key in the way
    of MTProto 1.0. Raises `Forged`."""
    msg_key, size = encrypted[8:24], len(encrypted) - 24
    if size < 48 or size % 16 or int.from_bytes(encrypted[:8], "little") != key_id(key):
        raise Forged("the binding is not encrypted with this key")
    plain = AES.decrypt_ige(encrypted[24:], *_old_aes(key, msg_key))
    length = int.from_bytes(plain[28:32], "little")
    if length > size - 32 or not hmac.compare_digest(sha1(plain[: 32 + length]).digest()[4:], msg_key):
        raise Forged("msg_key does not fit")
    try:
        inner = read_object(plain[32 : 32 + length])
    except Exception as error:  # the reader raises whatever the bytes lead it to
        raise Forged("the binding cannot be read") from error
    if not isinstance(inner, types.BindAuthKeyInner):
        raise Forged("the binding is something else")
    return inner


def _old_aes(key: bytes, msg_key: bytes) -> tuple[bytes, bytes]:
    a = sha1(msg_key + key[:32]).digest()
    b = sha1(key[32:48] + msg_key + key[48:64]).digest()
    c = sha1(key[64:96] + msg_key).digest()
    d = sha1(msg_key + key[96:128]).digest()
    return a[:8] + b[8:] + c[4:16], a[8:] + b[:8] + c[16:] + d[:8]


class _Reader(BinaryReader):  # type: ignore[misc]
    """Telethon's reader with a limit on what gzip_packed unpacks to, wherever it stands."""

    def __init__(self, data: bytes, *, unpacks: bool = True) -> None:
        super().__init__(data)
        self._unpacks = unpacks

    def tgread_object(self) -> Any:
        if self.stream[self.position : self.position + 4] != _GZIP:
            return super().tgread_object()
        if not self._unpacks:
            raise ValueError("gzip_packed inside of gzip_packed")
        self.position += 4
        return _Reader(_gunzip(self.tgread_bytes()), unpacks=False).tgread_object()


def read_object(body: bytes) -> Any:
    """Decode one TL object. Raises `TypeNotFoundError`, or whatever broken bytes lead the reader to."""
    return _Reader(body).tgread_object()


def _gunzip(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    data = unpacker.decompress(packed, MAX_UNPACKED)
    if unpacker.unconsumed_tail:
        raise ValueError(f"gzip_packed unpacks to more than {MAX_UNPACKED} bytes")
    return data


def serialize(result: Any) -> bytes:
    """The bytes of an answer: a TL object, a bool, a list of TL objects, or bytes that are TL already."""
    match result:
        case bool():
            return _TRUE if result else _FALSE
        case bytes():
            return result
        case list():
            return b"".join((_VECTOR, len(result).to_bytes(4, "little"), *map(bytes, result)))
        case TLObject():
            return bytes(result)
    raise TypeError(f"a TL object was expected, not {type(result).__name__}")


class _Salt(NamedTuple):
    since: float
    until: float
    salt: int


class Salts:
    """The server salts of one key: each is good for an hour, a new one begins every half hour."""

    __slots__ = ("_salts",)

    def __init__(self, first: int, now: float) -> None:
        self._salts = [_Salt(now, now + _SALT_LIFE, first)]

    def current(self, now: float) -> int:
        """The newest salt that is good now."""
        rows = self._until(now)
        if rows[0].until <= now:
            rows = self._salts = [row for row in rows if row.until > now]
        return next((row.salt for row in reversed(rows) if row.since <= now), rows[0].salt)

    def accepts(self, salt: int, now: float) -> bool:
        first = self._salts[0]
        if first.salt == salt and now < first.until:
            return True
        return any(row.salt == salt and row.since <= now < row.until for row in self._salts)

    def future(self, count: int, now: float) -> list[Any]:
        """At least one and at most 64 salts, the current one first, as future_salt objects."""
        count = max(1, min(count, 64))
        rows = self._until(now + (count - 1) * _SALT_STEP)[:count]
        return [types.FutureSalt(_date(row.since), _date(row.until), row.salt) for row in rows]

    def rotate(self, now: float) -> None:
        """Make every salt given out so far worthless."""
        self._salts = [_Salt(now, now + _SALT_LIFE, _random_long())]

    def _until(self, then: float) -> list[_Salt]:
        while self._salts[-1].since + _SALT_STEP <= then:
            since = self._salts[-1].since + _SALT_STEP
            self._salts.append(_Salt(since, since + _SALT_LIFE, _random_long()))
        return self._salts


class _Outgoing(NamedTuple):
    msg_id: int
    seqno: int
    body: bytes


class MtprotoSession:
    """One session of an auth key.

    `wake` is called whenever something enters the outbox; the connection that carries the session sets it.
    """

    __slots__ = (
        "_content", "_greeted", "_home", "_kept", "_last_id", "_outbox", "_requests", "_sent", "_to_ack",
        "id", "wake", "wants_updates",
    )  # fmt: skip

    def __init__(self, home: Sessions, session_id: int) -> None:
        self.id = session_id
        self.wants_updates = True
        self.wake: Callable[[], None] | None = None
        self._home = home
        self._greeted = False
        self._last_id = 0
        self._content = 0
        self._kept = 0
        self._outbox: list[_Outgoing] = []
        self._to_ack: set[int] = set()
        self._requests: OrderedDict[int, int | None] = OrderedDict()
        """Message id of each request, and of its answer once there is one."""
        self._sent: OrderedDict[int, _Outgoing] = OrderedDict()
        """Content messages the client has not acknowledged yet."""

    # What comes in

    def receive(self, message: Message, now: float) -> list[Event]:
        """Take one decrypted message; returns what is not the protocol's own business. `now` is wall time."""
        if not self._home.salts.accepts(message.salt, now):
            salt = self._home.salts.current(now)
            self._say(types.BadServerSalt(message.msg_id, message.seqno, _BAD_SALT, salt), now, answer=True)
            return []
        if wrong := _wrong_id(message.msg_id, now):
            return self._refuse(message, wrong, now)
        try:
            inside = list(_open(message.msg_id, message.seqno, message.body))
        except (ValueError, BufferError, struct.error, zlib.error):
            return self._refuse(message, _BAD_CONTAINER, now)
        if not self._greeted:
            self._greet(min((msg_id for msg_id, _, _ in inside), default=message.msg_id), now)
        taken = [self._take(msg_id, seqno, body, now) for msg_id, seqno, body in inside]
        return [event for event in taken if event is not None]

    def _refuse(self, message: Message, code: int, now: float) -> list[Event]:
        self._say(types.BadMsgNotification(message.msg_id, message.seqno, code), now, answer=True)
        return []

    def _greet(self, first_msg_id: int, now: float) -> None:
        self._greeted = True
        created = types.NewSessionCreated(first_msg_id, _random_long(), self._home.salts.current(now))
        self._say(created, now, content=True)

    def _take(self, msg_id: int, seqno: int, body: bytes, now: float) -> Event | None:
        if seqno & 1:
            self._to_ack.add(msg_id)
        if msg_id in self._requests:
            self._repeat(msg_id)
            return None
        try:
            query = read_object(body)
        except TypeNotFoundError:
            self.fail(msg_id, 400, "INPUT_METHOD_INVALID", now)
            return None
        except Exception:  # Telethon's reader raises whatever the bytes lead it to
            self.fail(msg_id, 400, "INPUT_FETCH_ERROR", now)
            return None
        if service := _SERVICE.get(type(query)):
            return service(self, msg_id, query, now)
        self._requests[msg_id] = None
        if len(self._requests) > _REMEMBERED:
            self._requests.popitem(last=False)
        return Request(msg_id, query)

    def _repeat(self, msg_id: int) -> None:
        answer = self._requests[msg_id]
        if answer is not None and answer in self._sent:
            self._to_ack.discard(msg_id)
            self._put(self._sent[answer])

    # What goes out

    def answer(self, msg_id: int, body: bytes, now: float) -> None:
        """Put the serialized answer to a request into the outbox, gzipped when that pays.

        An answer the client has dropped (rpc_drop_answer) goes nowhere.
        """
        self._to_ack.discard(msg_id)
        if self._requests.get(msg_id) == _DROPPED:
            return
        if len(body) > _GZIP_FROM:
            packed = _GZIP + TLObject.serialize_bytes(gzip.compress(body, 1))
            body = min(body, packed, key=len)
        result = b"".join((_RPC_RESULT, msg_id.to_bytes(8, "little", signed=True), body))
        answer_id = self._queue(result, now, content=True, answer=True)
        if msg_id in self._requests:
            self._requests[msg_id] = answer_id

    def fail(self, msg_id: int, code: int, name: str, now: float) -> None:
        """Answer a request with an rpc_error."""
        self.answer(msg_id, bytes(types.RpcError(code, name)), now)

    def has_failed(self, msg_id: int) -> bool:
        """Whether a request was answered with an error which the client has not acknowledged yet."""
        sent = self._sent.get(self._requests.get(msg_id) or 0)
        return sent is not None and sent.body[12:16] == _RPC_ERROR

    def forget(self, msg_id: int) -> None:
        """Act as if this request never came: should it come again, it is handed out again."""
        self._requests.pop(msg_id, None)
        self._to_ack.discard(msg_id)

    def push(self, body: bytes, now: float) -> None:
        """Put serialized updates into the outbox."""
        self._queue(body, now, content=True, answer=False)

    def flush(self, now: float) -> list[bytes]:
        """Empty the outbox: encrypted packets, in order, acknowledgements included."""
        if self._to_ack:
            ids, self._to_ack = sorted(self._to_ack), set()
            for start in range(0, len(ids), 8192):
                self._say(types.MsgsAck(ids[start : start + 8192]), now)
        outbox, self._outbox = self._outbox, []
        if len(outbox) == 1:
            return [self._pack(outbox[0], now)]
        return [self._pack(self._contain(part, now), now) for part in _portions(outbox)]

    def _pack(self, message: _Outgoing, now: float) -> bytes:
        return encrypt(self._home.key, Message(self._home.salts.current(now), self.id, *message))

    def _contain(self, messages: list[_Outgoing], now: float) -> _Outgoing:
        if len(messages) == 1:
            return messages[0]
        parts = [_CONTAINER, len(messages).to_bytes(4, "little")]
        for msg_id, seqno, body in messages:
            parts += (struct.pack("<qiI", msg_id, seqno, len(body)), body)
        return _Outgoing(self._next_id(now, answer=False), self._content * 2, b"".join(parts))

    def _say(self, said: Any, now: float, *, content: bool = False, answer: bool = False) -> None:
        self._queue(bytes(said), now, content=content, answer=answer)

    def _queue(self, body: bytes, now: float, *, content: bool, answer: bool) -> int:
        message = _Outgoing(self._next_id(now, answer), self._content * 2 + content, body)
        if content:
            self._content += 1
            self._keep(message)
        self._put(message)
        return message.msg_id

    def _keep(self, message: _Outgoing) -> None:
        self._sent[message.msg_id] = message
        self._kept += len(message.body)
        while len(self._sent) > _REMEMBERED or self._kept > _REMEMBERED_BYTES:
            self._drop(next(iter(self._sent)))

    def _drop(self, msg_id: int) -> _Outgoing | None:
        message = self._sent.pop(msg_id, None)
        if message:
            self._kept -= len(message.body)
        return message

    def _put(self, message: _Outgoing) -> None:
        self._outbox.append(message)
        if self.wake:
            self.wake()

    def _next_id(self, now: float, answer: bool) -> int:
        least = self._last_id | 3
        self._last_id = max(least + 1, int(now * 4294967296) & ~3) | (1 if answer else 3)
        return self._last_id

    # The protocol's own requests

    def _ping(self, msg_id: int, query: Any, now: float) -> None:
        self._to_ack.discard(msg_id)
        self._say(types.Pong(msg_id, query.ping_id), now, answer=True)

    def _ping_delay_disconnect(self, msg_id: int, query: Any, now: float) -> Event:
        self._ping(msg_id, query, now)
        return DisconnectAfter(max(0, query.disconnect_delay))

    def _acknowledged(self, msg_id: int, query: Any, now: float) -> None:
        for sent in query.msg_ids:
            self._drop(sent)

    def _future_salts(self, msg_id: int, query: Any, now: float) -> None:
        self._to_ack.discard(msg_id)
        salts = types.FutureSalts(msg_id, int(now), self._home.salts.future(query.num, now))
        self._say(salts, now, answer=True)

    def _states(self, msg_id: int, query: Any, now: float) -> None:
        """Telethon types `info` as a text, which bytes above 127 do not survive: written by hand."""
        info = bytes(self._state(asked, now) for asked in query.msg_ids)
        head = _MSGS_STATE_INFO + msg_id.to_bytes(8, "little", signed=True)
        self._queue(head + TLObject.serialize_bytes(info), now, content=False, answer=True)

    def _state(self, msg_id: int, now: float) -> int:
        """4 received, 32 being worked on, 64 answered; 1 too old to know, 2 not received, 3 not sent yet."""
        if msg_id in self._requests:
            return 4 | (64 if self._requests[msg_id] else 32)
        match _wrong_id(msg_id, now):
            case 16:
                return 1
            case 17:
                return 3
        return 2

    def _resend(self, msg_id: int, query: Any, now: float) -> None:
        """What is still there goes out again; for the rest the states tell that it is gone."""
        for asked in query.msg_ids:
            if asked in self._sent:
                self._put(self._sent[asked])
        if any(asked not in self._sent for asked in query.msg_ids):
            self._states(msg_id, query, now)

    def _drop_answer(self, msg_id: int, query: Any, now: float) -> None:
        self.answer(msg_id, bytes(self._dropped(query.req_msg_id)), now)

    def _dropped(self, msg_id: int) -> Any:
        answer = self._requests.get(msg_id, _DROPPED)
        if answer is None:
            self._requests[msg_id] = _DROPPED
            return types.RpcAnswerDroppedRunning()
        sent = self._drop(answer)
        if sent is None:
            return types.RpcAnswerUnknown()
        self._outbox = [message for message in self._outbox if message is not sent]
        return types.RpcAnswerDropped(answer, sent.seqno, len(sent.body))

    def _ignore(self, msg_id: int, query: Any, now: float) -> None:
        self._to_ack.discard(msg_id)

    def _destroy_key(self, msg_id: int, query: Any, now: float) -> Event:
        self._to_ack.discard(msg_id)
        self._say(types.DestroyAuthKeyOk(), now, answer=True)
        return DestroyKey()

    def _destroy_session(self, msg_id: int, query: Any, now: float) -> None:
        self._to_ack.discard(msg_id)
        self._say(self._home.destroy(query.session_id, asking=self), now, answer=True)


_Service: TypeAlias = Callable[[MtprotoSession, int, Any, float], Event | None]

_SERVICE: dict[type, _Service] = {
    functions.PingRequest: MtprotoSession._ping,
    functions.PingDelayDisconnectRequest: MtprotoSession._ping_delay_disconnect,
    functions.GetFutureSaltsRequest: MtprotoSession._future_salts,
    functions.RpcDropAnswerRequest: MtprotoSession._drop_answer,
    functions.DestroySessionRequest: MtprotoSession._destroy_session,
    functions.DestroyAuthKeyRequest: MtprotoSession._destroy_key,
    types.MsgsAck: MtprotoSession._acknowledged,
    types.MsgsStateReq: MtprotoSession._states,
    types.MsgResendReq: MtprotoSession._resend,
    types.MsgsStateInfo: MtprotoSession._ignore,
    types.MsgsAllInfo: MtprotoSession._ignore,
    types.HttpWait: MtprotoSession._ignore,
}


class Sessions:
    """All sessions of one auth key, the least recently used forgotten first, and the salts they share."""

    __slots__ = ("_sessions", "key", "salts")

    def __init__(self, key: bytes, salts: Salts) -> None:
        self.key = key
        self.salts = salts
        self._sessions: OrderedDict[int, MtprotoSession] = OrderedDict()

    def __getitem__(self, session_id: int) -> MtprotoSession:
        """The session of that id; a new one when it is not known."""
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = MtprotoSession(self, session_id)
            if len(self._sessions) > _SESSIONS_PER_KEY:
                self._sessions.popitem(last=False)
        else:
            self._sessions.move_to_end(session_id)
        return session

    def __contains__(self, session_id: int) -> bool:
        return session_id in self._sessions

    def destroy(self, session_id: int, asking: MtprotoSession) -> Any:
        """Forget a session other than the one that asks: destroy_session_ok or destroy_session_none."""
        if session_id == asking.id or self._sessions.pop(session_id, None) is None:
            return types.DestroySessionNone(session_id)
        return types.DestroySessionOk(session_id)


def _open(msg_id: int, seqno: int, body: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The messages inside: those of a container, or the one. Raises ValueError for a broken container."""
    if body[:4] == _GZIP:
        body = _gunzip(_Reader(body[4:]).tgread_bytes())
    if body[:4] != _CONTAINER:
        yield msg_id, seqno, body
        return
    position = 8
    for _ in range(int.from_bytes(body[4:8], "little")):
        inner_id, inner_seqno, length = struct.unpack_from("<qiI", body, position)
        position += 16 + length
        inner = body[position - length : position]
        if len(inner) != length or inner[:4] == _CONTAINER:
            raise ValueError("the container is broken")
        yield inner_id, inner_seqno, inner


def _wrong_id(msg_id: int, now: float) -> int | None:
    """The code for a client's message id that cannot be: its low bits, or its time."""
    if msg_id & 3:
        return _WRONG_BITS
    age = now - (msg_id >> 32)
    if age > _OLDEST:
        return _TOO_LOW
    return _TOO_HIGH if age < -_NEWEST else None


def _portions(outbox: list[_Outgoing]) -> Iterator[list[_Outgoing]]:
    """The outbox in parts that fit into a container each."""
    part: list[_Outgoing] = []
    size = 0
    for message in outbox:
        if part and (len(part) == _CONTAINER_MESSAGES or size + len(message.body) > _CONTAINER_BYTES):
            yield part
            part, size = [], 0
        part.append(message)
        size += len(message.body) + 16
    if part:
        yield part


def _date(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def _random_long() -> int:
    return int.from_bytes(os.urandom(8), "little", signed=True)
