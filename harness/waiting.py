"""Polls until a condition holds, or fails after a timeout."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.05  # seconds


def wait_until(ask: Callable[[], T], holds: Callable[[T], object], timeout: float) -> None:
    """Ask until the answer holds. Raises AssertionError with the last answer after `timeout` seconds."""
    give_up = time.monotonic() + timeout
    while not holds(answer := ask()):
        assert time.monotonic() < give_up, answer
        time.sleep(PAUSE)
