"""The documentation's unit for systemd."""

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.baked import Bake


@pytest.mark.systemd
@pytest.mark.parametrize("slug", ["name_service", "s" * 40])
def test_unit_has_no_mistake(bake: Bake, slug: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze is not None, "systemd-analyze is not installed: on Debian, apt-get install systemd"
    project = bake(project_slug=slug)
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
