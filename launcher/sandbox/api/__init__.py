"""The API: one module of handlers for each subject. Importing this package registers them all.

What is out of scope stays out: files, calls, secret chats, stickers, search. A handler is added when a flow,
a bot or a test needs it.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
