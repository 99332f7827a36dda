"""Our reading of links against TDLib's own, on thousands of generated links, offline.

TDLib answers `getInternalLinkType` before anybody signs in. It is told that there is no
network before it starts, so it never tries to reach a server.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

import pytest
import tdjson

from flows.links import (
    AttachLink,
    ChatType,
    DirectLink,
    GameLink,
    InviteLink,
    InvoiceLink,
    Link,
    MainAppLink,
    MessageLink,
    NotALink,
    OAuthLink,
    OtherLink,
    PhoneLink,
    UnknownTgLink,
    UsernameLink,
    build,
    parse,
)
from flows.open_mode import OpenMode
from tests.link_grammar import links

SEED = 20260721
FEW, MANY = 4_000, 20_000
SCHEMES: tuple[Literal["https"], Literal["tg"]] = ("https", "tg")
DIFFERENCES = Path(__file__).parent / "data" / "tdlib_link_differences.txt"

Answer = dict[str, Any]

# TDLib's kinds that are an OtherLink here, with the words by which a link may say so.
OTHER_KINDS = {
    "AuthenticationCode": {"login"},
    "Background": {"bg"},
    "BusinessChat": {"m", "message"},
    "CallsPage": {"settings"},
    "ChatAffiliateProgram": {"ref"},
    "ChatBoost": {"boost"},
    "ChatFolderInvite": {"addlist"},
    "ChatSelection": {"chats"},
    "ContactsPage": {"contacts"},
    "DirectMessagesChat": {"direct"},
    "GiftAuction": {"auction", "stargift_auction"},
    "GiftCollection": {"collection"},
    "GroupCall": {"call"},
    "InstantView": {"iv"},
    "LanguagePack": {"setlanguage"},
    "LiveStory": {"story"},
    "MessageDraft": {"share", "msg", "msg_url"},
    "MyProfilePage": {"settings"},
    "NewChannelChat": {"new"},
    "NewGroupChat": {"new"},
    "NewPrivateChat": {"new"},
    "NewStory": {"post"},
    "PassportDataRequest": {"passport"},
    "PhoneNumberConfirmation": {"confirmphone"},
    "PremiumFeaturesPage": {"premium_offer"},
    "PremiumGiftCode": {"giftcode"},
    "PremiumGiftPurchase": {"premium_multigift"},
    "Proxy": {"proxy", "socks"},
    "QrCodeAuthentication": {"login"},
    "RequestManagedBot": {"newbot"},
    "RestorePurchases": {"restore_purchases"},
    "SavedMessages": {"settings"},
    "Search": {"chats"},
    "Settings": {"settings", "chats", "stars", "ton", "grams"},
    "StarPurchase": {"stars_topup"},
    "StickerSet": {"addstickers", "addemoji"},
    "Story": {"story"},
    "StoryAlbum": {"album"},
    "TextCompositionStyle": {"addstyle"},
    "Theme": {"addtheme"},
    "UpgradedGift": {"nft"},
    "UserToken": {"contact"},
    "VideoChat": {"videochat"},
}

RIGHTS = {
    "can_manage_chat": "manage_chat",
    "can_change_info": "change_info",
    "can_post_messages": "post_messages",
    "can_edit_messages": "edit_messages",
    "can_delete_messages": "delete_messages",
    "can_invite_users": "invite_users",
    "can_restrict_members": "restrict_members",
    "can_pin_messages": "pin_messages",
    "can_manage_topics": "manage_topics",
    "can_promote_members": "promote_members",
    "can_manage_video_chats": "manage_video_chats",
    "can_post_stories": "post_stories",
    "can_edit_stories": "edit_stories",
    "can_delete_stories": "delete_stories",
    "can_manage_direct_messages": "manage_direct_messages",
    "can_manage_tags": "manage_tags",
    "is_anonymous": "anonymous",
}


class TDLib:
    """One TDLib client that is never signed in and has no network."""

    def __init__(self, folder: Path) -> None:
        tdjson.td_execute(_json({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}))
        self._client = tdjson.td_create_client_id()
        self._send({"@type": "setNetworkType", "type": {"@type": "networkTypeNone"}})
        names = ("system_language_code", "device_model", "system_version", "application_version")
        self._send(
            {
                "@type": "setTdlibParameters",
                "use_test_dc": True,
                "database_directory": str(folder),
                "api_id": 1,
                "api_hash": "0",
                **dict.fromkeys(names, "en"),
            }
        )

    def kinds(self, texts: list[str]) -> list[Answer]:
        """What each text is, in the same order; an error is an answer too."""
        for number, text in enumerate(texts):
            self._send({"@type": "getInternalLinkType", "link": text, "@extra": number})
        answers: dict[int, Answer] = {}
        while len(answers) < len(texts):
            answer = self._receive()
            if "@extra" in answer:
                answers[answer["@extra"]] = answer
        return [answers[number] for number in range(len(texts))]

    def close(self) -> None:
        self._send({"@type": "close"})
        closed = {"@type": "authorizationStateClosed"}
        while self._receive().get("authorization_state") != closed:
            pass

    def _send(self, request: Answer) -> None:
        tdjson.td_send(self._client, _json(request))

    def _receive(self) -> Answer:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if data := tdjson.td_receive(1.0):
                answer: Answer = json.loads(data.decode("utf-8", "surrogateescape"))
                return answer
        raise TimeoutError("TDLib does not answer")


def _json(value: Answer) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


@contextmanager
def running(folder: Path) -> Iterator[TDLib]:
    tdlib = TDLib(folder)
    try:
        yield tdlib
    finally:
        tdlib.close()


# TDLib's answer in our words.


def kind_of(answer: Answer) -> str:
    return str(answer["@type"]).removeprefix("internalLinkType")


def in_our_words(answer: Answer) -> Link | str:
    """The value that `parse` should give; "NotALink" for an error, the kind when it is other."""
    kind = kind_of(answer)
    match kind:
        case "error":
            return "NotALink"
        case "WebApp":
            name, app = answer["bot_username"], answer["web_app_short_name"]
            return DirectLink(name, app, answer["start_parameter"] or None, _mode(answer))
        case "MainWebApp":
            param = answer["start_parameter"] or None
            return MainAppLink(answer["bot_username"], param, _mode(answer))
        case "AttachmentMenuBot":
            return _attach(answer)
        case "BotStart":
            return UsernameLink(answer["bot_username"], start=answer["start_parameter"])
        case "BotStartInGroup":
            name, param = answer["bot_username"], answer["start_parameter"]
            return UsernameLink(name, startgroup=param, admin=_rights(answer))
        case "BotAddToChannel":
            return UsernameLink(answer["bot_username"], startchannel=True, admin=_rights(answer))
        case "PublicChat":
            return UsernameLink(answer["chat_username"])
        case "UserPhoneNumber":
            return PhoneLink(answer["phone_number"])
        case "ChatInvite":
            return InviteLink(_arguments(answer["invite_link"])["invite"])
        case "Invoice":
            return InvoiceLink(answer["invoice_name"])
        case "Game":
            return GameLink(answer["bot_username"], answer["game_short_name"])
        case "Oauth":
            given = _arguments(answer["url"])
            return OAuthLink(given.get("token") or given["startapp"])
        case "Message":
            return _message(answer["url"])
        case "UnknownDeepLink":
            return UnknownTgLink(unquote(re.split("[/?]", answer["link"][len("tg://") :])[0]))
    return kind


def _mode(answer: Answer) -> OpenMode:
    return OpenMode(answer["mode"]["@type"].removeprefix("webAppOpenMode").lower())


def _attach(answer: Answer) -> AttachLink:
    target = answer["target_chat"]
    link, types = target.get("link", {}), target.get("types", {})
    kinds: tuple[ChatType, ...] = ("users", "bots", "groups", "channels")
    return AttachLink(
        answer["bot_username"],
        answer["url"].removeprefix("start://") or None,
        link.get("chat_username") or link.get("phone_number"),
        frozenset(kind for kind in kinds if types.get(f"allow_{kind[:-1]}_chats")),
    )


def _rights(answer: Answer) -> frozenset[str]:
    rights = answer.get("administrator_rights") or {}
    return frozenset(ours for theirs, ours in RIGHTS.items() if rights.get(theirs))


def _arguments(url: str) -> dict[str, str]:
    parsed = parse_qs(url.partition("?")[2], keep_blank_values=True, errors="surrogateescape")
    return {name: values[0] for name, values in parsed.items()}


def _message(url: str) -> Link | str:
    given = _arguments(url)
    numbers = [given.get(name) or "0" for name in ("post", "thread", "comment")]
    chat: str | int = given["domain"] if "domain" in given else given["channel"]
    if isinstance(chat, str) and "channel" in given and chat.isascii() and chat.isdigit():
        chat = int(chat)
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return "Message"
    post, thread, comment = map(int, numbers)
    return MessageLink(chat, post, thread or None, comment or None)


def agree(ours: Link | str, theirs: Link | str) -> bool:
    if isinstance(ours, OtherLink) and isinstance(theirs, str):
        return ours.word in OTHER_KINDS.get(theirs, set())
    if isinstance(ours, UsernameLink) and ours.admin:  # TDLib adds the plain right to any other
        admin = ours.admin | {"manage_chat"}
        ours = UsernameLink(ours.username, ours.start, ours.startgroup, ours.startchannel, admin)
    return ours == theirs


def read(text: str) -> Link | str:
    try:
        return parse(text)
    except NotALink:
        return "NotALink"


def spellings(link: Link) -> Iterator[str]:
    for scheme in SCHEMES:
        with suppress(ValueError):
            yield build(link, scheme)


def name_of(reading: Link | str) -> str:
    return reading if isinstance(reading, str) else type(reading).__name__


# The known differences.


@dataclass(frozen=True, slots=True)
class Difference:
    """One row: our kind, TDLib's kinds, what both answers look like, and why."""

    ours: str
    theirs: frozenset[str]
    looks: re.Pattern[str]
    reason: str

    def covers(self, ours: Link | str, answer: Answer) -> bool:
        kind = kind_of(answer)
        seen = f"{ours} / {kind} {answer.get('url', '')}"
        same = name_of(ours) == self.ours and kind in self.theirs
        return same and self.looks.search(seen) is not None


def known_differences() -> list[Difference]:
    rows = DIFFERENCES.read_text().splitlines()
    fields = [re.split(r"\s+\|\s+", row) for row in rows if row and not row.startswith("#")]
    return [
        Difference(ours, frozenset(theirs.split()), re.compile(looks), reason)
        for ours, theirs, looks, reason in fields
    ]


# The tests.

MODELLED = (
    *("WebApp", "MainWebApp", "AttachmentMenuBot", "BotStart", "BotStartInGroup"),
    *("BotAddToChannel", "PublicChat", "UserPhoneNumber", "ChatInvite", "Invoice", "Game"),
    *("Oauth", "Message", "UnknownDeepLink", "error"),
)


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_every_generated_link_reads_as_tdlib_reads_it(tmp_path: Path, count: int) -> None:
    """Nothing differs but what the list of differences says; of many links, all of that does differ."""
    texts = list(links(SEED, count))
    with running(tmp_path) as tdlib:
        answers = tdlib.kinds(texts)

    known = known_differences()
    unlisted, occurring = [], set()
    for text, answer in zip(texts, answers, strict=True):
        ours, theirs = read(text), in_our_words(answer)
        if agree(ours, theirs):
            continue
        rows = {row for row in known if row.covers(ours, answer)}
        occurring |= rows
        if not rows:
            unlisted.append((text, ours, theirs))

    assert unlisted[:5] == []
    if count == MANY:
        assert [row.reason for row in known if row not in occurring] == []
    counted = Counter(map(kind_of, answers))
    assert [kind for kind in MODELLED if counted[kind] < count / 1_000] == []  # the grammar covers them all
    assert set(counted) <= {*MODELLED, *OTHER_KINDS}


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_what_we_build_tdlib_reads_the_same(tmp_path: Path, count: int) -> None:
    """Each buildable value among the generated links, spelled by us, read by TDLib."""
    built = []
    for value in dict.fromkeys(map(read, links(SEED + 1, count))):
        if not isinstance(value, str):
            built += [(value, text) for text in spellings(value)]
    with running(tmp_path) as tdlib:
        answers = tdlib.kinds([text for _, text in built])

    assert len(built) > count / 20
    wrong = [
        (value, text, answer)
        for (value, text), answer in zip(built, answers, strict=True)
        if not agree(value, in_our_words(answer))
    ]
    assert wrong[:5] == []
