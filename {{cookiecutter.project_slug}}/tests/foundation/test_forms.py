"""A form is read as it is described, by what a form can send."""

import datetime
import enum
from pathlib import Path
from typing import Annotated, Any

import pytest
from openapi_schema_validator import OAS31Validator
from pydantic import Field
from tornado.escape import json_decode

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import (
    Application,
    Handler,
    Id,
    RequestBody,
    document,
    operation,
)

from .example import ExampleSettings, make_application

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Size(enum.Enum):
    SMALL = "small"


class Part(RequestBody):
    name: str


class Article(RequestBody):
    title: Annotated[str, Field(min_length=1)] | None = None
    subtitle: str | None = None
    size: Size | None = None
    published: datetime.date | None = Field(None, description="The first day")
    tags: list[str] = []
    ids: list[Id] | None = None
    pair: list[str] = Field(["a", "b"], min_length=2)
    part: Part | None = None


class Plan(RequestBody):
    parts: list[Part]


class ArticleHandler(Handler):
    @operation(body=Article, responses={200: [dict[str, Any]]})
    def post(self) -> None:
        """Show what was sent."""
        self.set_header("Content-Type", JSON)
        self.finish(Article.from_request(self.request).model_dump_json(exclude_unset=True))

    @operation(body=Plan, responses={204: []})
    def put(self) -> None:
        """Plan."""


@pytest.fixture
def articles(service: Service) -> Service:
    service.application.add_handlers(".*", [("/articles", ArticleHandler)])
    return service


@pytest.fixture
def description(settings: ExampleSettings) -> dict[str, Any]:
    application = Application(
        settings,
        make_application(settings).database,
        distribution="example",
        routes=[("/articles", ArticleHandler)],
        models=[],
        migrations=Path("nowhere"),
    )
    described: dict[str, Any] = json_decode(document(application))
    return described


def is_described(description: dict[str, Any], media_type: str, body: object) -> bool:
    schema = description["paths"]["/articles"]["post"]["requestBody"]["content"][media_type]["schema"]
    validator = OAS31Validator(schema | {"components": description["components"]})
    return not [*validator.iter_errors(body)]


@pytest.mark.parametrize(
    ("sent", "fields", "read"),
    [
        ("title=", {"title": ""}, {"title": None}),
        ("subtitle=", {"subtitle": ""}, {"subtitle": ""}),
        ("size=&published=", {"size": "", "published": ""}, {"size": None, "published": None}),
        ("size=small", {"size": "small"}, {"size": "small"}),
        ("tags=a", {"tags": "a"}, {"tags": ["a"]}),
        ("tags=a&tags=&tags=a", {"tags": ["a", "", "a"]}, {"tags": ["a", "", "a"]}),
        ("pair=a&pair=b", {"pair": ["a", "b"]}, {"pair": ["a", "b"]}),
    ],
)
async def test_form_is_read_as_described(
    articles: Service, description: dict[str, Any], sent: str, fields: dict[str, Any], read: dict[str, Any]
) -> None:
    """An empty field stands for null, unless it is a text; fields of one name are a list."""
    assert is_described(description, FORM, fields)
    assert json_decode((await articles.post("/articles", body=sent)).body) == read


async def test_numbers_in_a_list(articles: Service) -> None:
    assert json_decode((await articles.post("/articles", body="ids=1&ids=2")).body) == {"ids": [1, 2]}


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ("title=a&title=b", {"title": ["a", "b"]}),
        ("pair=a", {"pair": "a"}),
        ("tags=%00", {"tags": "\0"}),
        ("part=", {"part": ""}),
        ("size=large", {"size": "large"}),
    ],
)
async def test_form_is_refused_as_described(
    articles: Service, description: dict[str, Any], sent: str, fields: dict[str, Any]
) -> None:
    assert not is_described(description, FORM, fields)
    assert (await articles.post("/articles", body=sent)).code == 400


@pytest.mark.parametrize("sent", ["ids=1&ids=x", "ids=", "tags=%ff", "published=0"])
async def test_wrong_fields(articles: Service, sent: str) -> None:
    assert (await articles.post("/articles", body=sent)).code == 400


def test_null_and_lists_of_one_are_for_json_and_forms(description: dict[str, Any]) -> None:
    assert is_described(description, JSON, {"published": None, "tags": []})
    assert not is_described(description, FORM, {"published": None})
    assert not is_described(description, FORM, {"tags": []})
    assert not is_described(description, JSON, {"tags": "a"})


def test_description_of_a_field_is_kept(description: dict[str, Any]) -> None:
    schema = description["paths"]["/articles"]["post"]["requestBody"]["content"][FORM]["schema"]
    assert schema["properties"]["published"]["description"] == "The first day"


def test_body_that_no_form_can_send_is_json(description: dict[str, Any]) -> None:
    assert description["paths"]["/articles"]["put"]["requestBody"]["content"].keys() == {JSON}


def test_texts_of_requests_have_no_nul(description: dict[str, Any]) -> None:
    assert is_described(description, JSON, {"subtitle": "a"})
    assert not is_described(description, JSON, {"subtitle": "a\0"})
