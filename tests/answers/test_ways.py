"""However an answer comes in, it comes out of the files as it went in, or is refused and leaves nothing behind.

The ways are the command line, a config file, a prompt on a terminal, a replay, and cruft, which also keeps the answers
for its updates (see `tests/upgrades/`).
"""

import io
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest
import yaml

from harness.baked import COOKIECUTTER, TEMPLATE, UV, Bake, Project
from harness.choices import questions
from harness.hostile import HOSTILE, LINE
from harness.pythons import PythonFor
from harness.repository import CRUFT, Home, Publisher, template_files

pytestmark = pytest.mark.slow

Answers = dict[str, str]


@dataclass(frozen=True)
class Place:
    """Somewhere to bake, in which nothing else is."""

    root: Path
    template: Path  # a repository

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    @property
    def output(self) -> Path:
        return self.root / "above" / "output"

    def baked(self) -> Project:
        [project] = self.output.iterdir()
        return Project(project)

    def left(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")} - {"home", "above", "above/output"}


@pytest.fixture
def place(tmp_path: Path, template: Path) -> Place:
    place = Place(tmp_path / "place", template)
    place.home.path.mkdir(parents=True)
    place.output.mkdir(parents=True)
    return place


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the template as it lies here."""
    publisher = Publisher(tmp_path_factory.mktemp("publisher"))
    publisher.publish(template_files())
    return publisher.template


def on_the_command_line(place: Place, answers: Answers) -> subprocess.CompletedProcess[str]:
    typed = [f"{prompt}={answer}" for prompt, answer in answers.items()]
    return place.home.try_to_run(*COOKIECUTTER, TEMPLATE, "--no-input", *typed, folder=place.output)


def in_a_config_file(place: Place, answers: Answers) -> subprocess.CompletedProcess[str]:
    config = place.root.parent / "config.yaml"
    config.write_text(yaml.safe_dump({"default_context": answers}), "utf-8")
    command = (*COOKIECUTTER, TEMPLATE, "--no-input", "--config-file", config)
    return place.home.try_to_run(*command, folder=place.output)


def to_cruft(place: Place, answers: Answers) -> subprocess.CompletedProcess[str]:
    command = (*CRUFT, "create", place.template, "--no-input", "--extra-context", json.dumps(answers))
    return place.home.try_to_run(*command, folder=place.output)


def at_a_prompt(place: Place, answers: Answers) -> subprocess.CompletedProcess[str]:
    """Type each answer on a terminal, when it is asked for, and nothing where there is none, until one is refused."""
    command, *options = map(str, (*COOKIECUTTER, TEMPLATE))
    environment = place.home.environment() | {"TERM": "dumb"}
    shown = io.BytesIO()
    terminal = pexpect.spawn(command, options, cwd=place.output, env=environment, timeout=60)
    terminal.logfile_read = shown
    for number, prompt in enumerate(questions(), 1):
        asked = re.escape(f"[{number}/{len(questions())}]".encode()) + rb".*\(.*\): "
        if terminal.expect([asked, pexpect.EOF]):
            break
        terminal.sendline(typed(answers.get(prompt, "").encode("utf-8", "surrogateescape")))
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus is not None, terminal
    printed = shown.getvalue().decode("utf-8", "replace").replace("\r\n", "\n")
    return subprocess.CompletedProcess(command, terminal.exitstatus, printed)


def typed(answer: bytes) -> bytes:
    """The keys for an answer: a control character wants ^V before it."""
    return b"".join(b"\x16" * (key < 0x20 or key == 0x7F) + bytes([key]) for key in answer)


def in_a_replay(place: Place, answers: Answers) -> subprocess.CompletedProcess[str]:
    """Bake elsewhere, change these answers where cookiecutter keeps them, and bake again with what it kept."""
    beside = place.root.parent
    config = beside / "config.yaml"
    config.write_text(yaml.safe_dump({"replay_dir": str(beside / "replays")}), "utf-8")
    command = (*COOKIECUTTER, TEMPLATE, "--config-file", config)
    elsewhere = ("--overwrite-if-exists", "--output-dir", beside / "elsewhere")
    place.home.run(*command, "--no-input", *elsewhere, folder=beside)
    [replay] = (beside / "replays").iterdir()
    kept = json.loads(replay.read_text("utf-8"))
    kept["cookiecutter"] |= answers
    replay.write_text(json.dumps(kept), "utf-8")
    return place.home.try_to_run(*command, "--replay", folder=place.output)


WAYS = [on_the_command_line, in_a_config_file, to_cruft, at_a_prompt, in_a_replay]
Way = Callable[[Place, Answers], subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("way", WAYS)
def test_text_comes_out_as_it_went_in(place: Place, way: Way) -> None:
    done = way(place, {"project_name": LINE, "description": LINE, "author_name": LINE, "project_slug": "slug"})
    assert done.returncode == 0, done.stdout
    described = tomllib.loads(place.baked().read("pyproject.toml"))["project"]
    assert described["description"] == LINE
    assert described["authors"][0]["name"] == LINE
    assert f"Copyright (c) {LINE}\n" in place.baked().read("LICENSE")


TEXTS = [prompt for prompt, asked in questions().items() if isinstance(asked, str)]
EXAMPLES = [("project_slug", "../up"), ("project_slug", "a/b/c"), ("description", "a\x7fb\x1b[31m")]
OTHERS = [
    *(("project_slug", slug) for slug in ("..", ".", "/tmp/a", "~", "class", "-a", "$(touch a)")),
    *(("project_name", "a\u2028b"), ("author_name", "a\udcffb"), ("description", "a" * 100_000 + "\x01")),
    *(
        ("author_email", "nobody"),
        ("model_name", "MixedIdModel"),
        ("database_name", "a b"),
        ("database_name", "template0"),
        ("database_port", "x"),
        ("port", ""),
    ),
]


@pytest.mark.parametrize(
    ("way", "prompt", "answer"),
    [
        *((way, *example) for way in WAYS for example in EXAMPLES),
        *((on_the_command_line, *example) for example in OTHERS),
    ],
)
def test_refused_answer_leaves_nothing_behind(place: Place, way: Way, prompt: str, answer: str) -> None:
    done = way(place, {prompt: answer})
    *asked, refused = done.stdout.removesuffix("\n").split("\n")
    assert refused.startswith(f"{prompt}: {answer!r} is not accepted; it takes ")
    assert done.returncode == 1
    assert not asked or way is at_a_prompt
    assert not place.left()


@pytest.mark.parametrize(("number", "prompt"), list(enumerate(TEXTS[:-1])))
def test_refused_before_the_next_text_is_asked_for(place: Place, number: int, prompt: str) -> None:
    done = at_a_prompt(place, {prompt: "{%"})
    following = list(questions()).index(TEXTS[number + 1]) + 1
    assert f"{prompt}: '{{%' is not accepted" in done.stdout
    assert f"[{following}/{len(questions())}]" not in done.stdout


@pytest.mark.parametrize("way", [in_a_config_file, to_cruft, on_the_command_line])
def test_two_lines_are_refused(place: Place, way: Way) -> None:
    """At a prompt, a line is an answer."""
    done = way(place, {"description": "two\nlines"})
    assert (done.returncode, done.stdout.count("\n"), place.left()) == (1, 1, set())


@pytest.mark.parametrize("mark", ["{{ 7 * 7 }}", "{% raw %}", "{# a #}"])
def test_marks_that_cookiecutter_renders_are_refused_at_a_prompt(place: Place, mark: str) -> None:
    done = at_a_prompt(place, {"description": mark})
    assert done.stdout.splitlines()[-1].startswith(f"description: {mark!r} is not accepted")
    assert (done.returncode, place.left()) == (1, set())


@pytest.mark.parametrize("way", [on_the_command_line, in_a_config_file, to_cruft])
def test_cookiecutter_renders_what_is_given_elsewhere(place: Place, way: Way) -> None:
    way(place, {"description": "{{ 7 * 7 }} {# a #}b"})
    assert tomllib.loads(place.baked().read("pyproject.toml"))["project"]["description"] == "49 b"


@pytest.mark.parametrize("way", [on_the_command_line, in_a_config_file, to_cruft])
def test_what_it_renders_to_is_checked(place: Place, way: Way) -> None:
    done = way(place, {"description": "{{ '{' }}{ 7 * 7 }}"})
    assert done.stdout.startswith("description: '{{ 7 * 7 }}' is not accepted")
    assert (done.returncode, place.left()) == (1, set())


def test_spaces_around_are_taken_off_at_a_prompt(place: Place) -> None:
    at_a_prompt(place, {"description": "  a  ", "author_email": " "})
    project = tomllib.loads(place.baked().read("pyproject.toml"))["project"]
    assert (project["description"], project["authors"]) == ("a", [{"name": "Your Name"}])


def test_nothing_is_executed(place: Place, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    touch = f"__import__('pathlib').Path('{canary}').touch()"
    text = f"$(touch {canary}) `touch {canary}` ; touch {canary} & '; {touch}; ' \"; {touch}; \" ' + {touch} + ' \\"
    for way in WAYS:
        slug = f"by_{way.__name__}"
        done = way(place, {"project_name": text, "project_slug": slug, "description": text, "author_name": text})
        assert done.returncode == 0, done.stdout
    project = Project(place.output / slug)  # the others are the same
    project.run("make")
    project.run(UV, "build", "--quiet", "--wheel")
    assert not canary.exists()


def test_replay_has_the_same_answers(place: Place) -> None:
    answers = {"project_slug": "slug", "description": HOSTILE[0], "author_name": HOSTILE[1]}
    assert on_the_command_line(place, answers).returncode == 0
    first = dict(place.baked().texts())
    place.home.run(*COOKIECUTTER, TEMPLATE, "--replay", "--overwrite-if-exists", folder=place.output)
    assert dict(place.baked().texts()) == first


@pytest.mark.parametrize("way", [on_the_command_line, in_a_config_file, to_cruft])
def test_unknown_names_are_ignored(place: Place, bake: Bake, way: Way) -> None:
    assert way(place, {"no_such_prompt": "a"}).returncode == 0
    others = {".cruft.json"}
    assert {name: text for name, text in place.baked().texts() if name not in others} == dict(bake().texts())


@pytest.mark.parametrize("way", [on_the_command_line, to_cruft])
def test_choice_that_there_is_not_is_refused(place: Place, way: Way) -> None:
    done = way(place, {"driver": "asyncpg"})
    assert done.returncode == 1
    assert "asyncpg provided for choice variable driver" in done.stdout
    assert not place.left()


def test_choice_that_there_is_not_is_refused_in_a_replay(place: Place) -> None:
    """Cookiecutter doesn't look at it there."""
    done = in_a_replay(place, {"driver": "asyncpg"})
    assert done.stdout == "driver: 'asyncpg' is not accepted; it takes one of aiopg, psycopg.\n"
    assert (done.returncode, place.left()) == (1, set())


def test_choice_that_there_is_not_in_a_config_file_is_warned_of(place: Place) -> None:
    done = in_a_config_file(place, {"author_name": "Ada", "driver": "asyncpg", "license": "Proprietary"})
    assert "asyncpg provided for choice variable driver" in done.stdout
    project = tomllib.loads(place.baked().read("pyproject.toml"))["project"]
    assert any("aiopg" in dependency for dependency in project["dependencies"])
    assert (project["authors"][0]["name"], project["license"]) == ("Ada", "MIT")


def test_choice_that_there_is_not_is_asked_for_again(place: Place) -> None:
    done = at_a_prompt(place, {"driver": "3\n2"})
    assert "Please select one of the available options" in done.stdout
    assert "psycopg[binary]" in place.baked().read("pyproject.toml")


def test_installed_project_describes_itself(bake: Bake, python_for: PythonFor, tmp_path: Path) -> None:
    project = bake(project_name=LINE, project_slug="slug", description=LINE, author_name=LINE)
    project.run(UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path)
    project.run(UV, "pip", "install", "--quiet", "--no-deps", "--target", tmp_path, *tmp_path.glob("*.whl"))
    printed = project.run(python_for("aiopg"), "-m", "slug", "openapi", PYTHONPATH=str(tmp_path))
    assert json.loads(printed)["info"] == {"title": "slug", "version": "0.1.0", "summary": LINE}
