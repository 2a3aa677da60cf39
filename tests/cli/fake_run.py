"""A supervisor of small processes, run as a program: fake_run.py <home> <what each child runs> …"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from pregon.cli import leftovers, processes, run
from pregon.cli.processes import Child, Crew


async def start(crew: Crew, programs: list[str]) -> None:
    for number, program in enumerate(programs):
        await crew.start(Child(f"child{number}", (sys.executable, "-u", "-c", program), says="ready"))
    run.log("pregon", "all ready")


def main(home: Path, programs: list[str]) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    leftovers.end(home / "run.json")
    crew = Crew(os.environ, leftovers.Roll(home / "run.json"), run.log, patience=1)
    try:
        asyncio.run(run.until_stopped(crew, start(crew, programs)))
    except KeyboardInterrupt:
        run.log("pregon", "stopped")
    except processes.Failed as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
