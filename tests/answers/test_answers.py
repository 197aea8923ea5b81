"""An answer comes out of each file as it went in, or is refused in one line.

The rules are those of the README's table, told here once more: what `local_extensions` says of them is what is tested.
Hypothesis draws the same examples each time (see `tests/conftest.py`).
"""

import ast
import builtins
import functools
import html.parser
import importlib.metadata
import json
import keyword
import os
import re
import string
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from marko.ext.gfm import gfm

from harness.baked import TEMPLATE, UV, Bake
from harness.choices import CHOICES, NAMED, files_of_template, questions
from harness.hostile import HOSTILE, is_text
from harness.pythons import PythonFor, interpreter_or_skip
from local_extensions import DEPENDENCIES, SERVICE_NAMES

LOWER, UPPER, DIGITS = set(string.ascii_lowercase), set(string.ascii_uppercase), set(string.digits)

# What not every supported Python has.
OTHER_MODULES = """
    aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt distutils imghdr imp lib2to3 mailcap
    msilib nis nntplib ossaudiodev pipes profiling sitecustomize smtpd sndhdr spwd sunau telnetlib usercustomize uu
    xdrlib
"""
# Examples of each kind. What else the service and its environment use, two tests below find out.
NO_SLUGS = {
    *keyword.kwlist,
    *(name for name in sys.stdlib_module_names if name.islower()),
    *OTHER_MODULES.split(),
    *("aiopg", "peewee", "peewee_async", "psycopg2", "psycopg", "pydantic_settings", "tornado", "yaml"),
    *("peewee_", "peewee__async", "prometheus_client_"),  # as distributions they are called like dependencies
    *("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)), "test", "tests"),
    *("python", "python3", "pip", "activate", "pytest", "uv"),
}
NO_MODELS = {
    *("None", "True", "False", "ValueError", "Exception", "ExceptionGroup", "Ellipsis", "NotImplemented"),
    *("PythonFinalizationError", "ImportCycleError", "WindowsError"),  # of Python 3.13, of 3.15, and on Windows
    *("MixedIdModel", "BaseModel", "CharField", "AutoField", "Field", "Database", "Application", "HTTPError"),
    *("RootHandler", "CreateHandler", "NewRow", "Row", "Tasks", "Id", "MODELS", "HINT", "Settings", "Handler"),
}


def is_name(answer: str, first: set[str], others: set[str], longest: int) -> bool:
    return 1 <= len(answer) <= longest and answer[0] in first and set(answer[1:]) <= others


def is_address(answer: str) -> bool:
    """An address by the HTML standard, as browsers take it."""
    local, at, domain = answer.rpartition("@")
    labels = domain.split(".")
    return (
        bool(local and at)
        and set(local) <= LOWER | UPPER | DIGITS | set(".!#$%&'*+/=?^_`{|}~-")
        and all(set(label) <= LOWER | UPPER | DIGITS | {"-"} for label in labels)
        and all(1 <= len(label) <= 63 and label[0] != "-" != label[-1] for label in labels)
        and is_text(answer)
    )


def is_port(answer: str) -> bool:
    return answer in map(str, range(1, 65536)) if len(answer) <= 5 else False


ACCEPTED: dict[str, Callable[[str], bool]] = {
    "project_name": is_text,
    "project_slug": lambda answer: (
        is_name(answer, LOWER, LOWER | DIGITS | {"_"}, 40)
        and answer not in NO_SLUGS
        and re.sub("_+", "_", answer).strip("_") not in DEPENDENCIES
    ),
    "description": is_text,
    "author_name": is_text,
    "author_email": lambda answer: not answer or is_address(answer),
    "model_name": lambda answer: (
        is_name(answer, UPPER, LOWER | UPPER | DIGITS, 40)
        and answer not in NO_MODELS | SERVICE_NAMES | set(dir(builtins))
    ),
    "database_name": lambda answer: (
        is_name(answer, LOWER | UPPER | {"_"}, LOWER | UPPER | DIGITS | {"_", "-"}, 63)
        and answer not in ("template0", "template1")
    ),
    "database_port": is_port,
    "port": is_port,
}

SLUGS = [
    *("a", "a" * 40, "a" * 41, "", "A", "aB", "1a", "_a", "a-b", "a.b", "a b", " a", "a ", "a\n", "a1_", "a__b", "a_"),
    *("..", "../up", "a/b/c", "/tmp/a", "~", "a\\b", "C:a", "*", "$(touch pwned)", "{{ 7 * 7 }}", "-a", "--help"),
    *("é", "\N{FULLWIDTH LATIN SMALL LETTER A}", "\N{CYRILLIC SMALL LETTER A}", "\N{LATIN SMALL LETTER DOTLESS I}"),
    *("a\N{ARABIC-INDIC DIGIT ONE}", "\N{KELVIN SIGN}", "\N{LATIN SMALL LETTER LONG S}", "a\u200d"),
    *("match", "case", "type", "null", "true", "yes", "no", "on", "off", "y", "n", "none", "nan", "src", "docs"),
]
MODELS = [
    *("X", "A" * 40, "A" * 41, "", "a", "1A", "_A", "A_b", "A-b", "A b", "A\n", "Á", "\N{CYRILLIC CAPITAL LETTER A}"),
    *("A\N{ARABIC-INDIC DIGIT ONE}", "A.B", "A/B", "{{ 7 * 7 }}", "User", "Order", "Table", "Select", "Null", "Yes"),
    *("IntegerField", "ForeignKeyField", "Problem", "Pool", "Migration", "T", "Test", "TestCase", "A1"),
]
ADDRESSES = [
    *("a@b", "a.b+c@d-e.example", "!#$%&'*+/=?^_`|}~-@x.y", "a@" + "b" * 63, "{@b", "a@1.2"),
    *("a", "@b", "a@", "a b@c", "a@b c", "a@-b", "a@b-", "a@b.", "a@.b", "a@b..c", "a@b\n", "a@" + "b" * 64, "a@b@c"),
    *("{{a@b", "{%a@b", "{#a@b", "é@b", "a@é", '"a"@b', "<a@b>", "a@b_c", " a@b"),
]
DATABASES = [
    *("test", "_", "A" * 63, "A" * 64, "", "1a", "-a", "a-", "a_b-C9", "a b", "a.b", 'a"b', "a'b", "é", "a\n", "a;b"),
    *(
        "null",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "NULL",
        "True",
        "No",
        "_1",
        "e1",
        "nan",
        "a/b",
        "a@b",
    ),
    *("postgres", "template0", "template1", "template2", "template10", "template", "Template0", "TEMPLATE1"),
]
PORTS = [
    *(
        "1",
        "65535",
        "0",
        "65536",
        "99999",
        "100000",
        "-1",
        "+1",
        "05432",
        "5_432",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x10",
        "",
    ),
    *("http", "\N{ARABIC-INDIC DIGIT ONE}", "\N{SUPERSCRIPT ONE}", "1\n", "\N{FULLWIDTH DIGIT ONE}"),
]
CORPUS = {
    "project_name": HOSTILE,
    "project_slug": [*SLUGS, *HOSTILE, *sorted(NO_SLUGS)],
    "description": HOSTILE,
    "author_name": HOSTILE,
    "author_email": [*ADDRESSES, *HOSTILE],
    "model_name": [*MODELS, *HOSTILE, *sorted(NO_MODELS)],
    "database_name": [*DATABASES, *HOSTILE],
    "database_port": [*PORTS, *HOSTILE],
    "port": [*PORTS, *HOSTILE],
}

ANYTHING = st.text(st.characters(), max_size=200)
MARKS = st.text(st.sampled_from("{}%#\\`*_[]<>()!&;:/.@~|$+-=\"' \n\t\x7f\u2028aw1é🦤\u0301\u202e"), max_size=60)
PIECES = st.lists(st.sampled_from([*HOSTILE, "http://", "www.", "&#", " ", "  ", "\\", "a"]), max_size=5).map("".join)
TEXT = st.one_of(ANYTHING, MARKS, PIECES).filter(is_text)
SLUG = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True).filter(ACCEPTED["project_slug"])
MODEL = st.from_regex(r"[A-Z][A-Za-z0-9]{0,39}", fullmatch=True).filter(ACCEPTED["model_name"])
DATABASE = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", fullmatch=True).filter(ACCEPTED["database_name"])
PORT = st.integers(1, 65535).map(str)
NEAR = {
    "project_slug": st.from_regex(r"[a-z_1A][a-z0-9_A-]{0,42}", fullmatch=True),
    "author_email": st.from_regex(r"[a-z{.%]{0,3}@?[a-z.-]{0,70}@[a-z.-]{0,5}", fullmatch=True),
    "model_name": st.from_regex(r"[A-Za-z_1][A-Za-z0-9_]{0,42}", fullmatch=True),
    "database_name": st.from_regex(r"[A-Za-z_1-][A-Za-z0-9_.-]{0,65}", fullmatch=True),
    "database_port": st.integers(-10, 100000).map(str),
    "port": st.integers(-10, 100000).map(str),
}

# Answers that are found nowhere else in a bake.
MARKED = {
    "project_slug": "marked_slug",
    "model_name": "MarkedModel",
    "database_name": "marked_database",
    "database_port": "11111",
    "port": "22222",
}


@functools.cache
def defaults() -> dict[str, Any]:
    """The answers of someone who types none, as the template's files see them."""
    context = generate_context(str(TEMPLATE / "cookiecutter.json"))
    return dict(prompt_for_config(context, no_input=True))


@functools.cache
def templates() -> tuple[list[tuple[list[str], Any, Any]], Any]:
    """Name and content of each file with the prompts in them, and the check of the answers, for cookiecutter."""
    environment = create_env_with_context({"cookiecutter": defaults()})
    files = []
    for file in files_of_template():
        name, text = map(environment.from_string, file.split("\n", 1))
        files.append((sorted({*NAMED.findall(file)}), name, text))
    return files, environment.from_string("{{ cookiecutter | checked }}")


@functools.lru_cache(maxsize=64)
def render(**answers: str) -> Mapping[str, str]:
    """The files of a bake, without a disk. `test_rendered_files_are_those_of_a_bake` says that they are those."""
    context = defaults() | answers
    rendered = dict(
        render_file(number, tuple((prompt, context[prompt]) for prompt in named))
        for number, (named, *_) in enumerate(templates()[0])
    )
    return {name: text for name, text in rendered.items() if not f"/{name}".endswith("/")}


@functools.lru_cache(maxsize=10_000)
def render_file(number: int, answers: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """Name and content of a file, which depends on these answers alone."""
    _, name, text = templates()[0][number]
    return name.render(cookiecutter=dict(answers)), text.render(cookiecutter=dict(answers))


def refusal(prompt: str, answer: object) -> str | None:
    """The line that says so, where the answer is refused."""
    try:
        templates()[1].render(cookiecutter=defaults() | {prompt: answer})
    except SystemExit as refused:
        return str(refused.code)
    return None


def test_each_prompt_is_tried() -> None:
    assert ACCEPTED.keys() == CORPUS.keys() == {name for name, asked in questions().items() if isinstance(asked, str)}


def test_readme_has_each_prompt() -> None:
    readme = (TEMPLATE / "README.md").read_text("utf-8")
    table = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", readme, re.MULTILINE)
    assert [prompt for prompt, _, _ in table] == list(questions())
    for prompt, default, accepted in table:
        asked = questions()[prompt]
        if isinstance(asked, list):
            assert default == asked[0]
            assert re.sub(r" \(3\)|^.*: ", "", accepted).split(", ") == asked
        elif prompt not in ("project_slug", "description"):
            assert default == asked


@pytest.mark.parametrize("prompt", ACCEPTED)
def test_accepted_or_refused_in_one_line(prompt: str) -> None:
    @given(st.one_of(ANYTHING, MARKS, PIECES, NEAR.get(prompt, TEXT)))
    def holds(answer: str) -> None:
        refused = refusal(prompt, answer)
        if ACCEPTED[prompt](answer):
            assert refused is None
        else:
            assert refused is not None
            assert refused.startswith(f"{prompt}: {answer!r} is not accepted; it takes ")
            assert refused.isprintable()  # one line, whatever the answer

    for answer in CORPUS[prompt]:
        holds = example(answer)(holds)
    holds()


@pytest.mark.parametrize("answer", [None, True, 5432, ["a"], {"a": "b"}])
def test_what_is_no_text_is_refused(answer: object) -> None:
    """A config file can say such things; of a number cookiecutter makes a text by itself."""
    assert refusal("description", answer) is not None


@given(name=TEXT, description=TEXT, author=TEXT, address=st.one_of(st.just(""), st.sampled_from(ADDRESSES[:6])))
def test_free_text_comes_out_as_it_went_in(name: str, description: str, author: str, address: str) -> None:
    shows_text(project_name=name, description=description, author_name=author, author_email=address)


@pytest.mark.parametrize("text", [text for text in HOSTILE if is_text(text)])
def test_hostile_text_comes_out_as_it_went_in(text: str) -> None:
    shows_text(project_name=text, description=text, author_name=text, author_email="")


def shows_text(**texts: str) -> None:
    """Bakes these texts, and reads them out of each file in the way that those do for whom it is."""
    named = {"project_slug": "slug", "author_email": ""}
    files, plain = render(**named | texts), render(**named | dict.fromkeys(texts, "plain"))

    project = tomllib.loads(files["pyproject.toml"])
    author = {"name": texts["author_name"]} if texts["author_name"].strip() else {}
    address = {"email": texts["author_email"]} if texts["author_email"] else {}
    expected = tomllib.loads(plain["pyproject.toml"])
    expected["project"] |= {"description": texts["description"], "authors": [author | address]}
    if not author | address:
        del expected["project"]["authors"]
    assert project == expected

    name, description = words(texts["project_name"]), words(texts["description"])
    for show in (MarkdownIt().render, gfm.convert):
        page, plain_page = Page(show(files["README.md"])), Page(show(plain["README.md"]))
        assert page.texts == [text for text in (name, description) if text] + plain_page.texts[2:]
        assert page.tags == plain_page.tags

    for licence in ("MIT", "BSD-3-Clause", "Proprietary"):
        text, plain_text = (
            render(**named, license=licence, author_name=author)["LICENSE"]
            for author in (texts["author_name"], "plain")
        )
        assert text == plain_text.replace("Copyright (c) plain", f"Copyright (c) {texts['author_name']}")

    changed = {file for file in files if files[file] != plain[file]}
    assert changed <= {"pyproject.toml", "README.md", "LICENSE"}


class Page(html.parser.HTMLParser):
    """What someone sees of a page: the texts of its blocks, and what else there is than paragraphs and links."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self._blocks = [""]
        self.feed(page)
        self.close()

    @property
    def texts(self) -> list[str]:
        return [text for text in map(words, self._blocks) if text]

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "a":
            self._blocks.append("")
            self.tags += [tag] * (tag != "p")

    def handle_endtag(self, tag: str) -> None:
        if tag != "a":
            self._blocks.append("")

    def handle_data(self, data: str) -> None:
        self._blocks[-1] += data


def words(text: str) -> str:
    """A text as it is shown: several spaces as one, and none around it."""
    return re.sub(r"[ \n]+", " ", text).strip()


@settings(max_examples=50)
@given(slug=SLUG, model=MODEL, database=DATABASE, database_port=PORT, port=PORT.filter(lambda port: int(port) >= 1024))
def test_names_come_out_as_they_went_in(slug: str, model: str, database: str, database_port: str, port: str) -> None:
    shows_names(slug, model, database, database_port, port)


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if ACCEPTED["project_slug"](slug)])
def test_hostile_slug_comes_out_as_it_went_in(slug: str) -> None:
    shows_names(slug, "X", "test", "1", "65535")


@pytest.mark.parametrize("model", [model for model in MODELS if ACCEPTED["model_name"](model)])
def test_hostile_model_name_comes_out_as_it_went_in(model: str) -> None:
    shows_names("slug", model, "test", "1", "65535")


@pytest.mark.parametrize("database", [database for database in DATABASES if ACCEPTED["database_name"](database)])
def test_hostile_database_name_comes_out_as_it_went_in(database: str) -> None:
    shows_names("slug", "X", database, "1", "65535")


def load_yaml(text: str) -> list[Any]:
    return list(yaml.load_all(text, yaml.CSafeLoader))  # the other loader takes ten times as long


def shows_names(slug: str, model: str, database: str, database_port: str, port: str) -> None:
    """Bakes these names and ports, and finds them in each file where those of another bake were, and nowhere else."""
    names = {
        "project_slug": slug,
        "model_name": model,
        "database_name": database,
        "database_port": database_port,
        "port": port,
    }
    kebab = "-".join(filter(None, slug.split("_")))
    new = {
        **{MARKED[prompt]: name for prompt, name in names.items()},
        "marked-slug": kebab,
        "markedmodel": model.lower(),
    }
    pattern = re.compile("|".join(map(re.escape, sorted(new, key=len, reverse=True))))

    def renamed(value: Any) -> Any:
        """What was read from a file, with these names in the place of the others."""
        if isinstance(value, str):
            return pattern.sub(lambda match: new[match[0]], value)
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if isinstance(value, dict):
            return {renamed(key): renamed(item) for key, item in value.items()}
        return int(renamed(str(value))) if value in (11111, 22222) else value

    for deploy in ("compose", "kubernetes"):
        files, marked = render(**names, deploy=deploy), render(**MARKED, deploy=deploy)
        assert files.keys() == {renamed(name) for name in marked}
        for name, text in marked.items():
            came_out = files[renamed(name)]
            if not any(mark in text for mark in new):
                assert came_out == text
                continue
            # systemd wants the name of a user within 31 characters.
            assert came_out.replace(f"User={slug[:31]}\n", f"User={slug}\n") == renamed(text)
            if name.endswith((".yaml", ".yml")):
                assert load_yaml(came_out) == renamed(load_yaml(text))
            elif name.endswith(".toml"):
                assert tomllib.loads(came_out) == renamed(tomllib.loads(text))
            elif name.endswith(".py") and name.startswith("src"):
                ast.parse(came_out)
        reads_images(files, kebab)


# https://github.com/distribution/reference, and RFC 1035 as Kubernetes wants it of a Service.
IMAGE = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?::[\w][\w.-]{0,127})?"
LABEL = r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?"


def reads_images(files: Mapping[str, str], kebab: str) -> None:
    """What Docker and Kubernetes take for a name is one."""
    if "compose.yaml" in files:
        compose = yaml.safe_load(files["compose.yaml"])
        assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", compose["name"])
        images = [service["image"] for service in compose["services"].values()]
    else:
        deployment, service = (
            yaml.safe_load(files[f"kubernetes/base/{name}.yaml"]) for name in ("deployment", "service")
        )
        pod = deployment["spec"]["template"]["spec"]
        images = [container["image"] for container in pod["initContainers"] + pod["containers"]]
        images += re.findall(
            r"^docker build -t registry\.example\.com/(\S+) \.$", files["docs/operations.md"], re.MULTILINE
        )
        assert {kebab} == {deployment["metadata"]["name"], service["metadata"]["name"]}
        assert re.fullmatch(LABEL, kebab)
    assert all(re.fullmatch(IMAGE, image) for image in images)
    *_, command = files["Dockerfile"].splitlines()
    assert json.loads(command.removeprefix("CMD "))[1:] == ["serve"]


@pytest.mark.parametrize(("port", "inside"), [("1", 8001), ("80", 8080), ("443", 8443), ("1023", 9023), ("1024", 1024)])
def test_container_has_a_port_that_any_user_may_listen_on(port: str, inside: int) -> None:
    files = {**render(port=port, deploy="compose"), **render(port=port, deploy="kubernetes")}
    compose, deployment = (yaml.safe_load(files[name]) for name in ("compose.yaml", "kubernetes/base/deployment.yaml"))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert f" PORT={inside}\nEXPOSE {inside}\n" in files["Dockerfile"]
    assert compose["services"]["service"]["environment"]["PORT"] == f"{inside}"
    assert compose["services"]["service"]["ports"] == [f"127.0.0.1:${{PORT:-{port}}}:{inside}"]
    assert container["ports"] == [{"name": "http", "containerPort": inside}]


def test_rendered_files_are_those_of_a_bake(bake: Bake) -> None:
    """Cookiecutter writes what the other tests read."""
    texts = {"project_name": HOSTILE[0], "description": HOSTILE[1], "author_name": HOSTILE[8], **MARKED}
    baked = {name: text for name, text in bake(**texts).texts() if "swagger-ui" not in name}
    assert baked == render(**texts)


def test_no_slug_that_its_environment_uses(bake: Bake, python_for: PythonFor) -> None:
    """Holds the list of refused names to what is installed beside the project, on any machine and driver."""
    for driver in ("aiopg", "psycopg"):
        project = bake(driver=driver)
        project.run(UV, "lock", "--quiet")
        locked = [package["name"] for package in tomllib.loads(project.read("uv.lock"))["package"]]
        environment = python_for(driver).parent.parent
        [packages] = environment.glob("lib/python*/site-packages")
        modules = [
            name
            for distribution in importlib.metadata.distributions(path=[str(packages)])
            for name in {file.parts[0].removesuffix(".py") for file in distribution.files or []}
        ]
        commands = os.listdir(environment / "bin")
        used = {*(name.replace("-", "_") for name in locked), *modules, *commands} - {"name_service"}
        assert not {name for name in used if refusal("project_slug", name) is None}


@pytest.mark.parametrize("version", CHOICES["python_version"])
def test_no_name_of_any_python(version: str) -> None:
    """Refuse a module of any supported Python's standard library, and its builtins, whichever Python bakes."""
    code = "import builtins, json, sys; print(json.dumps([sorted(sys.stdlib_module_names), dir(builtins)]))"
    told = subprocess.run([interpreter_or_skip(version), "-c", code], check=True, capture_output=True)
    modules, names = json.loads(told.stdout)
    assert not {name for name in modules if refusal("project_slug", name) is None}
    assert not {name for name in names if refusal("model_name", name) is None}


# The modules that import the model, or will once there is a second one.
MODEL_MODULES = re.compile(r"src/name_service/(handlers|models|seeding|service)\.py|tests/\w+\.py")


def test_model_names_that_are_refused_are_those_that_the_service_uses(bake: Bake) -> None:
    modules = [text for name, text in bake().texts() if MODEL_MODULES.fullmatch(name)]
    assert set().union(*map(capitalised_names, modules)) - {"TestNameModel"} - set(dir(builtins)) == SERVICE_NAMES


def capitalised_names(source: str) -> set[str]:
    """Return the names in a module that could be the model's, too."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    names |= {alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {name for name in names if name[0].isupper() and name.isalnum()}
