"""Replaces one place in a module's source, found by its syntax, so that neither layout nor local names matter.

A pattern is an expression or a statement. In it, `___` stands for any expression, or for any attribute or other name,
and `___a` for one that the replacement repeats: `self.___a.popleft()` becomes `self.___a.pop()`. Written `*___a` or
`**___a` at the end of a list, or as the last statement of a block, it stands for all the rest.
"""

import ast
from typing import Any

WILDCARD = "___"


class MutationError(Exception):
    """The mutation doesn't fit the module. The message says why, and shows the pattern."""


def replace_code(source: str, pattern: str, replacement: str) -> str:
    """Return the source with what matches the pattern replaced. Raises MutationError unless that is one place."""
    replacing = _Replacing(pattern, replacement)
    changed = ast.unparse(ast.fix_missing_locations(replacing.visit(ast.parse(source))))
    _check_found_once(replacing.found, pattern)
    if WILDCARD in changed:
        raise MutationError(f"the replacement has a wildcard that the pattern lacks:\n{replacement}")
    return changed


def replace_text(source: str, text: str, replacement: str) -> str:
    """Return the source with a text, such as SQL, replaced. Raises MutationError unless it is there once."""
    _check_found_once(source.count(text), text)
    return source.replace(text, replacement)


def _check_found_once(found: int, wanted: str) -> None:
    if found != 1:
        raise MutationError(
            f"the mutation doesn't apply: this has to be there once, and is there {found} times:\n{wanted}"
        )


class _Replacing(ast.NodeTransformer):
    """Replaces what matches the pattern, and counts it."""

    def __init__(self, pattern: str, replacement: str) -> None:
        self.found = 0
        (statement,) = ast.parse(pattern).body
        self._pattern: ast.expr | ast.stmt = statement
        self._replacement: ast.expr | list[ast.stmt] = ast.parse(replacement).body
        if isinstance(statement, ast.Expr):
            self._pattern = statement.value
            self._replacement = ast.parse(replacement, mode="eval").body

    def visit(self, node: ast.AST) -> Any:
        matched: dict[str, Any] = {}
        is_assigned = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        if is_assigned or not _match(self._pattern, node, matched):
            return self.generic_visit(node)
        self.found += 1
        return _fill(self._replacement, matched)


def _match(pattern: Any, found: Any, matched: dict[str, Any]) -> bool:
    """Return whether a part of the source matches a part of the pattern, and note what the wildcards stand for."""
    if isinstance(pattern, list):
        if pattern and (rest := _wildcard_for_rest(pattern[-1])) is not None:
            pattern = pattern[:-1]
            matched[rest], found = found[len(pattern) :], found[: len(pattern)]
        return len(pattern) == len(found) and all(_match(*pair, matched) for pair in zip(pattern, found, strict=True))
    name = _wildcard(pattern)
    if name is not None and isinstance(found, ast.expr | str):
        return name == WILDCARD or _match(matched.setdefault(name, found), found, {})
    if isinstance(pattern, ast.AST) and type(pattern) is type(found):
        fields = [name for name in pattern._fields if name != "ctx"]
        return all(_match(getattr(pattern, name), getattr(found, name), matched) for name in fields)
    return type(pattern) is type(found) and bool(pattern == found)


def _fill(part: Any, matched: dict[str, Any]) -> Any:
    """Return a part of the replacement with what the wildcards stand for."""
    if isinstance(part, list):
        parts = [matched.get(_wildcard_for_rest(one) or "", [one]) for one in part]
        return [_fill(one, matched) for several in parts for one in several]
    name = _wildcard(part)
    if name in matched:
        return matched[name]
    if isinstance(part, ast.AST):
        return type(part)(**{name: _fill(value, matched) for name, value in ast.iter_fields(part)})
    return part


def _wildcard(part: Any) -> str | None:
    name = part.id if isinstance(part, ast.Name) else part
    return name if isinstance(name, str) and name.startswith(WILDCARD) else None


def _wildcard_for_rest(part: Any) -> str | None:
    is_rest = isinstance(part, ast.Expr | ast.Starred) or (isinstance(part, ast.keyword) and part.arg is None)
    return _wildcard(part.value) if is_rest else None
