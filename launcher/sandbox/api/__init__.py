"""The API: one module of handlers for each TL namespace. Importing this package registers them all.

What is out of scope stays out: files, calls, secret chats, stickers, search, history of channels. A handler
is added when a flow, a bot or a test needs it.
"""

from launcher.sandbox.api import help, temporary_keys

__all__ = ["help", "temporary_keys"]
