"""Who is answered, and what a page may do."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from study.store.database import Store
from study.web.app import application
from study.web.guard import is_loopback
from tests.study.web.studies import map_store

TOKEN = "a-token-of-a-test"


def client(folder: Path, host: str = "127.0.0.1", token: str | None = None, name: str = "localhost") -> TestClient:
    app = application(Store.open(map_store(folder / "results").path), host, token)
    return TestClient(app, base_url=f"http://{name}", follow_redirects=False)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.1.2.3", "", "127.0.0.1.evil.example", "[::1", "a:b:c"]
)
def test_a_name_that_somebody_points_here_gets_nothing(toy, host):
    answer = toy.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "toy" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:9", "[::1]:8080", "LOCALHOST"])
def test_this_machine_by_any_name_and_port_is_answered(toy, host):
    assert toy.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_nothing_but_reading_is_possible(toy, method):
    assert getattr(toy, method)("/").status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://[x"},
        {"sec-fetch-site": "cross-site", "sec-fetch-dest": "script"},
        {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "same-site", "sec-fetch-dest": "empty"},
    ],
)
def test_pages_of_other_sites_get_nothing(toy, headers):
    assert toy.get("/sql?query=from+runs", headers=headers).status_code == 403


def test_a_link_from_elsewhere_opens_a_page(toy):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}
    assert toy.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("address", ["/", "/study/toy", "/nothing", "/static/live.js", "/events", "/study/nothing"])
def test_every_answer_forbids_what_did_not_come_from_here(toy, address):
    with toy.stream("GET", address) as answer:
        policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_beyond_this_machine_the_token_is_needed_once(tmp_path):
    page = client(tmp_path, "0.0.0.0", TOKEN, "192.0.2.7")
    assert page.get("/").status_code == 401
    assert page.get("/?token=wrong").status_code == 401
    assert page.get("/", headers={"cookie": "study_token_80=wrong"}).status_code == 401
    opened = page.get(f"/study/toy?x=model.width&token={TOKEN}")
    assert opened.status_code == 303
    assert opened.headers["location"] == "/study/toy?x=model.width"
    assert page.get(f"http://192.0.2.7//evil.example/?token={TOKEN}").headers["location"] == "/evil.example/"
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert page.get("/study/toy").status_code == 200
    assert page.get("/", headers={"host": "evil.example"}).status_code == 421


def test_which_hosts_are_this_machine_alone():
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org", "")))
