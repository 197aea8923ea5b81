"""A project with other names shows only these while it runs. For its files, see `tests/bakes/test_bake.py`."""

import json
import urllib.request

import psycopg
import pytest

from harness.baked import Bake
from harness.choices import DEFAULT_NAMES
from harness.pythons import PythonFor
from harness.serving import Service

ANSWERS = {"project_name": "Order Desk", "model_name": "PurchaseOrder", "database_name": "orders"}
PATHS = ("/?id=1", "/create?id=100", "/openapi.json", "/docs", "/metrics")


@pytest.fixture(scope="module", params=["aiopg", "psycopg"])
def renamed(bake: Bake, python_for: PythonFor, request: pytest.FixtureRequest) -> Service:
    return Service(bake(driver=request.param, **ANSWERS), python_for(request.param), request.param)


def test_what_it_serves(renamed: Service, database: str) -> None:
    """Its rows, its description, the page that shows it, its metrics; and the tables that it makes."""
    with renamed.serving(database, command=[renamed.python, "-m", "order_desk", "serve"]) as address:
        served = {path: get(address + path) for path in PATHS}
    assert json.loads(served["/?id=1"]) == {"id": 1, "name": "PurchaseOrder id=1"}
    assert json.loads(served["/create?id=100"])["obj"] == "PurchaseOrder id=100"
    assert json.loads(served["/openapi.json"])["info"]["title"] == "order-desk"
    assert "PurchaseOrder id=1" in served["/openapi.json"]  # which /docs shows
    for path, text in served.items():
        for default in DEFAULT_NAMES:
            assert default not in text.lower(), path
    assert tables(database) == {"purchaseorder", "order_desk_migrations"}


def get(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in found}
