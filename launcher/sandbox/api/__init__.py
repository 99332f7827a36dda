"""The API: one module of handlers for each TL namespace. Importing this package registers them all.

What is out of scope stays out: files, calls, secret chats, stickers, search, history of channels. A handler
is added when a flow, a bot or a test needs it.
"""

from launcher.sandbox.api import account as account
from launcher.sandbox.api import auth as auth
from launcher.sandbox.api import contacts as contacts
from launcher.sandbox.api import help as help
from launcher.sandbox.api import updates as updates
from launcher.sandbox.api import users as users

__all__ = ["account", "auth", "contacts", "help", "updates", "users"]
