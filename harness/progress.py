"""Progress of a session. Dots alone say nothing for minutes."""

import threading
import time
from collections import Counter

import pytest

EVERY = 10  # seconds


class Progress:
    """Prints every few seconds how many tests ended and which are running, and failures at once."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal
        self._instead_of_dots = terminal.config.getoption("numprocesses", None)
        self._began = time.monotonic()
        self._running: dict[str, float] = {}
        self._ended: Counter[str] = Counter()
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._tell, daemon=True)

    @pytest.hookimpl(tryfirst=True)  # xdist's own hook returns only when all tests have run
    def pytest_runtestloop(self) -> None:
        self._teller.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running[nodeid] = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._say(f"FAILED {report.nodeid}: its output comes at the end")
        if report.when == "call" or report.skipped or report.failed:
            self._ended[report.outcome] += 1

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Omit the dot of a passed test under xdist, where these lines replace them."""
        return ("passed", "", "PASSED") if self._instead_of_dots and report.when == "call" and report.passed else None

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._running.pop(nodeid, None)

    def pytest_sessionfinish(self) -> None:
        self._over.set()

    def _tell(self) -> None:
        while not self._over.wait(EVERY):
            now = time.monotonic()
            ended = ", ".join(f"{number} {outcome}" for outcome, number in sorted(self._ended.items()))
            session = self._terminal._session
            self._say(
                f"{minutes(now - self._began)}  {ended or 'none ended'} of {session.testscollected if session else 0}"
            )
            for test, began in list(self._running.items()):
                if now - began > 1:
                    self._say(f"      {minutes(now - began)} in {test.removeprefix('tests/')}")

    def _say(self, line: str) -> None:
        self._terminal.ensure_newline()
        self._terminal.write_line(line)
        self._terminal.flush()  # a CI's log is a pipe


def minutes(seconds: float) -> str:
    return f"{int(seconds) // 60:2}:{int(seconds) % 60:02}"
