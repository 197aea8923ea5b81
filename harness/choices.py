"""The questions of cookiecutter.json, combinations of its choices, and names for a project."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from allpairspy import AllPairs

from .baked import TEMPLATE

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


def cover(choices: Mapping[str, Sequence[str]]) -> list[Answers]:
    """Return few combinations that contain every pair of answers to different prompts."""
    prompts = sorted(choices, key=lambda prompt: -len(choices[prompt]))  # the longest first: that makes fewest
    return [dict(zip(prompts, values, strict=True)) for values in AllPairs([choices[prompt] for prompt in prompts])]
