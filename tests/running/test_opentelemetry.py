"""The documentation's command sends spans, without code of the service's own."""

import os
import shlex
import urllib.request
from pathlib import Path

from harness.baked import UV
from harness.collector import collecting
from harness.postgres import Server
from harness.serving import Service

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_spans_of_a_request_and_its_statement(service: Service, server: Server) -> None:
    """The request is a part of its caller's trace, and the statement of the request."""
    [command] = service.project.blocks("opentelemetry-instrument")
    path = f"{Path(UV).parent}{os.pathsep}{os.environ['PATH']}"
    with collecting() as collector:
        with service.serving(
            server.url,
            command=["env", *shlex.split(command)],  # `env` takes what the command begins with, NAME=value
            PATH=path,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.address,
        ) as address:
            request = urllib.request.Request(f"{address}/?id=1", headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
            urllib.request.urlopen(request).close()
        [answered] = [span for span in collector.spans if span.parent == CALLER]
        [statement] = [span for span in collector.spans if span.parent == answered.id]
    assert (answered.name, answered.trace, answered.service) == ("GET /", TRACE, "name_service")
    assert (statement.name, statement.trace) == ("SELECT", TRACE)
    assert 'FROM "testnamemodel"' in statement.attributes["db.statement"]
