"""Some of the moments at which a study may be killed, meet a full disk or lose its power; `tests.bench.moments` has all."""

from collections import Counter
from pathlib import Path

import pytest

from tests.bench.moments import outcome_of, undisturbed
from tests.support.moments import KINDS, Fault


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> tuple[dict[str, list[tuple]], Counter[str]]:
    return undisturbed(tmp_path_factory.mktemp("undisturbed"))


def test_there_are_moments_of_every_name(expected):
    _, counts = expected
    assert counts.keys() >= {"write", "sync", "rename", "link", "delete", "folder", "begin", "commit"}
    assert sum(counts.values()) > 100


@pytest.mark.parametrize(
    "share", [0.2, pytest.param(0.55, marks=pytest.mark.slow), pytest.param(0.9, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("kind", ["before", "full", "zeros", *(pytest.param(k, marks=pytest.mark.slow) for k in KINDS)])
def test_a_store_is_as_if_nothing_had_happened(expected, tmp_path: Path, kind, share):
    tables, counts = expected
    fault = Fault(round(share * sum(counts.values())) + KINDS.index(kind), kind)
    assert outcome_of(fault, tables, tmp_path).wrong == ""
