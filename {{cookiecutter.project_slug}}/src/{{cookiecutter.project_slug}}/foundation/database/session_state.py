"""Statements that leave something in their session, for the next task that gets the connection."""

import functools
import re

CACHED_LENGTH = 2000  # characters, so that the cache stays below a few MB

COMMENT = r"--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/"
BEGINNING = re.compile(
    rf"(?:\s|{COMMENT})*(?:set(?!\s+(?:local|transaction|constraints)\b)\s|listen\s|prepare\s|load\s)"
)
WORDS = ("set_config", "advisory_lock", "temp", "hold")  # look for them first: the pattern takes longer
ANYWHERE = re.compile(
    r"set_config\s*\((?![^)]*,\s*true\s*\))"
    r"|pg_(?:try_)?advisory_lock"
    r"|\b(?:create|(?<!insert\s)into)\s+(?:or\s+replace\s+)?(?:(?:global|local)\s+)?temp(?:orary)?\b(?!.*\bon\s+commit\s+drop\b)"
    r"|\bpg_temp\b"
    r"|\bwith\s+hold\b",
    re.DOTALL,
)


def leaves_state(sql: str) -> bool:
    """Return whether the statement changes the session beyond its transaction, as SET does and SET LOCAL doesn't."""
    return _search(sql) if len(sql) < CACHED_LENGTH else _search.__wrapped__(sql)


@functools.lru_cache(maxsize=1024)
def _search(sql: str) -> bool:
    text = sql.lower()
    if any(BEGINNING.match(statement) for statement in text.split(";")):
        return True
    return any(word in text for word in WORDS) and ANYWHERE.search(text) is not None
