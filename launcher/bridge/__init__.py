"""The event bridge between a page and its client, as rules without input or output.

`outgoing.py` and `incoming.py` are the events and the only list of them; `catalogue.py` reads one from
the wire and makes the tables.
"""
