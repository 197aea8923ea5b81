"""The foundation is the same in each project, so that it can be read and checked where it stands, unbaked."""

import re
import tomllib
from pathlib import Path

from harness.baked import TEMPLATE, Bake
from harness.checking import AS_IT_CAME
from harness.choices import CHOICES, PROJECT, Answers, questions
from harness.unbaked import FOUNDATION, foundation_of

JINJA = re.compile(r"\{[{%#]")
IMPORT = re.compile(r"from \{\{ cookiecutter\.project_slug \}\}(\.foundation[.\w]* import [^{]+| import foundation)")

OTHER_ANSWERS: Answers = {
    "project_name": "Other Name",
    "project_slug": "other_slug",
    "description": "Another description.",
    "author_name": "Ada",
    "author_email": "",
    "model_name": "OtherModel",
    "database_name": "other_database",
    "database_port": "6543",
    "port": "9876",
    **{prompt: choices[-1] for prompt, choices in CHOICES.items()},
}


def test_other_answers_differ_from_the_defaults() -> None:
    defaults = {prompt: asked[0] if isinstance(asked, list) else asked for prompt, asked in questions().items()}
    assert not [prompt for prompt, default in defaults.items() if OTHER_ANSWERS[prompt] == default]


def test_no_file_has_jinja() -> None:
    texts = {file: content.decode() for file, content in files(FOUNDATION).items()}
    with_jinja = {str(file.parent) for file, text in texts.items() if JINJA.search(text)}
    assert with_jinja <= {str(Path(AS_IT_CAME).relative_to("foundation"))}


def test_bytes_are_those_of_the_template_whatever_is_answered(bake: Bake) -> None:
    for answers in ({"driver": CHOICES["driver"][0]}, OTHER_ANSWERS):
        [baked] = bake(**answers).path.glob("src/*/foundation")
        template = {path: file.read_bytes() for path, file in foundation_of(answers["driver"]).items()}
        assert files(baked) == template


def test_its_tests_have_answers_only_where_they_import_the_foundation() -> None:
    for file, content in files(PROJECT / "tests" / "foundation").items():
        assert not JINJA.search(str(file))
        for line in content.decode().split("\n"):
            assert IMPORT.fullmatch(line) or not JINJA.search(line), f"{line} in {file}"


def files(folder: Path) -> dict[Path, bytes]:
    """Return the content of each file below the folder, without what Python leaves there."""
    found = [file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert found, folder
    return {file.relative_to(folder): file.read_bytes() for file in found}


def test_it_is_checked_with_the_versions_that_users_get(bake: Bake) -> None:
    """`make check` checks the foundation unbaked, on the dependency group `foundation`."""
    with (TEMPLATE / "pyproject.toml").open("rb") as file:
        groups = tomllib.load(file)["dependency-groups"]
    described = [tomllib.loads(bake(driver=driver).read("pyproject.toml")) for driver in CHOICES["driver"]]
    imported = {name for project in described for name in project["project"]["dependencies"]}
    development = {name for project in described for name in project["dependency-groups"]["dev"]}
    assert imported <= set(groups["foundation"]) <= imported | development
    checkers = {name for name in groups["dev"] if str(name).startswith(("mypy>", "ruff>"))}
    assert len(checkers) == 2
    assert checkers <= development
