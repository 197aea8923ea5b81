"""What CI and deployment get is valid by their own validators."""

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Bake

BIN = Path(sys.executable).parent


def validate(*command: str | Path) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_github(bake: Bake) -> None:
    workflow = bake(ci="github").path / ".github" / "workflows" / "ci.yml"
    validate("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
    validate("zizmor", "--offline", "--no-progress", workflow)


def test_gitlab(bake: Bake) -> None:
    validate("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", bake(ci="gitlab").path / ".gitlab-ci.yml")


def test_image(bake: Bake) -> None:
    validate("hadolint", bake(deploy="compose").path / "Dockerfile")


def test_compose(bake: Bake) -> None:
    validate(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", bake(deploy="compose").path / "compose.yaml"
    )


def test_kubernetes(bake: Bake) -> None:
    validate("kubernetes-validate", "--strict", bake(deploy="kubernetes").path / "kubernetes.yaml")


@pytest.mark.parametrize("license_", ["MIT", "Apache-2.0", "BSD-3-Clause", "Proprietary"])
def test_pyproject(bake: Bake, license_: str) -> None:
    validate("validate-pyproject", bake(license=license_).path / "pyproject.toml")
