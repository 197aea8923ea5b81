"""Metrics for Prometheus."""

from prometheus_client.parser import text_string_to_metric_families

from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import ExampleSettings
from .relay import Relay
from .support import running_with
from .test_lost_database import through


async def metrics(service: Service) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return the labels and values of each sample by name."""
    response = await service.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    samples: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(response.body.decode()):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return samples


async def test_requests_are_counted_by_route_and_never_by_path(service: Service) -> None:
    for path in ("/items?id=1", "/items?id=2", "/items?id=99", "/nowhere/1", "/nowhere/2"):
        await service.get(path)
    await service.request("MADEUP", "/items")
    counted = (await metrics(service))["http_request_duration_seconds_count"]
    assert sorted((tuple(labels.values()), count) for labels, count in counted) == [
        (("GET", "/items", "200"), 2),
        (("GET", "/items", "404"), 1),
        (("GET", "none", "404"), 2),
        (("unknown", "/items", "405"), 1),
    ]


async def test_pool_and_requests_in_flight(service: Service) -> None:
    async with service.database.aio_connection():
        seen = await metrics(service)
    names = ["database_pool_size", "database_pool_in_use", "database_pool_waiting", "http_requests_in_flight"]
    assert [seen[name][0][1] for name in names] == [3, 1, 0, 1]


async def test_whether_the_database_answers(settings: ExampleSettings, database_url: str) -> None:
    async with Relay(database_url) as relay, running_with(await through(relay, settings)) as service:
        assert (await metrics(service))["database_up"] == [({}, 1)]
        relay.cut()
        assert (await metrics(service))["database_up"] == [({}, 0)]


async def test_process(service: Service) -> None:
    assert (await metrics(service))["process_resident_memory_bytes"][0][1] > 0
