"""An answer comes out of each file as it went in, or is refused in one line that leaves nothing behind."""

import ast
import builtins
import html
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from local_extensions import RULES, SERVICE_NAMES

from .baked import TEMPLATE
from .conftest import Bake

REFUSED = {
    "project_name": ["a\nb", "a\tb", "\x7f", "\x85", "\u2028"],
    "project_slug": [
        *(
            "",
            "A",
            "1a",
            "a-b",
            "a.b",
            "a b",
            "../a",
            "a/b/c",
            "_a",
            "é",
            "\N{FULLWIDTH LATIN SMALL LETTER A}",
            "a" * 41,
        ),
        *("class", "async", "json", "distutils", "tornado", "peewee_async", "con", "test", "tests"),
    ],
    "description": ["two\nlines"],
    "author_name": ["a\x0bb"],
    "author_email": ["a", "@b", "a@", "a b@c", "a@b c", "a@-b", "a@b\n"],
    "model_name": ["", "a", "1A", "A_b", "A b", "Á", "A" * 41, "None", "ValueError", "Model", "RootHandler"],
    "database_name": ["", "1a", "-a", "a b", "a.b", 'a"b', "é", "a" * 64],
    "database_port": ["", "0", "65536", "-1", "05432", "5_432", " 1", "1.0", "\N{ARABIC-INDIC DIGIT ONE}", "http"],
    "port": ["", "0", "65536", "abc"],
}

HOSTILE = [
    "'\"''' \"\"\"",
    "ends with a backslash \\",
    "$HOME ${HOME} $(touch pwned) `touch pwned` ; touch pwned #",
    "} }} %} #} {",
    "key: value - [a, b] {c: d} & *anchor !tag | > %",
    "# heading *a* _b_ <b>c</b> [d](e) ![f](g) &amp; ~~h~~ | i",
    "- a list",
    "1. a list",
    "José 🦤 \u202eright to left",
    "x" * 200,
    "",
    "  spaces around  ",
]


def cookiecutter(output: Path, **answers: str) -> subprocess.CompletedProcess[str]:
    """The command, typed with these answers on it."""
    typed = [f"{prompt}={answer}" for prompt, answer in answers.items()]
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", "--output-dir", str(output), *typed]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_each_prompt_with_a_rule_is_tried() -> None:
    assert REFUSED.keys() == RULES.keys()


@pytest.mark.parametrize(("prompt", "answer"), [(p, a) for p, answers in REFUSED.items() for a in answers])
def test_refused(bake: Bake, prompt: str, answer: str) -> None:
    with pytest.raises(AssertionError) as refused:
        bake(**{prompt: answer})
    assert prompt in str(refused.value)


@pytest.mark.parametrize("prompt", REFUSED)
def test_refused_in_one_line_that_leaves_nothing_behind(tmp_path: Path, prompt: str) -> None:
    answer = REFUSED[prompt][-1]
    done = cookiecutter(tmp_path, **{prompt: answer})
    assert done.returncode == 1
    assert done.stdout == f"{prompt}: {answer!r} is not accepted; it takes {RULES[prompt][1]}.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mark", ["{{ 7 * 7 }}", "{% raw %}", "{# a #}"])
@pytest.mark.parametrize("prompt", ["project_name", "description", "author_name"])
def test_marks_that_cookiecutter_renders_are_refused_at_the_prompt(tmp_path: Path, prompt: str, mark: str) -> None:
    """On the command line cookiecutter renders them before they get here."""
    answers = {"project_name": "", "project_slug": "slug", "description": "", "author_name": ""} | {prompt: mark}
    typed = "".join(f"{answer}\n" for answer in [*answers.values(), *[""] * 10])
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--output-dir", str(tmp_path)]
    done = subprocess.run(command, input=typed, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"{prompt}: {mark!r} is not accepted; it takes {RULES[prompt][1]}.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", HOSTILE)
def test_free_text_comes_out_as_it_went_in(bake: Bake, text: str) -> None:
    project = bake(project_name=text, project_slug="slug", description=text, author_name=text)
    described = tomllib.loads(project.read("pyproject.toml"))["project"]
    assert described["description"] == text
    assert described["authors"][0].get("name", "") == (text if text.strip() else "")
    assert f"Copyright (c) {text}\n" in project.read("LICENSE")
    assert f"<title>{text}</title>" in html.unescape(project.read("src/slug/openapi/docs/index.html"))
    assert not list(project.path.rglob("pwned"))


def test_no_model_name_that_the_service_uses(bake: Bake) -> None:
    """Holds the list of refused names to the modules that import the model."""
    for name, text in bake().texts():
        if name.endswith(".py") and "TestNameModel" in text:
            assert capitalised_names(text) - {"TestNameModel"} - set(dir(builtins)) <= SERVICE_NAMES, name


def capitalised_names(source: str) -> set[str]:
    """The names in a module that a model's could be the same as."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    names |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {name for name in names if name[0].isupper()}
