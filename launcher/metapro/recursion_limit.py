"""Takes back what importing eth-account does to the process.

A package below it (py_ecc) raises Python's limit of recursion to 100,000. Under such a limit, JSON that a
page nests deep enough does not fail any more: it ends the process. So this is imported before whatever
imports eth-account, and the limit is again what it was; if somebody has imported it before, Python's own.
"""

import importlib
import sys

_before = 1000 if "py_ecc" in sys.modules else sys.getrecursionlimit()
importlib.import_module("eth_account")
sys.setrecursionlimit(_before)
