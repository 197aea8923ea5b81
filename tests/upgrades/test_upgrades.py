"""A project of an older version of the template takes over the newest one, and keeps what its user wrote.

The older version is made here, of the template as it lies here.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest

from harness.baked import COOKIECUTTER, Bake, Project
from harness.checking import check_python
from harness.hostile import LINE
from harness.pythons import PythonFor
from harness.repository import CRUFT, Publisher, template_files
from harness.sharing import Once

pytestmark = [pytest.mark.early, pytest.mark.slow]

Files = dict[str, bytes]

BAKED = "{{cookiecutter.project_slug}}"
SOURCE = f"{BAKED}/src/{BAKED}"
PACKAGE = "src/name_service"
OLD_LINE = "A line of the older version."
# What the newest version has without this line, and how the line is written there.
CHANGED = {
    f"{BAKED}/.editorconfig": "# ",
    f"{BAKED}/Makefile": "# ",
    f"{BAKED}/README.md": "",
    f"{BAKED}/pyproject.toml": "# ",
    f"{BAKED}/tests/foundation/test_health.py": "# ",
    f"{BAKED}/tests/test_rows.py": "# ",
    f"{SOURCE}/foundation/database/liveness.py": "# ",
    f"{SOURCE}/foundation/server.py": "# ",
    f"{SOURCE}/handlers.py": "# ",
    f"{SOURCE}/migrations/0001_create_{{{{cookiecutter.model_name|lower}}}}.sql": "-- ",
    f"{SOURCE}/models.py": "# ",
    f"{SOURCE}/service.py": "# ",
}
REMOVED = (
    f"{BAKED}/tests/foundation/test_obsolete.py",
    f"{BAKED}/tests/test_obsolete_rows.py",
    f"{SOURCE}/foundation/obsolete/__init__.py",
)
ADDED = (
    f"{BAKED}/tests/foundation/test_security.py",
    f"{BAKED}/tests/test_create.py",
    f"{SOURCE}/foundation/reloading.py",
)


def older(files: Files) -> Files:
    """Return the template before some of its files were changed, some were removed, and some were added."""
    old = dict(files)
    for name, mark in CHANGED.items():
        old[name] += f"\n\n{mark}{OLD_LINE}\n".encode()
    for name in REMOVED:
        old[name] = b'"""Not there any more."""\n'
    for name in ADDED:
        del old[name]
    return old


def with_older_extension(files: Files, module: str) -> Files:
    """Return the template when its extension was of this name, and its filter `toml` of another one."""
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


class Owner(Publisher):
    """Someone who has a project, and the template where it comes from."""

    def create(self, *arguments: str, **answers: str) -> Project:
        answered = ("--no-input", "--extra-context", json.dumps(answers))
        self.home.run(*CRUFT, "create", self.template, *answered, *arguments, folder=self.folder)
        project = Project(self.folder / answers.get("project_slug", "name_service"))
        self.home.commit(project.path, "As it came")
        return project

    def update(self, project: Project, *arguments: str) -> None:
        printed = self.home.run(*CRUFT, "update", "--skip-apply-ask", *arguments, folder=project.path)
        assert "Baked" not in printed  # cruft bakes the older and the newer version, in temporary folders
        assert not list(project.path.rglob("*.rej"))
        assert not self.home.git("diff", "--name-only", "--diff-filter=U", folder=project.path)
        assert not [name for name, text in self.texts(project).items() if "<<<<<<< " in text]

    def texts(self, project: Project) -> dict[str, str]:
        """Return the files that one would commit."""
        names = self.home.git("ls-files", "--cached", "--others", "--exclude-standard", folder=project.path)
        return {name: project.read(name) for name in names.splitlines() if (project.path / name).exists()}

    def changed(self, project: Project) -> set[str]:
        """Return the files that are not as they were committed."""
        return {line[3:] for line in self.home.git("status", "--short", "-uall", folder=project.path).splitlines()}


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path / "owner")


HANDLER = '''

class ShoutHandler(Handler):
    """Shouts."""

    @operation(query={"id": Id}, responses={200: [Row]}, errors=[404, 503])
    async def get(self) -> None:
        """Get the row with this id, its name in capitals."""
        obj = await TestNameModel.aio_get_or_none(id=parse_id(query_argument(self.request, "id") or ""))
        if obj is None:
            raise HTTPError(404, "Object not found!")
        self.answer(Row, Row(id=obj.id, name=obj.shout()))
'''
METHOD = """
    def shout(self) -> str:
        return self.name.upper()
"""
TEST = '''"""Rows shout."""

from tornado.escape import json_decode

from name_service.foundation.testing import Service


async def test_shout(service: Service) -> None:
    response = await service.get("/shout?id=1")
    assert json_decode(response.body) == {"id": 1, "name": "TESTNAMEMODEL ID=1"}
'''
# Files of the template that the user edits, and that updates go on to change.
EDITED = {"README.md", "pyproject.toml", f"{PACKAGE}/foundation/server.py"}


def edit(project: Project) -> None:
    """Add a method, a handler, its route and a test; edit the README, the version, and even the foundation."""
    package = project.path / PACKAGE
    replace(package / "models.py", "        return self.name\n", f"        return self.name\n{METHOD}")
    replace(package / "handlers.py", "class CreateHandler(", f"{HANDLER.strip()}\n\n\nclass CreateHandler(")
    replace(package / "service.py", "CreateHandler, RootHandler", "CreateHandler, RootHandler, ShoutHandler")
    route = '            ("/", RootHandler),\n'
    replace(package / "service.py", route, f'{route}            ("/shout", ShoutHandler),\n')
    replace(package / "foundation" / "server.py", "IDLE_TIMEOUT = 75", "IDLE_TIMEOUT = 99")
    replace(project.path / "README.md", "# Name Service\n\n", "# Shouting\n\nRead this first.\n\n")
    replace(project.path / "pyproject.toml", 'version = "0.1.0"', 'version = "1.2.3"')
    (project.path / "tests" / "test_shout.py").write_text(TEST)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{old} in {file}"
    file.write_text(text.replace(old, new), "utf-8")


# A service of someone's own, which takes the example's place.
NOTES = {
    f"{PACKAGE}/models.py": '''"""The tables."""

from peewee import AutoField, TextField

from .foundation.database import Model


class Note(Model):
    id = AutoField()
    text = TextField()


MODELS = (Note,)
''',
    f"{PACKAGE}/seeding.py": '''"""There are notes from the start."""

from .foundation.database import Database
from .models import Note


def write_first_note(database: Database) -> None:
    with database.allow_sync():
        if not Note.select().exists():
            Note.create(text="first")
''',
    f"{PACKAGE}/handlers.py": '''"""Notes are read."""

from pydantic import BaseModel

from .foundation.web import Handler, operation
from .models import Note


class Notes(BaseModel):
    notes: list[str]


class NotesHandler(Handler):
    @operation(responses={200: [Notes]}, errors=[503])
    async def get(self) -> None:
        """Get all notes."""
        notes = await Note.select().order_by(Note.id).aio_execute()
        self.finish(Notes(notes=[note.text for note in notes]).model_dump())
''',
    f"{PACKAGE}/settings.py": '''"""The defaults."""

from .foundation.settings import ListenPort, ServiceSettings


class Settings(ServiceSettings):
    database_name: str = "notes"
    port: ListenPort = 8000
''',
    f"{PACKAGE}/service.py": '''"""Notes."""

from pathlib import Path

from .foundation.database import make_database
from .foundation.web import Application
from .handlers import NotesHandler
from .models import MODELS
from .seeding import write_first_note
from .settings import Settings


def make_application(settings: Settings) -> Application:
    return Application(
        settings,
        make_database(settings),
        distribution="name-service",
        routes=[("/notes", NotesHandler)],
        models=MODELS,
        migrations=Path(__file__).with_name("migrations"),
        seed=write_first_note,
    )
''',
    f"{PACKAGE}/migrations/0001_notes.sql": """-- migrate:up

CREATE TABLE "note" ("id" serial PRIMARY KEY, "text" text NOT NULL);

-- migrate:down

DROP TABLE "note";
""",
    "README.md": "# Notes\n",
    "tests/__init__.py": '"""The tests of my notes."""\n',
    "tests/conftest.py": '''"""Fixtures."""

import pytest

from name_service import service as my_service
from name_service.foundation.testing import MakeApplication
from name_service.settings import Settings


@pytest.fixture(scope="session")
def make_application() -> MakeApplication:
    return my_service.make_application


@pytest.fixture(scope="session")
def settings_class() -> type[Settings]:
    return Settings
''',
    "tests/test_notes.py": '''"""Notes are read."""

from tornado.escape import json_decode

from name_service.foundation.testing import Service


async def test_notes(service: Service) -> None:
    assert json_decode((await service.get("/notes")).body) == {"notes": ["first"]}
''',
}
ENTRANCE = {f"{PACKAGE}/__init__.py", f"{PACKAGE}/__main__.py"}


def replace_all(project: Project) -> None:
    """Replace everything that is the user's, but for what starts the program; and the README, which joins it."""
    for name in skipped(project) - ENTRANCE:
        (project.path / name).unlink()
    for name, text in NOTES.items():
        (project.path / name).write_text(text)
    replace(project.path / "pyproject.toml", '    "tests/*.py",\n', '    "tests/*.py",\n    "README.md",\n')


def skipped(project: Project) -> set[str]:
    """Return the files that are the user's; each pattern has some."""
    patterns = tomllib.loads(project.read("pyproject.toml"))["tool"]["cruft"]["skip"]
    found = {pattern: list(project.path.glob(pattern)) for pattern in patterns}
    assert all(found.values()), found
    return {str(path.relative_to(project.path)) for paths in found.values() for path in paths}


def foundation(project: Project) -> dict[str, str]:
    """Return the text of each file of the foundation and of its tests."""
    folders = (f"{PACKAGE}/foundation/", "tests/foundation/")
    return {name: project.read(name) for name in project.files() if name.startswith(folders)}


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
    theirs = {name for name in mine if name in skipped(project)}
    updated = owner.texts(project)
    assert updated.keys() == (fresh.files() - skipped(fresh) - {".editorconfig"}) | theirs | {".cruft.json"}
    for name in theirs:
        assert updated[name] == mine[name], name
    for name in updated.keys() - theirs - EDITED - {".cruft.json"}:
        assert updated[name] == fresh.read(name), name
    for name in EDITED:
        assert OLD_LINE in mine[name]
        assert OLD_LINE not in updated[name], name
    assert updated["README.md"].startswith("# Shouting\n\nRead this first.\n\n")
    assert 'version = "1.2.3"' in updated["pyproject.toml"]
    assert "IDLE_TIMEOUT = 99" in updated[f"{PACKAGE}/foundation/server.py"]

    check(project, once, python_for("aiopg"), postgres, "test_shout.py", "test_rows.py", "test_service.py")


def test_user_who_replaced_all_that_is_theirs_gets_the_newest_foundation(
    owner: Owner, bake: Bake, once: Once, python_for: PythonFor, postgres: str
) -> None:
    newest = template_files()
    owner.publish(older(newest))
    project = owner.create()
    replace_all(project)
    owner.home.commit(project.path, "Mine")
    old = foundation(project)
    owner.publish(newest)
    owner.update(project)

    fresh = bake()
    assert foundation(project) == foundation(fresh) != old
    updated = owner.texts(project)
    assert {name: updated[name] for name in NOTES} == NOTES
    assert updated.keys() == fresh.files() - skipped(fresh) | NOTES.keys() | ENTRANCE | {".cruft.json"}
    assert not owner.changed(project) & ENTRANCE

    check(project, once, python_for("aiopg"), postgres, "test_notes.py", "foundation/test_imports.py")


def check(project: Project, once: Once, python: Path, postgres: str, *tests: str) -> None:
    """Check the project's Python, and run these of its tests."""
    check_python(project, once, python)
    files = [f"tests/{name}" for name in tests]
    project.run(python, "-m", "pytest", *files, TEST_DATABASE_URL=postgres, PYTHONPATH=str(project.path / "src"))


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
    project = owner.create(project_name=LINE, project_slug="slug", description=LINE, author_name=LINE)
    asked = json.loads(project.read(".cruft.json"))["context"]["cookiecutter"]
    texts = described(project)
    commit = owner.publish(newest)
    owner.update(project)
    assert json.loads(project.read(".cruft.json"))["context"]["cookiecutter"] == asked | {"_commit": commit}
    assert described(project) == texts


def described(project: Project) -> tuple[object, ...]:
    """Return where the free text is."""
    return (
        {**tomllib.loads(project.read("pyproject.toml"))["project"], "dependencies": None},
        project.read("README.md").split("\n## ")[0],
        project.read("LICENSE"),
    )


def test_answers_can_be_changed(owner: Owner, bake: Bake) -> None:
    owner.publish(template_files())
    project = owner.create()
    answers = {"driver": "psycopg", "description": LINE, "python_version": "3.12"}
    owner.update(project, "--variables-to-update", json.dumps(answers))
    fresh = bake(**answers)
    updated = owner.texts(project)
    assert updated.keys() == fresh.files() | {".cruft.json"}
    for name in fresh.files():
        assert updated[name] == fresh.read(name), name


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
