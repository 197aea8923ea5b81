"""The standard streams: they may be closed, lose their reader, lead to a full disk, or have an old encoding."""

import io
import os
import sys
from typing import Any


class OutputError(Exception):
    """A result can't be written. The message is one line."""


class LossyStream:
    """A text stream that drops what it can't write: a service goes on without the reader of its log.

    `failure` is the last error.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except OSError as error:
            self.failure = error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self.failure = error


def prepare_streams() -> None:
    """Open the streams that are closed, set UTF-8, and let the others never raise.

    The next opened file would get a closed stream's descriptor, and libuv aborts when it is one of its own.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115  # stays open, with the lowest free number
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
            setattr(sys, name, LossyStream(stream))


def print_result(*lines: str) -> None:
    """Print what the command was called for. Raises OutputError, and SystemExit where the reader has left."""
    print(*lines, sep="\n", flush=True)
    failure = getattr(sys.stdout, "failure", None)
    if isinstance(failure, BrokenPipeError):
        sys.exit(1)
    if failure is not None:
        raise OutputError(f"the standard output: {failure.strerror}")
