"""Processes that a measurement needs beside it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.ports import free_port


@contextmanager
def stub(latency_ms: float = 0, *options: str) -> Iterator[str]:
    """The stub's address. `options`: of its command line."""
    port = free_port()
    with running("bench.stub", str(port), str(latency_ms), *options):
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/count")
        yield url


@contextmanager
def running(module: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module as a process, ended with the block."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=os.environ | environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def ask(url: str, method: str = "GET") -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
        return json.load(answer)
