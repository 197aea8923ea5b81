"""The pictures of the documentation show the template as it is: `make pictures` makes them anew."""

import html
import json
import re

from harness.baked import TEMPLATE, Bake
from harness.choices import questions
from harness.pictures import ADDRESS, FIRST_REQUEST, HOUSE, PAGE, TERMINAL, commands, imports, page_digest
from harness.unbaked import FOUNDATION


def test_terminal_shows_the_way_to_the_first_request() -> None:
    drawn = re.findall(r"<text[^>]*>(.*?)</text>", TERMINAL.read_text("utf-8"))
    shown = without_spaces(html.unescape("".join(drawn)))
    banner = re.findall(r'BANNER = """\\\n(.*?)"""', (FOUNDATION / "server.py").read_text("utf-8"), re.DOTALL)
    answer = '{"id":1,"name":"TestNameModel id=1"}'
    steps = [commands()[0], *labels(), commands()[1], banner[0].format(address=ADDRESS), FIRST_REQUEST, answer]
    end = 0
    for step in steps:
        found = shown.find(without_spaces(step), end)
        assert found >= 0, f"docs/terminal.svg doesn't go on with {step!r}: run `make pictures`"
        end = found + len(without_spaces(step))


def labels() -> list[str]:
    """Return the questions in the order in which cookiecutter asks, with their numbers, defaults and choices."""
    prompts = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))["__prompts__"]
    shown = []
    for number, (prompt, default) in enumerate(questions().items(), 1):
        label = prompts[prompt]
        choices = {"__prompt__": label} if isinstance(label, str) else label
        text = f"[{number}/{len(questions())}] {choices['__prompt__']}"
        if isinstance(default, list):
            offered = [choices.get(choice, choice) for choice in default]
            shown += [text, *(f"{number} - {choice}" for number, choice in enumerate(offered, 1))]
        else:
            shown.append(text if "{{" in default else f"{text} ({default}):")
    return shown


def without_spaces(text: str) -> str:
    """Return the text as it is whatever the width of the terminal."""
    return "".join(text.split())


def test_page_is_the_one_of_the_service(bake: Bake) -> None:
    assert page_digest(bake()).encode() in PAGE.read_bytes(), "docs/page.png is out of date: run `make pictures`"


def test_house_is_drawn_from_the_imports(bake: Bake) -> None:
    titles = map(html.unescape, re.findall(r"<title>(.*)</title>", HOUSE.read_text("utf-8")))
    arrows = {tuple(title.split("->")) for title in titles if "->" in title}
    assert arrows == imports(bake()), "docs/house.svg is out of date: run `make pictures`"


def test_pictures_are_small_and_load_nothing() -> None:
    assert max(picture.stat().st_size for picture in (TERMINAL, PAGE, HOUSE)) < 150_000
    for picture in (TERMINAL, HOUSE):
        addresses = set(re.findall(r"(?:href=\"|url\(\"?)(?!#)([^)\"]*)", picture.read_text("utf-8")))
        assert not addresses, picture
