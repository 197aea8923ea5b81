"""Rewrites request headers that Tornado would misread."""

import functools
import itertools
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders, HTTPInputError, RequestStartLine

ABSOLUTE_FORM = re.compile(r"https?://([^/?]+)(.*)", re.IGNORECASE)


def in_origin_form(start_line: RequestStartLine, headers: HTTPHeaders) -> RequestStartLine:
    """Return `GET http://host/path` as `GET /path`, with the host as the Host header (RFC 9112, 3.2.2)."""
    absolute = ABSOLUTE_FORM.fullmatch(start_line.path)
    if absolute is None:
        return start_line
    authority, path = absolute.groups()
    if len(headers.get_list("Host")) == 1:  # Tornado refuses several, and none
        headers["Host"] = authority
    return start_line._replace(path=path if path.startswith("/") else f"/{path}")


def size_of(headers: HTTPHeaders) -> int:
    """Return the size in bytes."""
    return len("".join(itertools.chain.from_iterable(headers.get_all()))) + 4 * len(headers)


def normalize(headers: HTTPHeaders, names: Iterable[str], version: str) -> None:
    """Rewrite the headers in `names` into the form that Tornado expects. Raises HTTPInputError."""
    if version == "HTTP/1.0":
        if "Transfer-Encoding" in headers:
            raise HTTPInputError("HTTP/1.0 has no Transfer-Encoding")  # a proxy may see the body end elsewhere
        headers["Expect"] = ""  # which is not HTTP/1.0's either
    for name in names:
        if name in NORMALIZERS:
            headers[name] = NORMALIZERS[name](headers[name])


def _expectation(given: str) -> str:
    expected = [each.strip().lower() for each in given.split(",")]
    return "100-continue" if "100-continue" in expected else given


def _origin(given: str) -> str:
    try:
        urlsplit(given)
    except ValueError:
        return "null"  # what a browser sends for an origin that it doesn't tell
    return given


@functools.lru_cache(maxsize=16)  # clients send the same few
def _content_type(given: str) -> str:
    """Return it with the names in lower case: of the type, and of the parameter `boundary`."""
    return re.sub(r"^[^;]*|;\s*boundary\s*=", lambda name: name[0].lower(), given, flags=re.IGNORECASE)


def _extensions(given: str) -> str:
    """Drop extended parameters (RFC 2231), for which Tornado may raise TypeError before Python 3.14."""
    return "" if "*" in given else given


NORMALIZERS: dict[str, Callable[[str], str]] = {
    "Content-Type": _content_type,
    "Expect": _expectation,
    "Origin": _origin,
    "Sec-Websocket-Extensions": _extensions,
}
# Most requests have none of these, and need no look at each.
SPECIAL = frozenset({"Content-Length", "Transfer-Encoding", *NORMALIZERS})
