"""Some of the moments at which a study may be killed, meet a full disk or lose power; `tests.bench.moments` has all."""

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


SLOW = [kind for kind in KINDS if kind not in ("before", "full", "zeros")]


@pytest.mark.parametrize("share", [0.2, *(pytest.param(share, marks=pytest.mark.slow) for share in (0.5, 0.9))])
@pytest.mark.parametrize("kind", ["before", "full", "zeros", *(pytest.param(k, marks=pytest.mark.slow) for k in SLOW)])
def test_a_store_is_as_if_nothing_had_happened(expected, tmp_path: Path, kind, share):
    tables, counts = expected
    fault = Fault(round(share * sum(counts.values())) + KINDS.index(kind), kind)
    assert outcome_of(fault, tables, tmp_path).wrong == ""
