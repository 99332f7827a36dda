"""Who is known to the stand-in: accounts, their tokens, and the hashes that wallets are to sign.

An account comes into being with the first login of a Telegram user or of a wallet, and keeps its Metapro ID
(`user_id`, a UUID) from then on. Nothing here speaks HTTP; times are those of the clock that was given.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from launcher.sandbox.metapro.refusal import Refused
from launcher.sandbox.metapro.switches import Switches

__all__ = ["Account", "Accounts", "Token"]

_HASH_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"


@dataclass(eq=False, slots=True)
class Account:
    """A Metapro account. `wallets` are addresses in lower case with the time each was attached; `invited_by`
    is the referral code of its first login, `referral_code` the one it has made for others."""

    user_id: str
    number: int
    created: float
    visited: float
    telegram: dict[str, Any] | None = None
    wallets: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    social_media: list[dict[str, str]] = field(default_factory=list)
    invited_by: str | None = None
    referral_code: str | None = None
    rules_checked: float | None = None
    points: int = 0
    updated: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The `User` of the documentation."""
        updated = _time(self.updated or self.created)
        return {
            "id": self.number,
            "userId": self.user_id,
            "role": "USER",
            "addresses": [self._address(wallet, since) for wallet, since in self.wallets.items()],
            "socialMedia": self.social_media,
            "personalDetails": self.details,
            "createdAt": _time(self.created),
            "updatedAt": updated,
            "visitedAt": _time(self.visited),
            "engagementPoints": self.points,
            "externalAccounts": [] if self.telegram is None else [self._telegram()],
            "rulesCheckbox": {
                "checked": self.rules_checked is not None,
                "updatedAt": _time(self.rules_checked or self.created),
            },
        }

    def _address(self, wallet: str, since: float) -> dict[str, Any]:
        when = _time(since)
        return {"wallet": wallet, "userId": self.user_id, "createdAt": when, "updatedAt": when}

    def _telegram(self) -> dict[str, Any]:
        assert self.telegram is not None
        data = {"id": str(self.telegram["id"]), "username": self.telegram.get("username")}
        return {"name": "telegram", "data": {name: value for name, value in data.items() if value}}


@dataclass(eq=False, slots=True)
class Token:
    """An access token: whose, when it was issued, when it was extended last."""

    value: str = field(repr=False)
    account: Account
    issued: float
    used: float

    def is_good(self, switches: Switches, now: float) -> bool:
        ends = self.used + switches.token_lifetime
        if switches.token_maximum is not None:
            ends = min(ends, self.issued + switches.token_maximum)
        return now < ends

    def as_json(self) -> dict[str, str]:
        return {"accessToken": self.value, "tokenType": "Bearer"}


class Accounts:
    """All accounts by Metapro ID, all tokens and all hashes that were issued."""

    def __init__(self, now: Callable[[], float], randomness: random.Random) -> None:
        self.by_id: dict[str, Account] = {}
        self.tokens: dict[str, Token] = {}
        self._hashes: dict[str, tuple[str, float]] = {}
        self._seen: set[str] = set()
        self._now, self._random = now, randomness

    # Finding

    def __iter__(self) -> Iterator[Account]:
        return iter(self.by_id.values())

    def of_telegram(self, telegram_id: int) -> Account | None:
        return next((one for one in self if one.telegram and one.telegram["id"] == telegram_id), None)

    def of_wallet(self, wallet: str) -> Account | None:
        return next((one for one in self if wallet.lower() in one.wallets), None)

    # Logging in

    def create(self, *, invited_by: str | None = None, **known: Any) -> Account:
        """A new account of this moment; `known` are further fields of it."""
        now = self._now()
        user_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        account = Account(user_id, len(self.by_id) + 1, now, now, invited_by=invited_by, **known)
        self.by_id[user_id] = account
        return account

    def log_in_by_telegram(self, user: dict[str, Any], referral_code: str | None) -> Account:
        """The account of this Telegram user, made if there is none; the code counts for a new one only."""
        found = self.of_telegram(user["id"])
        if found is None:
            names = {"username": "username", "firstName": "first_name", "lastName": "last_name"}
            details = {ours: user[theirs] for ours, theirs in names.items() if user.get(theirs)}
            found = self.create(telegram=user, details=details, invited_by=referral_code)
        found.visited = self._now()
        return found

    def log_in_by_wallet(self, wallet: str, rules: bool, needed: bool, referral_code: str | None) -> Account:
        """The account of this wallet, made if there is none. Raises `Refused` while the rules are `needed`
        and not accepted."""
        found = self.of_wallet(wallet)
        if needed and not rules and (found is None or found.rules_checked is None):
            raise Refused(400, "rulesChecked must be true")
        now = self._now()
        if found is None:
            found = self.create(wallets={wallet.lower(): now}, invited_by=referral_code)
        if rules and found.rules_checked is None:
            found.rules_checked = now
        found.visited = now
        return found

    def issue(self, account: Account, switches: Switches) -> Token:
        """A token for the account: a new one, or with the switch `one_token` the one it has."""
        now = self._now()
        if switches.one_token:
            for token in self.tokens.values():
                if token.account is account and token.is_good(switches, now):
                    return token
        token = Token(self._text(20, "abcdefghijklmnopqrstuvwxyz0123456789"), account, now, now)
        self.tokens[token.value] = token
        return token

    def first_use(self, init_data: str) -> bool:
        """Whether these init data were never used before; they are remembered by a digest."""
        digest = hashlib.sha256(init_data.encode()).hexdigest()
        new = digest not in self._seen
        self._seen.add(digest)
        return new

    # Wallets

    def hash_for(self, wallet: str) -> str:
        """A new hash for the wallet to sign; an earlier one no longer counts."""
        made = self._text(50, _HASH_LETTERS)
        self._hashes[wallet.lower()] = made, self._now()
        return made

    def issued_hash(self, wallet: str, lifetime: float | None) -> str | None:
        """The hash that the wallet may sign now."""
        made, since = self._hashes.get(wallet.lower(), ("", 0.0))
        in_time = lifetime is None or self._now() < since + lifetime
        return made if made and in_time else None

    def use_up_hash(self, wallet: str) -> None:
        self._hashes.pop(wallet.lower(), None)

    def attach(self, account: Account, wallet: str, merge: bool, elsewhere: str) -> str | None:
        """Give the account a wallet; `elsewhere` says what happens when another one has it. Gives the id of
        an account that is merged into this one and is no more."""
        other = self.of_wallet(wallet)
        if other is not None and other is not account:
            if not merge or elsewhere == "refuse":
                raise Refused(409, "The wallet belongs to another account")
            if elsewhere == "merge":
                self._merge(account, other)
            else:
                del other.wallets[wallet.lower()]
        now = self._now()
        account.wallets.setdefault(wallet.lower(), now)
        account.updated = now
        return other.user_id if other is not None and other.user_id not in self.by_id else None

    def _merge(self, account: Account, other: Account) -> None:
        """All that the other has becomes the account's; the other is no more, and its tokens are void."""
        account.wallets |= other.wallets
        account.telegram = account.telegram or other.telegram
        account.details = other.details | account.details
        account.points += other.points
        account.rules_checked = account.rules_checked or other.rules_checked
        del self.by_id[other.user_id]
        for value in [value for value, token in self.tokens.items() if token.account is other]:
            del self.tokens[value]

    def new_referral_code(self) -> str:
        return self._text(8, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789")

    def _text(self, length: int, letters: str) -> str:
        return "".join(self._random.choices(letters, k=length))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
