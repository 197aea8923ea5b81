"""The questions of cookiecutter.json, combinations of its choices, and names for a project."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .baked import TEMPLATE

PROJECT = TEMPLATE / "{{cookiecutter.project_slug}}"

NAMED = re.compile(r"cookiecutter\.(\w+)")

Answers = dict[str, str]


CHECK = "{{ cookiecutter | checked }}"  # checks what was answered before


def questions() -> dict[str, Any]:
    """Return each prompt of cookiecutter.json with its default or its choices, without cookiecutter's own settings."""
    asked = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8").replace(CHECK, ""))
    return {prompt: default for prompt, default in asked.items() if not prompt.startswith("_")}


CHOICES: dict[str, list[str]] = {prompt: values for prompt, values in questions().items() if isinstance(values, list)}

# Names that only a project with the default answers contains, in lower case.
DEFAULT_NAMES = ("testnamemodel", "test_name_model", "name_service", "name-service", "name service")

# Names and ports other than the defaults.
NAMES: dict[str, Answers] = {
    "other names": {
        "project_name": "Zoë's «Café»",
        "project_slug": "a_cafe_1",
        "description": 'Says "hello" \\ in `one` sentence.',
        "author_name": "Zoë O'Neil",
        "author_email": "",
        "model_name": "X",
        "database_name": "_a-DB",
        "database_port": "1",
        "port": "65535",
    },
    "longest names": {
        "project_slug": "a" * 40,
        "model_name": "A" * 40,
        "database_name": "A" * 63,
        "port": "1",
    },
    "names of the foundation's example": {
        "project_slug": "example",
        "model_name": "Item",
        "database_name": "example",
    },
}


def product(choices: Mapping[str, Sequence[str]]) -> list[Answers]:
    """Return every combination."""
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def files_of_template() -> Iterator[str]:
    """Yield the name and the text of each file, without Swagger UI's."""
    for path in PROJECT.rglob("*"):
        if path.is_file() and not {"__pycache__", "swagger-ui"} & {*path.parts}:
            yield f"{path.relative_to(PROJECT)}\n{path.read_text(encoding='utf-8')}"


def named_together() -> set[frozenset[str]]:
    """Return the choices that a file of the template names, for each file. It depends on no others."""
    return {frozenset(NAMED.findall(file)).intersection(CHOICES) for file in files_of_template()}


def cover(together: Iterable[Iterable[str]]) -> list[Answers]:
    """Return few combinations that contain each of those of some prompts, for all that belong together."""
    needed = {
        frozenset(some.items())
        for prompts in together
        for some in product({prompt: CHOICES[prompt] for prompt in sorted(prompts)})
    }
    candidates = [frozenset(answers.items()) for answers in product(CHOICES)]
    chosen = []
    while needed:
        best = max(candidates, key=lambda candidate: sum(some <= candidate for some in needed))
        chosen.append(dict(sorted(best)))
        needed = {some for some in needed if not some <= best}
    return chosen
