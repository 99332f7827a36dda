"""An assumption model of Metapro's HTTP API, on the loopback, for apps and drivers to be tried against.

    async with Sandbox() as sandbox, MetaproStandIn(sandbox) as metapro:
        metapro.services["users"]  # http://127.0.0.1:port/ms/users-service

Metapro documents which calls there are and what they carry; how its servers decide is mostly not public. So
this is a model: what is documented is as documented, and every open question is a switch (`Switches`) that
may be turned while it runs. That something works against it says nothing about the real service, and it says
so wherever it shows itself: on its page at `/`, in the header `x-assumption-model` of each answer, in the
ready file.

Accounts, tokens, wallets and scores live in memory and are gone at the end. Telegram logins are checked with
the tokens of the sandbox's bots, wallet signatures with eth-account (the extra `metapro`). Out of scope are
the older calls that the documentation marks as replaced, and `POST /v1/collect` of the teams service, of
which nothing but the name is public.
"""

from launcher.sandbox.metapro.stand_in import LoggedRequest, MetaproStandIn
from launcher.sandbox.metapro.switches import Outage, Switches, positions

__all__ = ["LoggedRequest", "MetaproStandIn", "Outage", "Switches", "positions"]
