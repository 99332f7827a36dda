"""Session files: what they keep, what reaches the disk, and what happens to damaged ones."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from telethon.crypto import AuthKey
from telethon.tl import types

from launcher.account_session import AccountSession
from launcher.servers import Server, ServerName
from launcher.session_file import Content, SessionFile, SessionFileError, private_folder

SERVER = Server("test", 2, "149.154.167.40", 443, 1, "hash", "")
KEY = bytes(range(256))
PASSPHRASE = SecretStr("open sesame")
WRONG = SecretStr("open barley")

Passphrase = SecretStr | None
both_forms = pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])


def content(**changes: Any) -> Content:
    fields: dict[str, Any] = {
        "server": "test",
        "fingerprint": None,
        "dc": 2,
        "host": "149.154.167.40",
        "port": 443,
        "auth_key": KEY.hex(),
        "entities": [(1001, -5, "alice", "9996620001", "Alice"), (-1000000000007, 9, None, None, "Shop")],
        "usernames": {"alice": 1001},
        "updates": {0: (7, 0, 1700000000, 3), 42: (9, 0, 0, 0)},
        "caches": {"flows": {"bots": [{"id": 1}], "hash": 2**60}},
    }
    return Content(**fields | changes)


# To the disk and back


@both_forms
def test_what_is_written_is_read(tmp_path: Path, passphrase: Passphrase) -> None:
    path = tmp_path / "new" / "folder" / "alice.session"
    SessionFile(path, passphrase).write(content())
    file = SessionFile(path, passphrase)
    assert file.read() == content()
    assert file.encrypted == (passphrase is not None)


entities = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-(2**63), 2**63 - 1),
        *[st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)] * 3,
    ),
    max_size=5,
)


@given(entities=entities, key=st.binary(min_size=256, max_size=256), pts=st.integers(1, 2**31 - 1))
def test_any_content_survives(entities: list[Any], key: bytes, pts: int) -> None:
    wanted = content(entities=entities, auth_key=key.hex(), updates={0: (pts, 1, 2, 3)})
    file = SessionFile(Path("unused"))
    assert file.parse(file.sealed(wanted)) == wanted


def test_an_encrypted_file_shows_nothing_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "alice.session"
    file = SessionFile(path, PASSPHRASE)
    file.write(content())
    first = path.read_bytes()
    for part in (b"alice", b"9996620001", KEY.hex().encode(), KEY[:8], b"149.154"):
        assert part not in first
    file.write(content())
    assert path.read_bytes() != first, "a nonce is never used twice"
    assert file.read() == content()


def test_a_plain_file_is_encrypted_when_it_is_next_written(tmp_path: Path) -> None:
    path = tmp_path / "alice.session"
    SessionFile(path).write(content())
    file = SessionFile(path, PASSPHRASE)
    file.write(file.read())
    assert file.encrypted
    with pytest.raises(SessionFileError, match="is encrypted"):
        SessionFile(path).read()


@both_forms
def test_whatever_the_umask_only_the_owner_may_read(tmp_path: Path, passphrase: Passphrase) -> None:
    for umask in (0o000, 0o377):
        path = tmp_path / f"{umask}" / "sessions" / "alice.session"
        before = os.umask(umask)
        try:
            SessionFile(path, passphrase).write(content())
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")
def test_a_draft_is_private_from_the_start_and_on_the_disk_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the two calls found: the rights of the draft, its size, and whether the old file still stood."""
    path = tmp_path / "alice.session"
    found: list[Any] = []
    monkeypatch.setattr(os, "fchmod", _watched(os.fchmod, path, found))
    monkeypatch.setattr(os, "fsync", _watched(os.fsync, path, found))
    before = os.umask(0)
    try:
        SessionFile(path).write(content())
    finally:
        os.umask(before)
    assert found == [("fchmod", 0o600, 0, False), ("fsync", 0o600, path.stat().st_size, False)]


def _watched(call: Callable[..., None], path: Path, found: list[Any]) -> Callable[..., None]:
    def watched(descriptor: int, *arguments: Any) -> None:
        state = os.fstat(descriptor)
        found.append((call.__name__, stat.S_IMODE(state.st_mode), state.st_size, path.exists()))
        call(descriptor, *arguments)

    return watched


def test_a_file_that_others_may_read_is_narrowed_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "alice.session"
    SessionFile(path).write(content())
    path.chmod(0o664)
    SessionFile(path).read()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_others_may_enter_is_narrowed_but_not_its_parents(tmp_path: Path) -> None:
    folder = tmp_path / "sessions" / "test"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o755


# A write that does not come to its end

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from launcher.session_file import SessionFile, SessionFileError
file = SessionFile(Path(sys.argv[1]))
content = file.read().model_copy(update={"caches": {"large": "x" * 100000}})
signal.signal(signal.SIGXFSZ, getattr(signal, sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))
try:
    file.write(content)
except SessionFileError as error:
    print(error)
"""


@pytest.mark.parametrize(("on_full", "ends"), [("SIG_IGN", "error"), ("SIG_DFL", "crash")])
def test_a_write_that_fails_or_crashes_leaves_the_old_content(
    tmp_path: Path, on_full: str, ends: str
) -> None:
    path = tmp_path / "alice.session"
    SessionFile(path).write(content())
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), on_full], capture_output=True, text=True, check=False
    )
    assert SessionFile(path).read() == content()
    if ends == "crash":
        assert done.returncode < 0, "the process was to be killed in the middle of the write"
    else:
        assert f"{path} cannot be written" in done.stdout
        assert [entry.name for entry in tmp_path.iterdir()] == ["alice.session"]


# Files that cannot be used


def one_line(error: SessionFileError) -> str:
    text = str(error)
    assert "\n" not in text
    assert error.remedy
    assert KEY.hex()[:16] not in text
    return text


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(SessionFileError, match="it is not there") as caught:
        SessionFile(tmp_path / "none.session").read()
    assert one_line(caught.value)
    with pytest.raises(SessionFileError, match="it is a folder") as caught:
        SessionFile(tmp_path).read()
    assert one_line(caught.value)


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("not a folder")
    with pytest.raises(SessionFileError, match="TELEGRAM_SESSIONS"):
        SessionFile(tmp_path / "sessions" / "a.session").write(content())
    (tmp_path / "a.session").mkdir()
    with pytest.raises(SessionFileError, match="cannot be written"):
        SessionFile(tmp_path / "a.session").write(content())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.session", "sessions"]


def test_a_folder_without_the_right_to_write_says_so(someone_elses_folder: Path) -> None:
    with pytest.raises(SessionFileError, match="Permission denied"):
        SessionFile(someone_elses_folder / "a.session").write(content())


@pytest.fixture
def someone_elses_folder() -> Iterator[Path]:
    """A folder that may not be written; root, to whom nothing is forbidden, becomes nobody for a while."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    folder.rmdir()


def test_a_wrong_passphrase_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "alice.session"
    SessionFile(path, PASSPHRASE).write(content())
    with pytest.raises(SessionFileError, match="does not open with this passphrase") as caught:
        SessionFile(path, WRONG).read()
    assert WRONG.get_secret_value() not in one_line(caught.value)


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (b"", "is not a session file"),
        (b"SQLite format 3\x00", "is not a session file"),
        (b"miniapp-session 2 plain\n{}", "is of a newer version"),
        (b"miniapp-session 1 encrypted\nshort", "was damaged or cut off"),
    ],
)
def test_other_files_are_told_apart(blob: bytes, why: str) -> None:
    with pytest.raises(SessionFileError, match=why):
        SessionFile(Path("a.session"), PASSPHRASE).parse(blob)


@pytest.mark.parametrize(
    "changes",
    [
        {"auth_key": "00"},
        {"dc": "2"},
        {"server": "staging"},
        {"entities": [(1, 2, "alice")]},
        {"updates": {0: (1, 2, 3)}},
        {"surplus": 1},
    ],
)
def test_content_that_does_not_fit_is_refused_without_being_shown(changes: dict[str, Any]) -> None:
    payload = json.dumps({**content().model_dump(mode="json"), **changes}).encode()
    blob = b"miniapp-session 1 plain " + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload
    with pytest.raises(SessionFileError, match="something else than a session") as caught:
        SessionFile(Path("a.session")).parse(blob)
    assert one_line(caught.value)
    assert caught.value.__context__ is None


damage = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, 10_000), st.just(0)),
    st.tuples(st.just("flip"), st.integers(0, 10_000), st.integers(1, 255)),
    st.tuples(st.just("add"), st.integers(0, 10_000), st.integers(0, 255)),
)


def damaged(blob: bytes, kind: str, where: int, byte: int) -> bytes:
    where %= len(blob)
    match kind:
        case "cut":
            return blob[:where]
        case "flip":
            return blob[:where] + bytes([blob[where] ^ byte]) + blob[where + 1 :]
    return blob[:where] + bytes([byte]) + blob[where:]


PLAIN_BLOB = SessionFile(Path("a.session")).sealed(content())
ENCRYPTED_BLOB = SessionFile(Path("a.session"), PASSPHRASE).sealed(content())


@given(how=damage)
def test_every_damage_of_a_plain_file_is_noticed(how: tuple[str, int, int]) -> None:
    blob = damaged(PLAIN_BLOB, *how)
    with pytest.raises(SessionFileError) as caught:
        SessionFile(Path("a.session")).parse(blob)
    assert one_line(caught.value)


@settings(max_examples=settings().max_examples // 3, deadline=None)  # scrypt takes its time
@given(how=damage)
def test_every_damage_of_an_encrypted_file_is_noticed(how: tuple[str, int, int]) -> None:
    blob = damaged(ENCRYPTED_BLOB, *how)
    with pytest.raises(SessionFileError) as caught:
        SessionFile(Path("a.session"), PASSPHRASE).parse(blob)
    assert one_line(caught.value)


@given(blob=st.binary(max_size=200) | st.binary(max_size=50).map(lambda tail: PLAIN_BLOB[:40] + tail))
def test_any_other_bytes_are_refused(blob: bytes) -> None:
    with pytest.raises(SessionFileError):
        SessionFile(Path("a.session")).parse(blob)


# The session that Telethon uses


def signed_in(path: Path | None = None, passphrase: Passphrase = None) -> AccountSession:
    session = AccountSession(SERVER)
    session.auth_key = AuthKey(KEY)
    if path is not None:
        session.keep_in(SessionFile(path, passphrase))
    return session


def user(id: int, access_hash: int, **fields: Any) -> Any:
    return types.User(id=id, access_hash=access_hash, first_name="Somebody", **fields)


def met(session: AccountSession, *users: Any, chats: tuple[Any, ...] = ()) -> None:
    session.process_entities(types.contacts.ResolvedPeer(None, list(chats), list(users)))


def test_peers_and_states_are_there_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "alice.session"
    session = signed_in(path, PASSPHRASE)
    channel = types.Channel(
        id=7, title="Shop", photo=types.ChatPhotoEmpty(), date=None, access_hash=77, username="ShopNews"
    )
    met(session, user(1, 11, username="Alice", phone="9996620001"), chats=(channel,))
    met(session, types.InputPeerUser(0, 1))
    state = types.updates.State(5, 6, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 8, 0)
    session.set_update_state(0, state)
    session.set_update_state(7, types.updates.State(9, 0, datetime.now(UTC), 0, 0))
    session.caches["flows"] = {"hash": 1}
    session.save()

    again = AccountSession.load(SERVER, SessionFile(path, PASSPHRASE))
    assert again.auth_key.key == KEY
    assert (again.dc_id, again.server_address, again.port) == (2, SERVER.host, 443)
    assert again.user_id == 1
    assert again.phone == "9996620001"
    for name in ("alice", "@ALICE", "t.me/alice", "+9996620001", 1):
        assert again.get_input_entity(name) == types.InputPeerUser(1, 11)
    for name in ("shopnews", types.PeerChannel(7), -1000000000007):
        assert again.get_input_entity(name) == types.InputPeerChannel(7, 77)
    assert again.get_update_state(0).to_dict() == state.to_dict()
    assert {peer: state.pts for peer, state in again.get_update_states()} == {0: 5, 7: 9}
    assert again.caches == {"flows": {"hash": 1}}


def test_access_hashes_of_min_peers_are_not_kept() -> None:
    session = signed_in()
    met(session, user(1, 11, username="alice"))
    met(session, user(1, 999, username="alice", min=True), user(2, 22, username="bob", min=True))
    assert session.get_input_entity("alice") == types.InputPeerUser(1, 11)
    with pytest.raises(ValueError, match="Could not find"):
        session.get_input_entity("bob")


def test_a_user_name_follows_its_owner() -> None:
    session = signed_in()
    met(session, user(1, 11, username="shop"))
    met(session, user(1, 11, username="old_shop"), user(2, 22, username="shop"))
    assert session.get_input_entity("shop") == types.InputPeerUser(2, 22)
    met(session, user(2, 22))
    with pytest.raises(ValueError, match="Could not find"):
        session.get_input_entity("shop")


def test_collectible_user_names_are_known_too() -> None:
    session = signed_in()
    names = [types.Username("First", active=True), types.Username("parked", active=False)]
    met(session, user(1, 11, usernames=names))
    assert session.get_input_entity("first") == types.InputPeerUser(1, 11)
    with pytest.raises(ValueError, match="Could not find"):
        session.get_input_entity("parked")


def test_nobody_is_found_by_a_display_name() -> None:
    session = signed_in()
    session.process_entities([types.User(id=1, access_hash=11, first_name="shop_bot")])
    with pytest.raises(ValueError, match="Could not find"):
        session.get_input_entity("shop_bot")


def test_a_session_is_written_only_when_something_changed(tmp_path: Path) -> None:
    path = tmp_path / "alice.session"
    session = signed_in(path)
    written = path.stat().st_ino
    met(session, user(1, 11))
    session.save()
    changed = path.stat().st_ino
    assert changed != written
    met(session, user(1, 11))
    session.save()
    session.close()
    assert path.stat().st_ino == changed
    session.caches["flows"] = {"deep": [1]}
    session.save()
    session.caches["flows"]["deep"].append(2)
    session.close()
    assert SessionFile(path).read().caches == {"flows": {"deep": [1, 2]}}


def test_moving_to_another_data_centre_never_leaves_a_file_without_a_key(tmp_path: Path) -> None:
    session = signed_in(tmp_path / "alice.session")
    session.auth_key = None
    session.set_dc(1, "149.154.175.53", 443)
    session.save()
    assert SessionFile(tmp_path / "alice.session").read().dc == 2


def test_zeros_do_not_erase_the_update_state() -> None:
    session = signed_in()
    session.set_update_state(0, types.updates.State(5, 0, None, 1, 0))
    session.set_update_state(0, types.updates.State(0, 0, None, 0, 0))
    assert session.get_update_state(0).pts == 5


def test_a_session_of_another_server_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alice.session"
    SessionFile(path).write(content(server="production"))
    with pytest.raises(SessionFileError, match="belongs to the server production, not to test"):
        AccountSession.load(SERVER, SessionFile(path))


@pytest.mark.parametrize(
    ("server", "host", "fits"),
    [
        ("test", "149.154.167.40", True),
        ("production", "91.105.192.100", True),
        ("production", "2001:67c:4e8:f002::a", True),
        ("production", "192.0.2.1", False),
        ("production", "127.0.0.1", False),
        ("test", "149.154.176.1", False),
        ("test", "evil.example", False),
        ("sandbox", "127.0.0.1", True),
        ("sandbox", "::1", True),
        ("sandbox", "149.154.167.40", False),
        ("sandbox", "localhost", False),
    ],
)
def test_a_session_that_leads_elsewhere_is_refused(
    tmp_path: Path, server: ServerName, host: str, fits: bool
) -> None:
    file = SessionFile(tmp_path / "alice.session")
    here = replace(SERVER, name=server)
    file.write(content(server=server, host=host, fingerprint=here.fingerprint))
    if fits:
        assert AccountSession.load(here, file).server_address == host
        return
    with pytest.raises(SessionFileError, match=f"leads to '{host}', no address of the server {server}"):
        AccountSession.load(here, file)


def test_telethon_can_clone_a_session() -> None:
    assert isinstance(signed_in().clone(), AccountSession)
