"""python -m tests.chaos.careless: a worker that forgets how far a dead one may have gone, and so sends all of it again.

The control of the other runs: their verdict must notice it."""

import uvloop

from pregon.cli import environment

FORGET = "SELECT 0, '', 0, false, 0 WHERE %s::bigint[] IS NULL"  # instead of the statement that puts messages in doubt

if __name__ == "__main__":
    with environment.django_ready():
        from pregon.sending import outbox
        from pregon.worker import main

        outbox.DOUBT = FORGET
        uvloop.run(main.run())
