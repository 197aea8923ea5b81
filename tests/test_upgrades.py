"""A project of an older version of the template takes over the newest one, and keeps what its user wrote.

The older version is made here, of the template as it lies here; and one is of its history, where there is some.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest

from .baked import COOKIECUTTER, TEMPLATE, Project
from .checking import check_python
from .conftest import Bake, Figures, PythonFor
from .repository import CRUFT, Home, template_files, write_files
from .sharing import Once
from .suites import run_suite
from .test_ways import LINES

pytestmark = pytest.mark.slow

Files = dict[str, bytes]

BAKED = "{{cookiecutter.project_slug}}"
SOURCE = f"{BAKED}/src/{BAKED}"
OLD_LINE = "A line of the older version."
# What the newest version has without this line, and how the line is written there.
CHANGED = {
    f"{BAKED}/.editorconfig": "# ",
    f"{BAKED}/Makefile": "# ",
    f"{BAKED}/README.md": "",
    f"{BAKED}/pyproject.toml": "# ",
    f"{BAKED}/tests/test_health.py": "# ",
    f"{BAKED}/tests/test_rows.py": "# ",
    f"{SOURCE}/application.py": "# ",
    f"{SOURCE}/database/liveness.py": "# ",
    f"{SOURCE}/handlers.py": "# ",
    f"{SOURCE}/migrations/0001_create_{{{{cookiecutter.model_name|lower}}}}.sql": "-- ",
    f"{SOURCE}/models.py": "# ",
}
REMOVED = f"{SOURCE}/obsolete.py"
ADDED = f"{BAKED}/tests/test_security.py"


def older(files: Files) -> Files:
    """The template before some of its files were changed, one was removed, and one was added."""
    old = dict(files)
    for name, mark in CHANGED.items():
        old[name] += f"\n\n{mark}{OLD_LINE}\n".encode()
    old[REMOVED] = b'"""Not there any more."""\n'
    del old[ADDED]
    return old


def with_older_extension(files: Files, module: str) -> Files:
    """The template when its extension was of this name, and had no filter `toml` but one of another name."""
    old = dict(files)
    extension = old.pop("local_extensions.py").decode()
    old[f"{module}.py"] = extension.replace("def toml(", "def quoted(").encode()
    questions = old["cookiecutter.json"].decode()
    old["cookiecutter.json"] = (
        re.sub(r'"local_extensions\.', f'"{module}.', questions).replace(".toml", ".quoted").encode()
    )
    name = f"{BAKED}/pyproject.toml"
    old[name] = old[name].replace(b"| toml }}", b"| quoted }}")
    return old


class Owner:
    """Someone who has a project, and the template where it comes from."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.home.path.mkdir(parents=True)
        self.folder = folder
        self.template = folder / "template"
        self.template.mkdir()

    def publish(self, files: Files) -> str:
        """A version of the template, and its commit."""
        write_files(self.template, files)
        return self.home.commit(self.template, "A version")

    def create(self, *arguments: str, **answers: str) -> Project:
        answered = ("--no-input", "--extra-context", json.dumps(answers))
        self.home.run(*CRUFT, "create", self.template, *answered, *arguments, folder=self.folder)
        project = Project(self.folder / answers.get("project_slug", "name_service"))
        self.home.commit(project.path, "As it came")
        return project

    def update(self, project: Project, *arguments: str) -> None:
        self.home.run(*CRUFT, "update", "--skip-apply-ask", *arguments, folder=project.path)
        assert not list(project.path.rglob("*.rej"))
        assert not self.home.git("diff", "--name-only", "--diff-filter=U", folder=project.path)
        assert not [name for name, text in self.texts(project).items() if "<<<<<<< " in text]

    def texts(self, project: Project) -> dict[str, str]:
        """The files that one would commit."""
        names = self.home.git("ls-files", "--cached", "--others", "--exclude-standard", folder=project.path)
        return {name: project.read(name) for name in names.splitlines() if (project.path / name).exists()}

    def changed(self, project: Project) -> set[str]:
        """What is not as it was committed."""
        return {line[3:] for line in self.home.git("status", "--short", "-uall", folder=project.path).splitlines()}


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path / "owner")


HANDLER = '''

class ShoutHandler(Handler):
    """Shouts."""

    @described(query={"id": Id}, answers={200: [Row]}, errors=[404, 503])
    async def get(self) -> None:
        """The row of this id, with its name in capitals."""
        obj = await TestNameModel.aio_get_or_none(id=parse_id(query_argument(self.request, "id") or ""))
        if obj is None:
            raise HTTPError(404, "Object not found!")
        self.finish(Row(id=obj.id, name=obj.shout()).model_dump(mode="json"))
'''
METHOD = """
    def shout(self) -> str:
        return self.name.upper()
"""
TEST = '''"""Rows shout."""

from tornado.escape import json_decode

from .service import Service


async def test_shout(service: Service) -> None:
    response = await service.get("/shout?id=1")
    assert json_decode(response.body) == {"id": 1, "name": "TESTNAMEMODEL ID=1"}
'''


def edit(project: Project) -> None:
    """What its user does: a model, a handler and its route, a test, the README, and their own version."""
    package = next((project.path / "src").iterdir())
    replace(package / "models.py", "        return self.name\n", f"        return self.name\n{METHOD}")
    replace(package / "handlers.py", "class CreateHandler(", f"{HANDLER.strip()}\n\n\nclass CreateHandler(")
    replace(package / "application.py", "CreateHandler, RootHandler", "CreateHandler, RootHandler, ShoutHandler")
    route = '            ("/healthz", HealthHandler),\n'
    replace(package / "application.py", route, f'            ("/shout", ShoutHandler),\n{route}')
    replace(project.path / "README.md", "# Name Service\n\n", "# Shouting\n\nRead this first.\n\n")
    replace(project.path / "pyproject.toml", 'version = "0.1.0"', 'version = "1.2.3"')
    (project.path / "tests" / "test_shout.py").write_text(TEST)


EDITED = {"README.md", "pyproject.toml", "src/name_service/application.py"}


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{old} in {file}"
    file.write_text(text.replace(old, new), "utf-8")


def skipped(project: Project) -> set[str]:
    """The files that are the user's, each of which is there."""
    patterns = tomllib.loads(project.read("pyproject.toml"))["tool"]["cruft"]["skip"]
    found = {pattern: list(project.path.glob(pattern)) for pattern in patterns}
    assert all(found.values()), found
    return {str(path.relative_to(project.path)) for paths in found.values() for path in paths}


def test_user_keeps_what_is_theirs_and_gets_the_rest(
    owner: Owner, bake: Bake, once: Once, python_for: PythonFor, postgres: str
) -> None:
    newest = template_files()
    owner.publish(older(newest))
    project = owner.create()
    edit(project)
    (project.path / ".editorconfig").unlink()
    (project.path / "tests" / "test_seeding.py").unlink()
    owner.home.commit(project.path, "Mine")
    mine = owner.texts(project)
    owner.publish(newest)
    owner.update(project)

    fresh = bake()
    deleted = {".editorconfig", "tests/test_seeding.py"}
    theirs = skipped(fresh) - deleted
    updated = owner.texts(project)
    assert updated.keys() == fresh.files() - deleted | {".cruft.json", "tests/test_shout.py"}
    for name in theirs:
        assert updated[name] == mine[name], name
    for name in fresh.files() - deleted - theirs - EDITED:
        assert updated[name] == fresh.read(name), name
    for name in EDITED:
        assert OLD_LINE in mine[name]
        assert OLD_LINE not in updated[name], name
    assert "ShoutHandler)" in updated["src/name_service/application.py"]
    assert updated["README.md"].startswith("# Shouting\n\nRead this first.\n\n")
    assert 'version = "1.2.3"' in updated["pyproject.toml"]

    python = python_for("aiopg")
    check_python(project, once, python)
    tests = ("tests/test_shout.py", "tests/test_rows.py", "tests/test_openapi.py", "tests/test_migrations.py")
    project.run(python, "-m", "pytest", *tests, TEST_DATABASE_URL=postgres, PYTHONPATH=str(project.path / "src"))


@pytest.mark.early
def test_from_the_history(owner: Owner, python_for: PythonFor, postgres: str, figures: Figures) -> None:
    """From the first version that had descriptions, whose handlers look like today's."""
    if owner.home.try_to_run("git", "rev-parse", "HEAD", folder=TEMPLATE).returncode:
        pytest.skip("the template has no history here")
    owner.template.rmdir()
    owner.home.git("clone", "--quiet", TEMPLATE, owner.template, folder=owner.folder)
    described = f"{SOURCE}/openapi/describing.py"
    first = owner.home.git("log", "--diff-filter=A", "--format=%H", "--", described, folder=owner.template).split()[-1]
    project = owner.create("--checkout", first)
    edit(project)
    owner.home.commit(project.path, "Mine")
    owner.publish(template_files())
    owner.update(project)
    figures.append(f"suite of aiopg, upgraded from {first[:7]}: {run_suite(project, python_for('aiopg'), postgres)}")


def test_across_another_extension(owner: Owner, bake: Bake) -> None:
    newest = template_files()
    owner.publish(with_older_extension(older(newest), "older_extensions"))
    project = owner.create()
    owner.publish(newest)
    owner.update(project)
    fresh = bake()
    for name in fresh.files() - skipped(fresh):
        assert project.read(name) == fresh.read(name), name


def test_changed_extension_of_the_same_name_is_not_loaded(owner: Owner) -> None:
    """Why CONTRIBUTING.md wants another name: cruft renders both versions, and Python has imported the older one."""
    newest = template_files()
    owner.publish(with_older_extension(newest, "local_extensions"))
    project = owner.create()
    owner.publish(newest)
    done = owner.home.try_to_run(*CRUFT, "update", "--skip-apply-ask", folder=project.path)
    assert "Unable to load extension" in done.stdout
    assert (done.returncode, owner.changed(project)) == (1, set())


def test_answers_stay_as_they_are(owner: Owner) -> None:
    newest = template_files()
    owner.publish(older(newest))
    projects = [
        owner.create(project_name=line, project_slug=f"slug{number}", description=line, author_name=line)
        for number, line in enumerate(LINES)
    ]
    answers = [json.loads(project.read(".cruft.json"))["context"] for project in projects]
    texts = [described(project) for project in projects]
    commit = owner.publish(newest)
    for project, asked, text in zip(projects, answers, texts, strict=True):
        owner.update(project)
        kept = json.loads(project.read(".cruft.json"))
        assert kept["context"]["cookiecutter"] == asked["cookiecutter"] | {"_commit": commit}
        assert described(project) == text


def described(project: Project) -> tuple[object, ...]:
    """Where the free text is."""
    docs = next(project.path.glob("src/*/openapi/docs/index.html")).read_text("utf-8")
    return (
        {**tomllib.loads(project.read("pyproject.toml"))["project"], "dependencies": None},
        project.read("README.md").split("\n## ")[0],
        project.read("LICENSE"),
        docs,
    )


def test_answers_can_be_changed(owner: Owner) -> None:
    owner.publish(template_files())
    project = owner.create()
    owner.update(project, "--variables-to-update", json.dumps({"model_name": "Book", "description": LINES[0]}))
    assert tomllib.loads(project.read("pyproject.toml"))["project"]["description"] == LINES[0]
    assert "import Book" in project.read("tests/service.py")


def test_refused_answer_changes_nothing(owner: Owner) -> None:
    owner.publish(template_files())
    project = owner.create()
    answers = json.dumps({"description": "two\nlines"})
    command = (*CRUFT, "update", "--skip-apply-ask", "--variables-to-update", answers)
    done = owner.home.try_to_run(*command, folder=project.path)
    assert done.stdout.splitlines()[-1].startswith("description: 'two\\nlines' is not accepted; it takes ")
    assert (done.returncode, owner.changed(project)) == (1, set())


def test_project_of_cookiecutter_can_be_linked(owner: Owner, bake: Bake) -> None:
    newest = template_files()
    first = owner.publish(older(newest))
    answers = {"project_slug": "slug", "driver": "psycopg"}
    typed = [f"{prompt}={answer}" for prompt, answer in answers.items()]
    owner.home.run(*COOKIECUTTER, owner.template, "--no-input", *typed, folder=owner.folder)
    project = Project(owner.folder / "slug")
    owner.publish(newest)
    answered = ("--no-input", "--extra-context", json.dumps(answers))
    owner.home.run(*CRUFT, "link", owner.template, "--checkout", first, *answered, folder=project.path)
    owner.home.commit(project.path, "As it came")
    owner.update(project)
    fresh = bake(**answers)
    for name in fresh.files() - skipped(fresh):
        assert project.read(name) == fresh.read(name), name


def test_only_answers_are_kept(owner: Owner) -> None:
    """No path of this machine, but where the template is, and nothing that a check of the project would mind."""
    commit = owner.publish(template_files())
    project = owner.create()
    kept = json.loads(project.read(".cruft.json"))
    answers = kept["context"]["cookiecutter"]
    private = {name for name in answers if name.startswith("_")}
    assert private == {"_copy_without_render", "_extensions", "__answers", "_template", "_commit"}
    assert (kept["template"], kept["commit"]) == (str(owner.template), commit)
    assert str(owner.home.path) not in project.read(".cruft.json")
