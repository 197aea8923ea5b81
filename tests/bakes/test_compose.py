"""Docker Compose reads `compose.yaml` as it is meant."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.baked import Bake, Project
from harness.checking import BIN
from harness.choices import NAMES
from harness.dockerfile import final_stage
from harness.facts import facts, refused_commands

WORKLOADS = ("migrate", "seed", "service")


@pytest.fixture(scope="module", params=[{}, NAMES["longest names"]], ids=["default names", "longest names"])
def composed(bake: Bake, request: pytest.FixtureRequest) -> Project:
    return bake(deploy="compose", **request.param)


def resolved(project: Project, **settings: str) -> dict[str, Any]:
    """Return the file as Docker Compose reads it, with these lines in .env."""
    (project.path / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    done = compose(project)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def compose(project: Project) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "docker-compose", "config", "--format", "json"],
        cwd=project.path,
        env={name: os.environ[name] for name in ("PATH", "HOME")},
        capture_output=True,
        text=True,
    )


def test_compose_has_no_default_password(composed: Project) -> None:
    (composed.path / ".env").unlink(missing_ok=True)
    done = compose(composed)
    assert done.returncode != 0
    assert "POSTGRES_PASSWORD is missing a value: set it in .env" in done.stderr


def test_one_service_builds_and_the_others_run_its_image(composed: Project) -> None:
    services = resolved(composed, POSTGRES_PASSWORD="secret")["services"]
    assert [name for name, service in services.items() if "build" in service] == ["service"]
    assert len({services[name]["image"] for name in WORKLOADS}) == 1
    # Compose would look for the image of the others in a registry, and build an image that is there only if told to.
    policies = {name: services[name]["pull_policy"] for name in WORKLOADS}
    assert policies == {"service": "build", "migrate": "never", "seed": "never"}


def test_compose_starts_in_order_and_waits(composed: Project) -> None:
    services = resolved(composed, POSTGRES_PASSWORD="secret")["services"]
    order = {
        name: {after: condition["condition"] for after, condition in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
    assert order == {
        "database": {},
        "migrate": {"database": "service_healthy"},
        "seed": {"migrate": "service_completed_successfully"},
        "service": {"seed": "service_completed_successfully"},
    }
    assert services["database"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    check = final_stage(composed).command("HEALTHCHECK")[-1]  # the service's own, which is in the image
    assert set(re.findall(r"'(/\w+)'", check)) == {"/healthz"} <= facts(composed).paths
    commands = [*(services[name]["command"] for name in ("migrate", "seed")), final_stage(composed).command("CMD")]
    assert not refused_commands(composed, *map(tuple, commands))


def test_settings_in_env_reach_the_containers(composed: Project) -> None:
    """Except for the settings of the host: its database, where it listens, and what one does on its own."""
    listed = re.findall(r"^([A-Z_]+)=", composed.read(".env.example"), re.MULTILINE)
    of_the_host = dict.fromkeys([*listed, "GREETING"], "7")
    services = resolved(composed, POSTGRES_PASSWORD="secret", **of_the_host)["services"]
    port = final_stage(composed).environment["PORT"]
    for name in WORKLOADS:
        variables = services[name]["environment"]
        assert {name for name, value in variables.items() if value != "7"} - {"POSTGRES_PASSWORD"} == {
            *("DATABASE_HOST", "DATABASE_NAME", "DATABASE_PASSWORD", "DATABASE_PORT", "DATABASE_URL", "DATABASE_USER"),
            *("LISTEN_HOST", "MIGRATE_ON_START", "PORT", "REUSE_PORT", "SEED_ON_START"),
        }
        assert variables["PORT"] == port
        assert variables["DATABASE_NAME"] == services["database"]["environment"]["POSTGRES_DB"]
        assert variables["DATABASE_PASSWORD"] == services["database"]["environment"]["POSTGRES_PASSWORD"] == "secret"
        assert variables.keys() - {"GREETING", "POSTGRES_PASSWORD"} == facts(composed).settings.keys()


def test_compose_publishes_the_port_on_this_machine_alone(composed: Project) -> None:
    port = facts(composed).settings["PORT"]
    for settings, published in (({}, port), ({"PORT": "9000"}, "9000")):
        services = resolved(composed, POSTGRES_PASSWORD="secret", **settings)["services"]
        [mapping] = services["service"]["ports"]
        assert (mapping["host_ip"], mapping["published"]) == ("127.0.0.1", published)
        assert str(mapping["target"]) == final_stage(composed).environment["PORT"]
        assert "ports" not in services["database"]


def test_compose_keeps_the_data_where_postgres_18_has_it(composed: Project) -> None:
    database = resolved(composed, POSTGRES_PASSWORD="secret")["services"]["database"]
    [volume] = database["volumes"]
    assert database["image"] == "postgres:18"
    assert (volume["type"], volume["source"], volume["target"]) == ("volume", "data", "/var/lib/postgresql")


def test_compose_waits_for_the_end_and_watches_what_is_built(composed: Project) -> None:
    service = resolved(composed, POSTGRES_PASSWORD="secret")["services"]["service"]
    assert seconds(service["stop_grace_period"]) >= facts(composed).longest_shutdown({})
    in_the_image = re.findall(r"^!(\S+)$", composed.read(".dockerignore"), re.MULTILINE)
    watched = {Path(rule["path"]).name for rule in service["develop"]["watch"]}
    assert watched == {"src", "uv.lock"} <= set(in_the_image)


def seconds(duration: str) -> float:
    [(number, unit)] = re.findall(r"^(\d+)(s|m0s)$", duration)
    return int(number) * (60 if unit == "m0s" else 1)
