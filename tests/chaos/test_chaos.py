"""Each trouble in its short form, on real processes: nobody twice, nobody missing, the books agree. `make chaos` runs the long."""

import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from tests.chaos.troubles import TROUBLES


@pytest.fixture(scope="module")
def lines() -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.chaos", "--short"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=settings.BASE_DIR)
    print(done.stdout, done.stderr)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["trouble"]: line for line in found}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("trouble", [name for name, trouble in TROUBLES.items() if trouble.short])
def test_nobody_twice_and_nobody_missing(lines: dict[str, dict[str, Any]], trouble: str) -> None:
    assert lines[trouble]["right"], lines[trouble]
    assert lines[trouble]["blows"] and lines[trouble]["received"]
