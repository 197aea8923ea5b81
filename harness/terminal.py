"""A shell in a terminal of 80 columns and 24 lines, to type into."""

import os
import re
from pathlib import Path

import pexpect

from .baked import UV
from .choices import questions

COLUMNS, ROWS = 80, 24
PROMPT = "$ "
TIMEOUT = 300  # seconds: `make run` installs what it needs
NOT_A_PERSONS = {"VIRTUAL_ENV", "NO_COLOR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # variables of `make` and uv


class Shell:
    """Bash, which shows in `printed` what a person saw."""

    def __init__(self, folder: Path, **variables: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_A_PERSONS}
        path = f"{Path(UV).parent}:{inherited['PATH']}"
        self._child = pexpect.spawn(
            "bash",
            ["--noprofile", "--norc"],
            cwd=folder,
            env={**inherited, "PATH": path, "PS1": PROMPT, "TERM": "xterm-256color", **variables},
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

    def take_the_defaults(self) -> None:
        """Press Enter at each of cookiecutter's questions."""
        for number, _ in enumerate(questions(), 1):
            self.expect(rf"\[{number}/{len(questions())}\]")
            self.expect(r"\)\S*: ")
            self.type("")
        self.wait_for_prompt()

    def close(self) -> None:
        """Stop what runs with ^C, and leave the shell."""
        self._child.sendintr()
        self._child.expect(re.escape(PROMPT))
        self._child.sendline("exit")
        self._child.expect(pexpect.EOF)
        self._child.close()
