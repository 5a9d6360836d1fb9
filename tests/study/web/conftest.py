"""Clients of the live page that need no network."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from study.store.database import Store
from study.web.app import application
from tests.study.web.studies import map_store


@pytest.fixture
def client_of() -> Callable[[Store], TestClient]:
    """Clients of stores."""
    return lambda store: TestClient(application(Store.open(store.path)), base_url="http://localhost")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A client of a store with one finished study."""
    store = map_store(tmp_path_factory.mktemp("store") / "results")
    return TestClient(application(Store.open(store.path)), base_url="http://localhost")
