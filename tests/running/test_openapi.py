"""The service keeps to its description, and its page works in a browser."""

import shutil
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from harness.baked import UV, Bake
from harness.describing import keeps_to_its_description
from harness.figures import Figures
from harness.postgres import Server
from harness.serving import Service


def test_no_answer_but_what_is_described(service: Service, server: Server, figures: Figures) -> None:
    """Schemathesis sends what is described, and what isn't."""
    with service.serving(server.url) as address:
        requests = keeps_to_its_description(service.project, address)
    figures.append(f"{service.driver}, requests of schemathesis: {requests}")


@pytest.mark.browser
def test_page_creates_a_row(service: Service, server: Server) -> None:
    chromium = shutil.which("chromium")
    assert chromium is not None, "Chromium is not installed: on Debian, apt-get install chromium"
    complaints: list[str] = []
    origins: set[str] = set()
    with service.serving(server.url) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"{request.url} {request.failure}"))
        page.on(
            "request", lambda request: origins.add(f"{request.url.split('://')[0]}://{urlsplit(request.url).netloc}")
        )
        page.goto(f"{address}/docs")
        answer = create_row(page, "Grace Hopper")
        title = page.title()
        browser.close()
    assert '"name": "Grace Hopper"' in answer
    assert title == "name-service"
    assert complaints == []
    assert origins == {address}


def create_row(page: Page, name: str) -> str:
    """Return what the page shows after two clicks."""
    post = page.locator(".opblock-post")
    post.click()
    post.get_by_role("textbox").fill(f'{{"name": "{name}"}}')
    post.get_by_role("button", name="Execute").click()
    shown = post.locator(".live-responses-table tbody .response")
    shown.wait_for()
    return shown.inner_text()


@pytest.mark.slow
def test_title_and_version_are_those_of_the_installed_project(bake: Bake) -> None:
    project = bake(project_slug="a__b_", description='Says "hello" <b>\\ to `all`.')
    project.run(UV, "sync", "--no-dev")
    printed = project.run(".venv/bin/a__b_", "openapi")
    assert '"title": "a-b"' in printed
    assert '"version": "0.1.0"' in printed
    assert r'"summary": "Says \"hello\" <b>\\ to `all`."' in printed
