"""The choices of cookiecutter.json, however many there are, combinations of them, and names other than the defaults."""

import itertools
import json
from collections.abc import Mapping, Sequence

from allpairspy import AllPairs

from .baked import TEMPLATE

Answers = dict[str, str]

_PROMPTS = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
CHOICES: dict[str, list[str]] = {
    prompt: values for prompt, values in _PROMPTS.items() if isinstance(values, list) and not prompt.startswith("_")
}

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
}


def product(choices: Mapping[str, Sequence[str]]) -> list[Answers]:
    """Every combination."""
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def cover(choices: Mapping[str, Sequence[str]]) -> list[Answers]:
    """Few combinations in which any two answers to different prompts are together at least once."""
    prompts = sorted(choices, key=lambda prompt: -len(choices[prompt]))  # the longest first: that makes fewest
    return [dict(zip(prompts, values, strict=True)) for values in AllPairs([choices[prompt] for prompt in prompts])]
