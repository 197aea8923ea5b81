"""What proxies say of the clients whose requests they pass on."""

import functools
import re
from ipaddress import IPv6Address, ip_address

from tornado.httputil import HTTPServerRequest, split_host_and_port

from ..settings import Networks

HOST = re.compile(r"[A-Za-z0-9._~:\[\]-]+")


def believe_proxies(request: HTTPServerRequest, trusted: Networks) -> None:
    """Replace the request's address, scheme and host by the client's, if a trusted proxy sent it.

    Tornado's `xheaders` believes any peer, and the `X-Real-IP` that a proxy passes on as its client sent it.
    """
    if not _is_trusted(request.remote_ip, trusted):
        return
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        try:
            request.remote_ip = str(ip_address(hop.strip()))
        except ValueError:
            break
        if not _is_trusted(request.remote_ip, trusted):
            break  # what comes before is that client's word
    scheme = _last(request, "X-Forwarded-Proto").lower()
    if scheme in ("http", "https"):
        request.protocol = scheme
    host = _last(request, "X-Forwarded-Host")
    if HOST.fullmatch(host):
        request.headers["Host"] = request.host = host
        request.host_name = split_host_and_port(host.lower())[0]


@functools.lru_cache(maxsize=1024)
def _is_trusted(address: str, networks: Networks) -> bool:
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in network for network in networks)


def _last(request: HTTPServerRequest, name: str) -> str:
    """Return the header's last value: of several proxies, the nearest added it."""
    return request.headers.get(name, "").rpartition(",")[2].strip()
