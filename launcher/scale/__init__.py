"""The checks of one target file on several machines, over PostgreSQL.

    ┌ worker one ┐        ┌ PostgreSQL ───────────────┐        ┌ worker two ┐
    │ alice, bob │◀─lock──│ leases · queues · results │──lock─▶│ carol, dan │
    └─────┬──────┘        └───────────────────────────┘        └─────┬──────┘
          └──────────────────────── Telegram ────────────────────────┘

An account is used by one worker at a time: whoever holds its lease (`leases`) is connected to Telegram as
that account, puts its due checks into its queue (`tasks`) and works them off (`holding`). What a worker holds
it loses with its connection to PostgreSQL, and the first thing it does then is to disconnect from Telegram.
`worker` shares the accounts out among the workers that are there.
"""

from launcher.extras import from_extras

with from_extras():
    from launcher.scale.database import Database
    from launcher.scale.holding import Pace
    from launcher.scale.leases import Lease, LeaseLost, leased
    from launcher.scale.status import status
    from launcher.scale.worker import Worker

__all__ = ["Database", "Lease", "LeaseLost", "Pace", "Worker", "leased", "status"]
