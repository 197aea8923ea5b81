"""Schemathesis: sends requests that a service's description allows, and some that it doesn't."""

import re
import sys
from pathlib import Path

from .baked import Project

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"


def keeps_to_its_description(project: Project, address: str, *options: str) -> str:
    """Check that each answer of the project's service is described, and return how many there were."""
    printed = project.run(
        SCHEMATHESIS, "run", f"{address}/openapi.json", "--generation-deterministic", "--no-color", *options
    )
    found = re.search(r"(\d+) generated, \1 passed", printed)
    assert found, printed
    return found[0]
