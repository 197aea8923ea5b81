"""Finds what a migration can't have: statements that would end or divide its transaction, and commands of psql."""

import re

DEPTH = 8


def _nested(begin: str, end: str, inner: str = "(?!)") -> str:
    """Return a pattern of a text from `begin` to `end` that may contain others like it, DEPTH levels deep.

    It has no possessive quantifiers, which would never backtrack: Debian 12 has Python 3.11.2, which gets them wrong.
    """
    for _ in range(DEPTH):
        inner = rf"{begin}(?:(?!{begin}|{end}).|{inner})*{end}"
    return inner


# Strings, quoted names, comments and $$ bodies, in which such words are only text. A name can end in e or $a$.
TEXT = re.compile(
    rf"""
    --[^\n]* | {_nested(r"/[*]", r"[*]/")}    # comments
    | (?<![\w$])[eE]'(?:\\.|''|[^'\\])*'           # strings with escapes
    | '(?:''|[^'])*' | "(?:""|[^"])*"     # strings, quoted names
    | (?<![\w$])(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)         # bodies
    """,
    re.DOTALL | re.VERBOSE,
)
CONTROL = re.compile(
    r"(BEGIN(?!\s+ATOMIC)|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION)\b",
    re.IGNORECASE,
)
# The body of a function in standard SQL, with those of CASE; a.case is a column.
CASE, END = r"(?<![\w$.])CASE\b", r"(?<![\w$.])END\b"
ATOMIC_BODY = re.compile(
    rf"\bBEGIN\s+ATOMIC\b(?:(?!{CASE}|{END}).|{_nested(CASE, END)})*{END}", re.IGNORECASE | re.DOTALL
)
PSQL = re.compile(
    r"^[ \t]*(?P<line>\\.*)$ | (?:^|;)[ \t]*COPY\b[^;]*\b(?P<copy>FROM\s+STDIN|TO\s+STDOUT)\b",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def transaction_control(sql: str) -> str | None:
    """Return the first statement that controls the transaction, such as COMMIT, or None."""
    code = ATOMIC_BODY.sub(" ", TEXT.sub(" ", sql))
    found = (CONTROL.match(statement.strip()) for statement in code.split(";"))
    return next((match[0].upper() for match in found if match), None)


def psql_command(sql: str) -> str | None:
    """Return the first command that psql executes and a server doesn't, or None."""
    if not (found := PSQL.search(TEXT.sub(" ", sql))):
        return None
    return f"the line '{found['line']}'" if found["line"] else f"COPY … {found['copy'].upper()}"
