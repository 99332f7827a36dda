"""The users-service: logging in with Telegram or a wallet, attaching a wallet, and who is known."""

from __future__ import annotations

import re
from typing import Any

from launcher.sandbox.metapro.accounts import Account
from launcher.sandbox.metapro.call import Call, Endpoints
from launcher.sandbox.metapro.refusal import Refused
from launcher.sandbox.metapro.signed_message import signed_by
from launcher.sandbox.metapro.telegram_login import telegram_user

__all__ = ["users"]

users = Endpoints()

_SORT_KEYS = {
    "createdAt": lambda account: account.created,
    "visitedAt": lambda account: account.visited,
    "engagementPoints": lambda account: account.points,
}


# Logging in


@users("POST", "/v2/auth/telegram/login/simple")
def telegram_login(call: Call) -> Any:
    metapro = call.metapro
    switches = metapro.switches
    user = telegram_user(call.body, metapro.world, switches, metapro.now())
    _known_project(call, "projectId", "platformId")
    init_data = str(call.body.get("telegramSimpleString"))
    if not metapro.accounts.first_use(init_data) and not switches.init_data_reuse:
        raise Refused(switches.login_refusal, "Telegram data were used before")
    return _logged_in(call, metapro.accounts.log_in_by_telegram(user, call.body.get("referralCode")))


@users("GET", "/auth/signature/hash", "/v2/auth/web3/signature/hash")
def signature_hash(call: Call) -> Any:
    return {"hash": call.metapro.accounts.hash_for(_wallet(call.header("x-account-wallet")))}


@users("GET", "/v2/auth/web3/check/{wallet}")
def web3_check(call: Call) -> Any:
    account = call.metapro.accounts.of_wallet(_wallet(call.path("wallet")))
    return {"hasAccount": account is not None, "hasRulesChecked": _rules_checked(account)}


@users("GET", "/auth/check/wallet/{wallet}")
def old_web3_check(call: Call) -> Any:
    """The samples show their check box when `rulesCheckbox` is true: it is still to be ticked then."""
    account = call.metapro.accounts.of_wallet(_wallet(call.path("wallet")))
    return {
        "hasAccount": account is not None,
        "hasExternalAccount": account is not None and account.telegram is not None,
        "rulesCheckbox": not _rules_checked(account),
    }


@users("POST", "/v2/auth/web3/login")
def web3_login(call: Call) -> Any:
    _known_project(call, "projectId")
    wallet = _proven_wallet(call)
    return _logged_in(call, _log_in_by_wallet(call, wallet))


@users("POST", "/auth/login")
def old_web3_login(call: Call) -> Any:
    wallet = _proven_wallet(call, with_headers=False)
    return _logged_in(call, _log_in_by_wallet(call, wallet))


@users("POST", "/v2/auth/web3/new-address")
def new_address(call: Call) -> Any:
    account = call.owner()
    wallet = _proven_wallet(call)
    merge = call.body.get("merge") is True
    gone = call.metapro.accounts.attach(account, wallet, merge, call.metapro.switches.wallet_elsewhere)
    if gone is not None:
        call.metapro.scores.hand_over(gone, account.user_id)
    return account.as_json()


def _known_project(call: Call, *names: str) -> None:
    ids = {"projectId": "project_id", "platformId": "platform_id"}
    for name in names:
        given = call.field(name)
        if call.metapro.switches.refuse_unknown_project and given != call.metapro.ids[ids[name]]:
            raise Refused(404, f"{name.removesuffix('Id').capitalize()} not found")


def _logged_in(call: Call, account: Account) -> Any:
    token = call.metapro.accounts.issue(account, call.metapro.switches)
    return {"account": account.as_json(), "token": token.as_json()}


def _log_in_by_wallet(call: Call, wallet: str) -> Account:
    rules = call.body.get("rulesChecked") is True
    needed = call.metapro.switches.rules_needed
    return call.metapro.accounts.log_in_by_wallet(wallet, rules, needed, call.body.get("referralCode"))


def _rules_checked(account: Account | None) -> bool:
    return account is not None and account.rules_checked is not None


def _wallet(text: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise Refused(400, "wallet must be an Ethereum address")
    return text


def _proven_wallet(call: Call, *, with_headers: bool = True) -> str:
    """The wallet of the body, once its signature is checked. The text may have it in lower case, as
    documented, or as it is spelt in the body, as Metapro's Unity kit writes it."""
    accounts, switches = call.metapro.accounts, call.metapro.switches
    wallet, signature = _wallet(call.field("wallet")), call.field("signature")
    issued = accounts.issued_hash(wallet, switches.hash_lifetime)
    if with_headers:
        if call.header("x-account-wallet").lower() != wallet.lower():
            raise Refused(400, "x-account-wallet is another wallet than that of the body")
        if call.header("x-account-login-hash") != issued:
            raise Refused(401, "the hash is not valid")
    if issued is None:
        raise Refused(401, "the hash is not valid")
    if not any(signed_by(spelt, issued, signature) for spelt in {wallet.lower(), wallet}):
        raise Refused(401, "the signature is not valid")
    if switches.hash_single_use:
        accounts.use_up_hash(wallet)
    return wallet


# People


@users("GET", "/me")
def me(call: Call) -> Any:
    return call.owner().as_json()


@users("GET", "/profile/{user}")
def profile(call: Call) -> Any:
    wanted, accounts = call.path("user"), call.metapro.accounts
    found = accounts.by_id.get(wanted)
    if found is None and call.metapro.switches.profile_by_wallet:
        found = accounts.of_wallet(wanted)
    if found is None:
        raise Refused(404, "User not found")
    return found.as_json()


@users("GET", "/profiles")
def profiles(call: Call) -> Any:
    ids, roles = call.queries("userIds"), call.queries("roles")
    wallets = {wallet.lower() for wallet in call.queries("wallets")}
    found = [
        account
        for account in call.metapro.accounts
        if (account.user_id in ids or wallets & account.wallets.keys() or not (ids or wallets))
        and (not roles or account.as_json()["role"] in roles)
    ]
    sorting = call.sorting()
    if sorting is not None:
        key, descending = sorting
        if key not in _SORT_KEYS:
            raise Refused(400, f"sort.{key} is not allowed")
        found.sort(key=_SORT_KEYS[key], reverse=descending)
    return call.page([account.as_json() for account in found])


@users("PATCH", "/update")
def update(call: Call) -> Any:
    account = call.owner()
    details, social = call.body.get("personalDetails"), call.body.get("socialMedia")
    if not isinstance(details, dict):
        raise Refused(400, "personalDetails must be an object")
    account.details |= details
    if isinstance(social, list):
        account.social_media = social
    account.updated = call.metapro.now()
    return account.as_json()


@users("GET", "/availability/{name}")
def availability(call: Call) -> Any:
    mine = call.owner()
    wanted = call.path("name").lower()
    taken = (account.details.get("username", "") for account in call.metapro.accounts if account is not mine)
    return {"isAvailable": wanted not in [str(name).lower() for name in taken]}
