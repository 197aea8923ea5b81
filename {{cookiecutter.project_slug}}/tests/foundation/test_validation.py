"""Input is taken as it is, or refused."""

import datetime
import enum
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import field_validator
from tornado.escape import json_decode
from tornado.web import HTTPError
from typing_extensions import TypedDict

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import Handler, Id, RequestBody, parse_argument, parse_id


class Size(enum.IntEnum):
    SMALL = 1


class NewOrder(RequestBody):
    item_id: Id


class OrderHandler(Handler):
    def get(self, id_: str) -> None:
        self.finish({"id": parse_id(id_)})

    def post(self, id_: str) -> None:
        self.finish(NewOrder.from_request(self.request).model_dump())


IDS = [
    "0",
    "-1",
    "+1",
    " 1",
    "1 ",
    "01",
    "1.0",
    "1e0",
    "1_0",
    "0x1",
    "\u0661",
    "\uff11",
    "",
    "2147483648",
    "9" * 5000,
    "1\n",
]


@pytest.mark.parametrize("text", IDS)
async def test_ids_are_strict_in_paths_forms_and_json(service: Service, text: str) -> None:
    service.application.add_handlers(".*", [("/orders/([^/]*)", OrderHandler)])
    assert (await service.get(f"/orders/{quote(text)}")).code == 400
    assert (await service.post("/orders/1", form={"item_id": text})).code == 400
    assert (await service.post("/orders/1", json={"item_id": text})).code == 400
    with pytest.raises(HTTPError):
        parse_argument("id", text, Id)


@pytest.mark.parametrize("given", ["1", 1.5, 0.0, 1e300, True, None, [1], 0, -1, 2147483648])
async def test_ids_in_json_are_integers(service: Service, given: object) -> None:
    service.application.add_handlers(".*", [("/orders/([^/]*)", OrderHandler)])
    assert (await service.post("/orders/1", json={"item_id": given})).code == 400


async def test_ids(service: Service) -> None:
    service.application.add_handlers(".*", [("/orders/([^/]*)", OrderHandler)])
    assert (await service.get("/orders/2147483647")).body == b'{"id": 2147483647}'
    for options in ({"form": {"item_id": "7"}}, {"json": {"item_id": 7}}, {"json": {"item_id": 7.0}}):
        assert (await service.post("/orders/1", **options)).body == b'{"item_id": 7}'
    assert parse_argument("id", "7", Id) == 7


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (int, "10", 10),
        (int, "-3", -3),
        (int, "0", 0),
        (bool, "1", True),
        (bool, "false", False),
        (float, "1", 1.0),
        (float, "-1.5e3", -1500.0),
        (Decimal, "1.50", Decimal("1.50")),
        (Size, "1", Size.SMALL),
        (datetime.date, "2026-01-31", datetime.date(2026, 1, 31)),
        (datetime.timedelta, "PT5S", datetime.timedelta(seconds=5)),
        (str, " 1", " 1"),
    ],
)
def test_argument(type_: type[Any], text: str, value: object) -> None:
    assert parse_argument("name", text, type_) == value


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        *((int, text) for text in ("+1", " 1", "1_000", "1.0", "01", "-0", "1e3", "\u0663")),
        *((float, text) for text in ("+1", " 1", "1_000", "inf", "nan", ".5", "1.")),
        *((Decimal, text) for text in ("+1", " 1", "1_000", "Infinity", "\u0663")),
        *((datetime.date, text) for text in ("0", "86400", "20260131")),
        (datetime.timedelta, "5"),
        (Size, "1.0"),
    ],
)
def test_argument_that_pydantic_would_alter(type_: type[Any], text: str) -> None:
    with pytest.raises(HTTPError, match="name: "):
        parse_argument("name", text, type_)


class Line(RequestBody):
    due: datetime.date


class Window(TypedDict):
    opens: datetime.time


class Appointment(RequestBody):
    day: datetime.date | None = None
    start: datetime.datetime | None = None
    length: datetime.timedelta = datetime.timedelta(hours=1)
    days: dict[str, list[datetime.date]] = {}
    line: Line | None = None
    again: "Appointment | None" = None
    window: Window | None = None
    price: Decimal = Decimal(0)
    others: dict[str, str] = {"type": "date"}


class AppointmentHandler(Handler):
    def post(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(Appointment.from_request(self.request).model_dump_json(exclude_unset=True))


DATES = [
    ("day", "2026-01-31"),
    ("start", "2026-01-31T12:30:00Z"),
    ("start", "2026-01-31T12:30:00"),
    ("length", "PT1H30M"),
]


@pytest.fixture
def appointments(service: Service) -> Service:
    service.application.add_handlers(".*", [("/appointments", AppointmentHandler)])
    return service


@pytest.mark.parametrize(("name", "text"), DATES)
async def test_dates_are_text(appointments: Service, name: str, text: str) -> None:
    for options in ({"form": {name: text}}, {"json": {name: text}}):
        assert json_decode((await appointments.post("/appointments", **options)).body) == {name: text}


@pytest.mark.parametrize("given", [0, 1.5, "0", "1769817600", "+1", "20260131", "12", ""])
@pytest.mark.parametrize("name", ["day", "start", "length"])
async def test_dates_are_no_numbers(appointments: Service, name: str, given: object) -> None:
    answer = await appointments.post("/appointments", json={name: given})
    assert answer.code == 400
    assert " such as " in json_decode(answer.body)["detail"]


@pytest.mark.parametrize(
    ("name", "text"), [("day", "2026-01-31T00:00:00"), ("start", "2026-01-31"), ("length", "1:30")]
)
async def test_dates_are_of_their_own_kind(appointments: Service, name: str, text: str) -> None:
    for options in ({"form": {name: text}}, {"json": {name: text}}):
        assert (await appointments.post("/appointments", **options)).code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"days": {"a": [0]}},
        {"line": {"due": 0}},
        {"line": {"due": "0"}},
        {"again": {"again": {"day": "0"}}},
        {"window": {"opens": 0}},
    ],
)
async def test_dates_within_others_are_text(appointments: Service, body: object) -> None:
    assert (await appointments.post("/appointments", json=body)).code == 400


def test_body_is_made_of_dates() -> None:
    """In Python they are no texts."""
    assert Appointment(day=datetime.date(2026, 1, 31)).day == datetime.date(2026, 1, 31)


def test_default_that_looks_like_a_schema() -> None:
    assert Appointment().others == {"type": "date"}


@pytest.mark.parametrize("price", ["1.50", 1.5])
async def test_decimals_are_texts_or_numbers(appointments: Service, price: object) -> None:
    assert json_decode((await appointments.post("/appointments", json={"price": price})).body) == {"price": str(price)}


class Even(RequestBody):
    number: int

    @field_validator("number")
    @classmethod
    def check(cls, number: int) -> int:
        if number % 2:
            raise ValueError("odd")
        return number


class EvenHandler(Handler):
    def post(self) -> None:
        Even.from_request(self.request)


async def test_message_of_a_validator_is_shown_as_it_is(service: Service) -> None:
    service.application.add_handlers(".*", [("/even", EvenHandler)])
    assert json_decode((await service.post("/even", json={"number": 1})).body)["detail"] == "number: odd"


async def test_all_wrong_fields_are_named(appointments: Service) -> None:
    async def detail(**fields: object) -> object:
        return json_decode((await appointments.post("/appointments", json=fields)).body)["detail"]

    assert await detail(day="no day", price="no price") == (
        "day: not a date such as 2026-01-31; price: Input should be a valid decimal"
    )
    unknown = [f"field{number}" for number in range(7)]
    assert await detail(**dict.fromkeys(unknown, 1)) == (
        "".join(f"{name}: Extra inputs are not permitted; " for name in unknown[:5]) + "and 2 more"
    )


class TextHandler(Handler):
    def get(self, text: str | None) -> None:
        self.finish({"text": text, "q": self.get_argument("q", "")})


async def test_nul_is_refused_in_tornados_own_arguments(service: Service) -> None:
    service.application.add_handlers(".*", [("/texts(?:/([^/]*))?", TextHandler)])
    assert json_decode((await service.get("/texts/a?q=b")).body) == {"text": "a", "q": "b"}
    assert json_decode((await service.get("/texts")).body) == {"text": None, "q": ""}
    for target, name in (("/texts/a%00b", "the path"), ("/texts/a?q=%00", "q")):
        response = await service.get(target)
        assert response.code == 400
        assert json_decode(response.body)["detail"] == f"{name}: the NUL character is not accepted"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-02T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_dates_that_no_time_zone_may_push_over_the_edge(appointments: Service, text: str) -> None:
    """PostgreSQL would store them, and Python not read them."""
    assert (await appointments.post("/appointments", json={"start": text})).code == 400
