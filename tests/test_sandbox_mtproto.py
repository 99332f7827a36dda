"""Encrypted messages, without a socket: Telethon's state on one side, the sandbox's session on the other."""

import io
import logging
import os
import struct
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AuthKey
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult

from launcher.sandbox import mtproto
from launcher.sandbox.mtproto import (
    DestroyKey,
    DisconnectAfter,
    Event,
    Forged,
    Message,
    MtprotoSession,
    Request,
    Salts,
    Sessions,
)

KEY = bytes(range(256))
SALT, SESSION, NOW = 11, 22, 1_700_000_000.0
ASK = functions.help.GetNearestDcRequest()


def client_id(count: int = 0, at: float = NOW) -> int:
    return (int(at) << 32) + 4 * count


class Wire:
    """A client whose every number can be chosen, and the sandbox's end of its key."""

    def __init__(self) -> None:
        self.sessions = Sessions(KEY, Salts(SALT, NOW))

    @property
    def session(self) -> MtprotoSession:
        return self.sessions[SESSION]

    def send(
        self, body: Any, msg_id: int = client_id(), *, salt: int = SALT, seqno: int = 1, now: float = NOW
    ) -> list[Event]:
        packet = mtproto.encrypt(KEY, Message(salt, SESSION, msg_id, seqno, bytes(body)), from_client=True)
        return self.session.receive(mtproto.decrypt(KEY, packet), now)

    def messages(self, now: float = NOW) -> list[tuple[int, int, Any]]:
        """What the sandbox sends: ids, numbers and objects, containers opened."""
        opened = []
        for packet in self.session.flush(now):
            _, session_id, msg_id, seqno, body = mtproto.decrypt(KEY, packet, from_client=False)
            assert session_id == SESSION
            outer = BinaryReader(body).tgread_object()
            if isinstance(outer, MessageContainer):
                assert all(inner.msg_id < msg_id for inner in outer.messages)
                opened += [(inner.msg_id, inner.seq_no, inner.obj) for inner in outer.messages]
            else:
                opened.append((msg_id, seqno, outer))
        return opened

    def said(self, now: float = NOW) -> list[Any]:
        return [said for _, _, said in self.messages(now)]


@pytest.fixture
def wire() -> Wire:
    """A session that has been greeted already."""
    wire = Wire()
    wire.send(types.MsgsAck([]), client_id(-1), seqno=0)
    assert [type(said) for said in wire.said()] == [types.NewSessionCreated]
    return wire


def container(*messages: tuple[int, int, Any]) -> bytes:
    parts = [struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, len(messages))]
    for msg_id, seqno, body in messages:
        parts.append(struct.pack("<qii", msg_id, seqno, len(bytes(body))) + bytes(body))
    return b"".join(parts)


def test_telethon_and_the_sandbox_understand_one_another() -> None:
    """Both directions of the encryption, with the client's own code as the witness."""
    client = MTProtoState(AuthKey(KEY), defaultdict(lambda: logging.getLogger("test")))
    client.salt = SALT
    sessions = Sessions(KEY, Salts(SALT, time.time()))
    buffer = io.BytesIO()
    msg_id = client.write_data_as_message(buffer, bytes(ASK), content_related=True)
    message = mtproto.decrypt(KEY, client.encrypt_message_data(buffer.getvalue()))
    session = sessions[message.session_id]
    [request] = session.receive(message, time.time())
    assert isinstance(request, Request)
    assert (request.msg_id, request.query) == (msg_id, ASK)
    session.answer(msg_id, bytes(types.NearestDc("NL", 2, 2)), time.time())
    [packet] = session.flush(time.time())
    assert int.from_bytes(packet[:8], "little") == AuthKey(KEY).key_id == mtproto.key_id(KEY)
    greeting, result = client.decrypt_message_data(packet).obj.messages
    assert greeting.obj.first_msg_id == msg_id
    assert BinaryReader(result.obj.body).tgread_object() == types.NearestDc("NL", 2, 2)


@pytest.mark.parametrize("place", [8, 30, 200, -1])
def test_a_changed_packet_is_forged(place: int) -> None:
    packet = bytearray(mtproto.encrypt(KEY, Message(SALT, SESSION, 4, 1, bytes(200)), from_client=True))
    packet[place] ^= 1
    with pytest.raises(Forged):
        mtproto.decrypt(KEY, bytes(packet))


def test_stray_bytes_of_padded_transports_are_cut_off() -> None:
    message = Message(SALT, SESSION, 4, 1, bytes(ASK))
    packet = mtproto.encrypt(KEY, message, from_client=True)
    assert all(mtproto.decrypt(KEY, packet + bytes(stray)) == message for stray in range(16))


@given(st.binary(max_size=300))
def test_any_packet_is_forged_at_worst(packet: bytes) -> None:
    with pytest.raises(Forged):
        mtproto.decrypt(KEY, packet)


@given(st.binary(max_size=200))
def test_any_body_from_the_owner_of_the_key_is_survived(body: bytes) -> None:
    wire = Wire()
    for prefix in (b"", mtproto._CONTAINER, mtproto._GZIP, bytes(ASK)):
        wire.send(prefix + body + bytes(-len(body) % 4))
        wire.messages()


def test_a_session_is_announced_once_with_its_first_message() -> None:
    wire = Wire()
    wire.send(container((client_id(1), 1, ASK), (client_id(0), 3, ASK)), client_id(2))
    wire.send(ASK, client_id(3))
    [created] = [said for said in wire.said() if isinstance(said, types.NewSessionCreated)]
    assert (created.first_msg_id, created.server_salt) == (client_id(0), SALT)


def test_a_wrong_salt_is_corrected_and_the_request_forgotten() -> None:
    """The id in bad_server_salt is the outer one: Telethon finds what to send again by its container."""
    wire = Wire()
    outer = client_id(2)
    assert wire.send(container((client_id(0), 1, ASK), (client_id(1), 3, ASK)), outer, salt=0) == []
    [bad] = wire.said()
    assert (bad.bad_msg_id, bad.error_code, bad.new_server_salt) == (outer, 48, SALT)
    assert len(wire.send(container((client_id(0), 1, ASK)), outer)) == 1


def test_salts_change_by_time_and_by_force() -> None:
    salts = Salts(SALT, NOW)
    assert salts.accepts(SALT, NOW + 3599)
    assert not salts.accepts(SALT, NOW + 3601)
    second = salts.current(NOW + 1801)
    assert second != SALT
    assert salts.accepts(second, NOW + 1801)
    assert salts.accepts(SALT, NOW + 1801)
    late = salts.current(NOW + 1_000_000)
    assert salts.accepts(late, NOW + 1_000_000)
    salts.rotate(NOW + 1_000_000)
    assert not salts.accepts(late, NOW + 1_000_000)


def test_promised_salts_are_kept(wire: Wire) -> None:
    wire.send(functions.GetFutureSaltsRequest(5))
    [future] = wire.said()
    assert (future.req_msg_id, future.now, len(future.salts)) == (client_id(), NOW, 5)
    for promised in future.salts:
        assert wire.sessions.salts.accepts(promised.salt, promised.valid_since.timestamp() + 1)
    assert future.salts[0].salt == SALT
    assert not wire.sessions.salts.accepts(future.salts[2].salt, NOW)


@pytest.mark.parametrize(
    ("msg_id", "code"),
    [
        (client_id(at=NOW - 310), 16),
        (client_id(at=NOW + 40), 17),
        (client_id() + 1, 18),
        (client_id(at=NOW - 290), None),
        (client_id(at=NOW + 25), None),
    ],
)
def test_message_ids_have_to_be_possible(wire: Wire, msg_id: int, code: int | None) -> None:
    taken = wire.send(ASK, msg_id, seqno=7)
    if code is None:
        assert taken == [Request(msg_id, ASK)]
    else:
        assert taken == []
        assert wire.said() == [types.BadMsgNotification(msg_id, 7, code)]


@pytest.mark.parametrize(
    "inside",
    [
        container((client_id(), 1, ASK))[:-4],
        container((client_id(), 1, container())),
        struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, 2**31 - 1),
    ],
)
def test_a_broken_container_is_refused(wire: Wire, inside: bytes) -> None:
    assert wire.send(inside, client_id(5)) == []
    assert wire.said() == [types.BadMsgNotification(client_id(5), 1, 64)]


def test_containers_and_gzip_are_opened(wire: Wire) -> None:
    wrapped = functions.InvokeWithLayerRequest(229, functions.InvokeWithoutUpdatesRequest(ASK))
    events = wire.send(
        container((client_id(0), 1, ASK), (client_id(1), 3, GzipPacked(bytes(wrapped)))), client_id(2)
    )
    assert events == [Request(client_id(0), ASK), Request(client_id(1), wrapped)]
    assert wire.send(GzipPacked(bytes(ASK)), client_id(3)) == [Request(client_id(3), ASK)]
    inside = functions.InvokeWithLayerRequest(229, GzipPacked(bytes(ASK)))
    inside_bytes = struct.pack("<Ii", inside.CONSTRUCTOR_ID, 229) + bytes(GzipPacked(bytes(ASK)))
    [request] = wire.send(inside_bytes, client_id(4))
    assert isinstance(request, Request)
    assert request.query.query == ASK


def test_a_gzip_bomb_is_refused(wire: Wire) -> None:
    bomb = GzipPacked(bytes(mtproto.MAX_UNPACKED + 1))
    assert wire.send(container((client_id(), 1, bomb)), client_id(1)) == []
    [result] = wire.said()
    assert result.error.error_message == "INPUT_FETCH_ERROR"


def test_gzip_inside_of_gzip_is_refused(wire: Wire) -> None:
    """Else a few kilobytes could unpack to gigabytes, level by level."""
    nested = bytes(ASK)
    for _ in range(4):
        nested = bytes(GzipPacked(nested))
    wire.send(container((client_id(), 1, nested)), client_id(1))
    [result] = wire.said()
    assert result.error.error_message == "INPUT_FETCH_ERROR"


def test_a_large_answer_is_gzipped_and_read_the_same(wire: Wire) -> None:
    wire.send(ASK)
    answer = bytes(types.NearestDc("x" * 100_000, 2, 2))
    wire.session.answer(client_id(), answer, NOW)
    [packet] = wire.session.flush(NOW)
    assert len(packet) < 2_000
    body = mtproto.decrypt(KEY, packet, from_client=False).body
    assert RpcResult.from_reader(BinaryReader(body[4:])).body == answer


def test_what_does_not_shrink_is_not_gzipped(wire: Wire) -> None:
    wire.send(ASK)
    wire.session.answer(client_id(), os.urandom(8_000), NOW)
    [packet] = wire.session.flush(NOW)
    assert 8_000 < len(packet) < 8_200


def test_ids_and_numbers_of_the_server(wire: Wire) -> None:
    """Ids odd and growing, 1 for answers and 3 for the rest; numbers odd for what is to be acknowledged."""
    for count in range(3):
        wire.send(ASK, client_id(count))
        wire.session.answer(client_id(count), bytes(types.NearestDc("NL", 2, 2)), NOW)
        wire.session.push(bytes(types.UpdatesTooLong()), NOW)
    wire.send(functions.PingRequest(5), client_id(4))
    sent = wire.messages()
    ids = [msg_id for msg_id, _, _ in sent]
    assert ids == sorted(set(ids))
    assert [msg_id & 3 for msg_id in ids] == [1, 3] * 3 + [1]
    assert [seqno for _, seqno, _ in sent] == [3, 5, 7, 9, 11, 13, 14]
    assert all(abs((msg_id >> 32) - NOW) < 2 for msg_id in ids)


def test_many_answers_leave_in_containers_of_at_most_a_hundred(wire: Wire) -> None:
    for _ in range(250):
        wire.session.push(bytes(types.UpdatesTooLong()), NOW)
    packets = wire.session.flush(NOW)
    assert len(packets) == 3
    assert wire.session.flush(NOW) == []


def test_pings_are_answered_and_not_acknowledged(wire: Wire) -> None:
    assert wire.send(functions.PingRequest(5)) == []
    assert wire.said() == [types.Pong(client_id(), 5)]
    assert wire.send(functions.PingDelayDisconnectRequest(6, 75), client_id(1)) == [DisconnectAfter(75)]
    assert wire.said() == [types.Pong(client_id(1), 6)]


def test_a_request_is_acknowledged_unless_its_answer_is_ready(wire: Wire) -> None:
    wire.send(ASK)
    assert wire.said() == [types.MsgsAck([client_id()])]
    wire.send(ASK, client_id(1))
    wire.session.answer(client_id(1), bytes(types.NearestDc("NL", 2, 2)), NOW)
    assert [type(said) for said in wire.said()] == [RpcResult]


def test_a_repeated_request_is_answered_again_but_runs_once(wire: Wire) -> None:
    assert wire.send(ASK) == [Request(client_id(), ASK)]
    assert wire.send(ASK) == []
    wire.session.answer(client_id(), bytes(types.NearestDc("NL", 2, 2)), NOW)
    [first] = wire.messages()
    assert wire.send(ASK) == []
    [again] = wire.messages()
    assert (again[:2], again[2].body) == (first[:2], first[2].body)
    wire.send(types.MsgsAck([first[0]]), client_id(9), seqno=0)
    assert wire.send(ASK) == []
    assert not [said for said in wire.said() if isinstance(said, RpcResult)]


def test_a_forgotten_request_runs_again(wire: Wire) -> None:
    wire.send(ASK)
    wire.session.forget(client_id())
    assert wire.send(ASK) == [Request(client_id(), ASK)]


def test_an_error_is_told_and_remembered(wire: Wire) -> None:
    wire.send(ASK)
    assert not wire.session.has_failed(client_id())
    wire.session.fail(client_id(), 400, "BOT_INVALID", NOW)
    assert wire.session.has_failed(client_id())
    [result] = wire.said()
    assert (result.req_msg_id, result.error) == (client_id(), types.RpcError(400, "BOT_INVALID"))


@pytest.mark.parametrize(
    ("body", "name"),
    [(b"\x01\x02\x03\x04", "INPUT_METHOD_INVALID"), (bytes(ASK)[:3], "INPUT_FETCH_ERROR"),
     (bytes(functions.help.GetAppConfigRequest(5))[:-4], "INPUT_FETCH_ERROR")],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_not_a_bad_message(wire: Wire, body: bytes, name: str) -> None:
    wire.session.receive(Message(SALT, SESSION, client_id(), 1, body), NOW)
    [result] = wire.said()
    assert (result.req_msg_id, result.error) == (client_id(), types.RpcError(400, name))


def states(said: Any) -> bytes:
    assert isinstance(said, bytes)
    reader = BinaryReader(said)
    assert reader.read_int() == types.MsgsStateInfo.CONSTRUCTOR_ID
    assert reader.read_long() == client_id(9)
    return bytes(reader.tgread_bytes())


def test_states_of_messages(wire: Wire) -> None:
    wire.send(ASK, client_id(0))
    wire.send(ASK, client_id(1))
    wire.session.fail(client_id(1), 400, "BOT_INVALID", NOW)
    wire.messages()
    asked = [client_id(0), client_id(1), client_id(2), client_id(at=NOW - 900), client_id(at=NOW + 900)]
    wire.send(types.MsgsStateReq(asked), client_id(9), seqno=0)
    [packet] = wire.session.flush(NOW)
    body = mtproto.decrypt(KEY, packet, from_client=False).body
    assert states(body) == bytes([4 | 32, 4 | 64, 2, 1, 3])


def test_lost_answers_are_sent_again_on_request(wire: Wire) -> None:
    wire.send(ASK)
    wire.session.answer(client_id(), bytes(types.NearestDc("NL", 2, 2)), NOW)
    [(msg_id, seqno, _)] = wire.messages()
    wire.send(types.MsgResendReq([msg_id]), client_id(1), seqno=0)
    assert [sent[:2] for sent in wire.messages()] == [(msg_id, seqno)]
    wire.send(types.MsgResendReq([12344]), client_id(9), seqno=0)
    [packet] = wire.session.flush(NOW)
    assert states(mtproto.decrypt(KEY, packet, from_client=False).body) == bytes([1])


def dropped(wire: Wire, asked: int, count: int) -> Any:
    wire.send(functions.RpcDropAnswerRequest(asked), client_id(count))
    [result] = [said for said in wire.said() if isinstance(said, RpcResult)]
    assert result.req_msg_id == client_id(count)
    return BinaryReader(result.body).tgread_object()


def test_an_answer_can_be_dropped_at_any_time(wire: Wire) -> None:
    assert isinstance(dropped(wire, client_id(50), 1), types.RpcAnswerUnknown)
    wire.send(ASK, client_id(2))
    assert isinstance(dropped(wire, client_id(2), 3), types.RpcAnswerDroppedRunning)
    wire.session.answer(client_id(2), bytes(types.NearestDc("NL", 2, 2)), NOW)
    assert wire.said() == []
    wire.send(ASK, client_id(4))
    wire.session.answer(client_id(4), bytes(types.NearestDc("NL", 2, 2)), NOW)
    assert isinstance(dropped(wire, client_id(4), 5), types.RpcAnswerDropped)


def test_sessions_are_destroyed_by_another_one(wire: Wire) -> None:
    other = wire.sessions[77]
    for asked, answer in [
        (77, types.DestroySessionOk(77)),
        (77, types.DestroySessionNone(77)),
        (SESSION, types.DestroySessionNone(SESSION)),
    ]:
        wire.send(functions.DestroySessionRequest(asked))
        assert wire.said() == [answer]
    assert wire.sessions[77] is not other


def test_a_key_is_destroyed_after_it_was_told(wire: Wire) -> None:
    assert wire.send(functions.DestroyAuthKeyRequest()) == [DestroyKey()]
    assert [type(said) for said in wire.said()] == [types.DestroyAuthKeyOk]


def test_what_needs_no_answer_gets_none(wire: Wire) -> None:
    wire.send(types.HttpWait(0, 0, 25_000), client_id(1))
    wire.send(types.MsgsAllInfo([1], "\x04"), client_id(2))
    assert wire.said() == []


def test_forgotten_sessions_do_not_pile_up() -> None:
    sessions = Sessions(KEY, Salts(SALT, NOW))
    for number in range(1_000):
        sessions[number]
    assert 999 in sessions
    assert 1 not in sessions


def test_answers_are_objects_lists_truths_or_bytes() -> None:
    assert mtproto.read_object(mtproto.serialize(True)) is True
    assert mtproto.read_object(mtproto.serialize(False)) is False
    assert mtproto.read_object(mtproto.serialize([ASK, ASK])) == [ASK, ASK]
    assert mtproto.serialize(ASK) == mtproto.serialize(bytes(ASK))
    with pytest.raises(TypeError, match="not dict"):
        mtproto.serialize({})


def test_a_binding_is_opened_with_its_permanent_key_only() -> None:
    """auth.bindTempAuthKey carries a message of MTProto 1.0; Telethon's older key schedule is the recipe:
    core.telegram.org/mtproto/description_v1."""
    inner = types.BindAuthKeyInner(1, 2, 3, 4, datetime(2030, 1, 1, tzinfo=UTC))
    sealed = seal_v1(KEY, bytes(inner))
    assert mtproto.open_binding(KEY, sealed) == inner
    for broken in (sealed[:-16], sealed[:-1] + b"\0", seal_v1(KEY, bytes(ASK)), b"", bytes(64)):
        with pytest.raises(Forged):
            mtproto.open_binding(KEY, broken)
    with pytest.raises(Forged):
        mtproto.open_binding(KEY[::-1], sealed)


def seal_v1(key: bytes, body: bytes) -> bytes:
    from hashlib import sha1

    from telethon.crypto import AES

    plain = os.urandom(16) + struct.pack("<qiI", client_id(), 0, len(body)) + body
    msg_key = sha1(plain).digest()[4:20]
    parts = (
        sha1(msg_key + key[0:32]).digest(),
        sha1(key[32:48] + msg_key + key[48:64]).digest(),
        sha1(key[64:96] + msg_key).digest(),
        sha1(msg_key + key[96:128]).digest(),
    )
    a, b, c, d = parts
    aes_key, aes_iv = a[0:8] + b[8:20] + c[4:16], a[8:20] + b[0:8] + c[16:20] + d[0:8]
    sealed = AES.encrypt_ige(plain + os.urandom(-len(plain) % 16), aes_key, aes_iv)
    return struct.pack("<Q", mtproto.key_id(key)) + msg_key + bytes(sealed)
