"""A shell in a terminal of 80 columns and 24 lines, to type into."""

import os
import re
from pathlib import Path

import pexpect

from .baked import PATH
from .choices import questions

COLUMNS, ROWS = 80, 24
PROMPT = "$ "
TIMEOUT = 300  # seconds: `make run` installs what it needs
NOT_A_PERSONS = {"VIRTUAL_ENV", "NO_COLOR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # variables of `make` and uv


class Shell:
    """Bash, which shows in `printed` what a person saw."""

    def __init__(self, folder: Path, **variables: str) -> None:
        environment = {**os.environ, "PATH": PATH, "PS1": PROMPT, "TERM": "xterm-256color", **variables}
        self._child = pexpect.spawn(
            "bash",
            ["--noprofile", "--norc"],
            cwd=folder,
            env={name: value for name, value in environment.items() if name not in NOT_A_PERSONS},
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
            timeout=TIMEOUT,
        )
        self.printed = ""
        self.wait_for_prompt()

    def expect(self, pattern: str) -> None:
        """Wait until the terminal shows this."""
        self._child.expect(pattern)
        self.printed += f"{self._child.before}{self._child.after}"

    def wait_for_prompt(self) -> None:
        self.expect(re.escape(PROMPT))

    def type(self, line: str) -> None:
        self._child.sendline(line)

    def run(self, line: str) -> None:
        """Type a command, which has to succeed, and wait for its end."""
        self.type(line)
        self.wait_for_prompt()
        self.type('echo "exit $?"')
        self.expect(r"exit (\d+)\r\n")
        assert self.printed.endswith("exit 0\r\n"), self.printed
        self.wait_for_prompt()

    def take_the_defaults(self) -> None:
        """Press Enter at each of cookiecutter's questions, and wait for the end."""
        self.answer_with_the_defaults()
        self.wait_for_prompt()

    def answer_with_the_defaults(self) -> None:
        for number, _ in enumerate(questions(), 1):
            self.expect(rf"\[{number}/{len(questions())}\]")
            self.expect(r"\)\S*: ")
            self.type("")

    def stop(self) -> None:
        """Stop what runs with ^C. Where nothing runs, a ^C that meets the prompt takes it away."""
        self._child.sendintr()
        self.wait_for_prompt()

    def close(self) -> None:
        """Leave the shell, in which nothing runs."""
        self._child.sendline("exit")
        self._child.expect(pexpect.EOF)
        self._child.close()
