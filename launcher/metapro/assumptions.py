"""What is assumed about Metapro's services, because no documentation states it.

Each has a name, by which a step of the catalogue says that it rests on it. All of them are knobs of
`MetaproSettings` or switches of the stand-in.
"""

from __future__ import annotations

__all__ = ["ASSUMPTIONS"]

ASSUMPTIONS = {
    "unproven-launch": "That Telegram made the init data was not checked: this needs the bot's token or id.",
    "telegram-login": "Address, fields and answer of the Telegram login are known from one public sample.",
    "stable-identity": "That account.userId is the Metapro ID, and stays, is known from samples only.",
    "login-refusals": "Which logins Metapro refuses, and how, is not documented.",
    "referral-code": "That the start parameter is sent as referralCode is known from one public sample.",
    "platform-gate": "Which platforms an app renders on is known from one public sample.",
    "users-me": "GET me is known from one public sample.",
    "walletconnect": "How the app connects by WalletConnect is known from one public sample.",
    "attach-wallet": "new-address, and what its merge does, is known from one public sample.",
    "app-behaviour": "How an app should meet a fault is documented in words only.",
    "bad-key": "The answer to a wrong or missing leaderboard key is not documented.",
    "token-lifetime": "How long a token lives, and what extends it, is not documented.",
    "expired-token": "That an expired token is answered with 401 is known from one public sample.",
}
