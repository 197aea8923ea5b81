"""Figures that tests measure, for people to read."""


class Figures:
    """Lines that a test has printed at the end of the session."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties  # of the test's report, which reaches the main process from an xdist worker

    def append(self, line: str) -> None:
        self._properties.append(("figure", line))
