"""Finds statements in a migration that would end or divide its transaction."""

import re

# Strings, quoted names, comments and $$ bodies, in which such words are only text.
TEXT = re.compile(
    r"""
    --[^\n]* | /\*.*?\*/                 # comments
    | [eE]'(?:\\.|''|[^'\\])*'           # strings with escapes
    | '(?:''|[^'])*' | "(?:""|[^"])*"     # strings, quoted names
    | (?P<tag>\$\w*\$).*?(?P=tag)         # bodies
    """,
    re.DOTALL | re.VERBOSE,
)
CONTROL = re.compile(
    r"(BEGIN(?!\s+ATOMIC)|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION)\b",
    re.IGNORECASE,
)
# The body of a function in standard SQL; its own END is the first one once those of CASE are gone.
CASE = re.compile(r"\bCASE\b(?:(?!\bCASE\b).)*?\bEND\b", re.IGNORECASE | re.DOTALL)
ATOMIC_BODY = re.compile(r"\bBEGIN\s+ATOMIC\b.*?\bEND\b", re.IGNORECASE | re.DOTALL)


def transaction_control(sql: str) -> str | None:
    """Return the first statement that controls the transaction, such as COMMIT, or None."""
    code = TEXT.sub(" ", sql)
    while CASE.search(code):  # from the inside out
        code = CASE.sub(" ", code)
    found = (CONTROL.match(statement.strip()) for statement in ATOMIC_BODY.sub(" ", code).split(";"))
    return next((match[0].upper() for match in found if match), None)
