"""The event bridge between a page and its client, as rules without input or output.

`outgoing.py` and `incoming.py` are the events and the only list of them; `catalogue.py` reads one from
the wire and makes the tables. `device.py` is what the phone knows, `platforms.py` how the official
clients differ, `pace.py` their rules on clicks and floods. `answers.py` says what each event does,
`effects.py` what it asks for outside, and `bridge.py` holds it together: a `Bridge` takes the page's
events and gives replies and effects.
"""
