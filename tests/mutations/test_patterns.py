"""Patterns of mutations find their place whatever its layout and its local names are, or say that they don't."""

import pytest

from harness.mutating import MutationError, replace_code, replace_text


@pytest.mark.parametrize(
    ("source", "pattern", "replacement", "expected"),
    [
        ("if (a and\n    b.c()): pass", "___ and ___.c()", "False", "if False:\n    pass"),
        ("self._waiting.popleft()", "self.___a.popleft()", "self.___a.pop()", "self._waiting.pop()"),
        ("a = 1\nb = a", "a", "2", "a = 1\nb = 2"),
        ("x = 1 if x is None else x", "___ = 1 if ___a is None else ___a", "pass", "pass"),
        ("f(1, 2, c=3, d=4)", "f(___a, *___, c=3, **___b)", "f(___a, **___b)", "f(1, d=4)"),
        ("[*a, b, c]", "[*a, *___b]", "[*___b, *a]", "[b, c, *a]"),
        ("with a as b:\n    c()\n    d()", "with ___ as b:\n    ___c", "b()\n___c", "b()\nc()\nd()"),
        ("f'{a} is {b!r}'", "f'{___a} is {b!r}'", "___a", "a"),
    ],
    ids=["layout", "attribute", "value", "repeated", "arguments", "elements", "statements", "f-string"],
)
def test_code_is_replaced(source: str, pattern: str, replacement: str, expected: str) -> None:
    assert replace_code(source, pattern, replacement) == expected


@pytest.mark.parametrize(("source", "times"), [("g(1)", 0), ("f(1, 2)", 0), ("f(1)\nf(2)", 2), ("f(True) + f(f)", 2)])
def test_code_has_to_be_there_once(source: str, times: int) -> None:
    with pytest.raises(MutationError, match=rf"doesn't apply: .* is there {times} times:\nf\(___\)$"):
        replace_code(source, "f(___)", "None")


@pytest.mark.parametrize("source", ["f(True)", "f(1.0)", "f('1')", "f(2)"])
def test_other_constant_does_not_match(source: str) -> None:
    with pytest.raises(MutationError, match="is there 0 times"):
        replace_code(source, "f(1)", "None")


def test_text_has_to_be_there_once() -> None:
    assert replace_text("SELECT 1", "SELECT", "TABLE") == "TABLE 1"
    with pytest.raises(MutationError, match=r"is there 2 times:\n1$"):
        replace_text("SELECT 1, 1", "1", "2")


def test_wildcard_that_the_pattern_lacks() -> None:
    with pytest.raises(MutationError, match=r"the replacement has a wildcard that the pattern lacks:\n___b$"):
        replace_code("f(1)", "f(___a)", "___b")
