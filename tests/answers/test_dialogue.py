"""The questions and the last message as a person sees them, in a terminal of 80 columns and 24 lines."""

import json
import shlex
import sys
from pathlib import Path

import pytest
from rich.text import Text

from harness.baked import TEMPLATE
from harness.choices import CHOICES, questions
from harness.terminal import COLUMNS, PROMPT, Shell
from local_extensions import RULES

TOGETHER = [
    ("project_name", "project_slug", "description"),
    ("author_name", "author_email", "license"),
    ("python_version", "port"),
    ("model_name", "driver", "database_name", "database_port"),
    ("ci", "deploy"),
]
RESERVE = 4  # columns left to begin an answer in


def baked_in(folder: Path, *options: str) -> list[str]:
    """Bake in the folder with the default answers, and return the lines that the terminal showed, without colours."""
    config = folder / "config.yaml"
    config.write_text(f"replay_dir: {folder / 'replays'}\n", "utf-8")
    shell = Shell(folder, COOKIECUTTER_CONFIG=str(config))
    shell.type(shlex.join([sys.executable, "-m", "cookiecutter", str(TEMPLATE), *options]))
    shell.take_the_defaults()
    shell.close()
    shown = Text.from_ansi(shell.printed.replace("\r\n", "\n")).plain
    return shown[shown.index("[1/") - 2 :].splitlines()


def test_questions_fit_and_the_last_message_says_what_to_type(tmp_path: Path) -> None:
    lines = baked_in(tmp_path)
    asked = [line for line in lines if line.endswith(": ")]
    assert len(asked) == len(questions())
    assert all("[" in line for line in asked)  # what cookiecutter wraps begins in the line above
    assert max(map(len, asked)) <= COLUMNS - RESERVE
    *_, said, _, command, _, prompt = lines
    assert (said, prompt) == ("The project is baked. Serve it, on embedded PostgreSQL:", PROMPT)
    assert command.strip() == "cd name_service && make run"


def test_message_names_a_folder_elsewhere(tmp_path: Path) -> None:
    lines = baked_in(tmp_path, "--output-dir", "my services")
    command = "".join(lines[lines.index("The project is baked. Serve it, on embedded PostgreSQL:") + 1 : -1]).strip()
    assert shlex.split(command) == ["cd", str(tmp_path / "my services" / "name_service"), "&&", "make", "run"]


def test_related_questions_stand_together() -> None:
    assert list(questions()) == [prompt for prompts in TOGETHER for prompt in prompts]


@pytest.mark.parametrize("prompt", RULES)
def test_label_says_what_is_accepted(prompt: str) -> None:
    """An answer is refused when the next text is asked for, and then all answers are lost."""
    label = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))["__prompts__"][prompt]
    assert prompt not in CHOICES
    assert ": " in label


def test_question_about_the_longest_name_fits() -> None:
    label = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))["__prompts__"]["project_slug"]
    assert len(f"  [2/14] {label} ({'a' * 40}): ") <= COLUMNS
