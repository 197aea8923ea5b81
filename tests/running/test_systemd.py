"""The documentation's unit for systemd."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.baked import Bake, Project
from harness.facts import facts


@pytest.mark.systemd
@pytest.mark.parametrize(("slug", "port"), [("name_service", "8888"), ("s" * 40, "443")])
def test_unit_has_no_mistake(bake: Bake, slug: str, port: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze is not None, "systemd-analyze is not installed: on Debian, apt-get install systemd"
    project = bake(project_slug=slug, port=port)
    [unit] = project.blocks("[Service]")
    program = tmp_path / ".venv" / "bin" / slug
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    file = tmp_path / f"{slug}@.service"
    assert unit.startswith(f"# /etc/systemd/system/{file.name}\n")
    file.write_text(unit.replace(f"/opt/{slug}", str(tmp_path)))
    # With an instance's name; `no`: nothing that other units of this machine have is asked.
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", tmp_path / f"{slug}@1.service"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("port", "capability"), [("1024", ""), ("443", "CAP_NET_BIND_SERVICE")])
def test_unit_may_listen_on_its_port(bake: Bake, port: str, capability: str) -> None:
    unit = unit_of(bake(port=port))
    assert unit.get("AmbientCapabilities", "") == capability
    assert unit["CapabilityBoundingSet"] == capability


def test_unit_restarts_without_a_lost_request(bake: Bake) -> None:
    """Clients on kept connections are told to close them, and there is time for all that a shutdown may take."""
    project = bake()
    unit = unit_of(project)
    name, _, seconds = unit["Environment"].partition("=")
    assert name == "SHUTDOWN_DELAY"
    assert float(seconds) > 0
    assert float(unit["TimeoutStopSec"]) >= facts(project).longest_shutdown({name: seconds})
    assert unit["Restart"] == "always"  # also after SIGHUP, which ends it with 0


def unit_of(project: Project) -> dict[str, str]:
    [unit] = project.blocks("[Service]")
    return dict(line.split("=", 1) for line in unit.splitlines() if re.match("[A-Z]", line))
