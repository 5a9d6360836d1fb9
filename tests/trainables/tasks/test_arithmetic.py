"""Addition as text: every sum and every step of a scratchpad against Python's own, and what is in the splits."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.answers import UNSCORED
from trainables.data import Split
from trainables.errors import SpecError
from trainables.tasks.arithmetic import FORMATS, Task, pairs, places, tokens, vocabulary

NUMBER = st.integers(0, 999)
DETAILED = """<scratch>
[1,2,8] has 3 digits.
[3,6,7] has 3 digits.
[1,2,8] + [3,6,7] , A=[] , C=0 , 8+7+0=15 , A->5 , C->1
[1,2] + [3,6] , A=[5] , C=1 , 2+6+1=9 , A->9 , C->0
[1] + [3] , A=[9,5] , C=0 , 1+3+0=4 , A->4 , C->0
[] + [] , A=[4,9,5] C=0 , END
</scratch>
4 9 5
"""


def texts(task: Task, split: Split) -> Iterator[tuple[str, str]]:
    """Question and answer of every example, as the model sees them."""
    known = vocabulary(task.format, task.digits)
    for given_L, asked_T in zip(split.inputs_NL.tolist(), split.targets_N.tolist(), strict=True):
        answer = [known[token] for token in asked_T if token != UNSCORED]
        shown = [known[token] for token in given_L if token != task.pad]
        assert given_L == [task.pad] * (len(given_L) - len(shown)) + given_L[len(given_L) - len(shown) :]
        question, so_far = shown[: len(shown) - len(answer) + 1], shown[len(shown) - len(answer) + 1 :]
        assert so_far == answer[:-1]
        yield "".join(question), "".join(answer)


def asked(question: str) -> tuple[int, int]:
    a, b = re.findall(r"\d+", question)
    return int(a), int(b)


def carries(a: int, b: int) -> int:
    """Counted in another way than the task does."""
    return sum((a % 10**place + b % 10**place) >= 10**place for place in range(1, 4))


@cache
def built(data_size: int, digits: int = 3, test_size: int = 1000, seed: int = 0) -> dict[str, list[tuple[int, int]]]:
    task = Task(data_size=data_size, digits=digits, test_size=test_size)
    return {name: [asked(question) for question, _ in texts(task, split)] for name, split in task.build(seed).items()}


def test_the_formats_are_the_papers():
    assert FORMATS["plain"](128, 367) == ("128+367=", "495\n")
    assert FORMATS["reverse"](128, 367) == ("$128+367=", "594$\n")
    question = "Input:\n128+367\nTarget:\n"
    assert FORMATS["simplified"](128, 367) == (question, "A->5 , C->1\nA->9 , C->0\nA->4 , C->0.\n495\n")
    assert FORMATS["detailed"](128, 367) == (question, DETAILED)


@settings(max_examples=300, deadline=None)
@given(NUMBER, NUMBER)
def test_every_sum_and_every_step_is_right(a, b):
    assert FORMATS["plain"](a, b)[1] == f"{a + b}\n"
    assert int(FORMATS["reverse"](a, b)[1][::-1].strip("\n$")) == a + b
    for name in ("simplified", "detailed"):
        *steps, answer = FORMATS[name](a, b)[1].strip().split("\n")
        assert int(answer.replace(" ", "")) == a + b
        found = [(int(d), int(c)) for d, c in re.findall(r"A->(\d) , C->(\d)", "\n".join(steps))]
        assert len(found) == max(len(str(a)), len(str(b)))
        for place, (digit, carry) in enumerate(found):
            assert digit == (a + b) // 10**place % 10
            assert carry == (a % 10 ** (place + 1) + b % 10 ** (place + 1) >= 10 ** (place + 1))
    for left, right, carry, total in re.findall(r"(\d)\+(\d)\+(\d)=(\d+)", FORMATS["detailed"](a, b)[1]):
        assert int(left) + int(right) + int(carry) == int(total)


def test_every_sum_of_the_splits_is_right(subtests):
    for name in FORMATS:
        with subtests.test(name=name):
            task = Task(format=name, digits=2, data_size=600, test_size=300)
            for split in task.build(0).values():
                for question, answer in texts(task, split):
                    a, b = asked(question)
                    assert (question, answer) == FORMATS[name](a, b)


def test_every_text_is_made_of_the_tasks_tokens(subtests):
    for name, digits in itertools.product(FORMATS, [2, 3]):
        with subtests.test(name=name, digits=digits):
            known = set(vocabulary(name, digits))
            lengths = [1, 7, 10, 55, 90, 99] + [100, 500, 909, 999] * (digits == 3)
            found = {token for a in lengths for b in lengths for part in FORMATS[name](a, b) for token in tokens(part)}
            assert found <= known
            assert len([token for token in known if token.isdigit()]) == 10
            assert len(known) <= 34


def test_the_composition_is_the_papers(subtests):
    for data_size in [100, 500, 1000, 10_000]:
        with subtests.test(data_size=data_size):
            train = built(data_size)["train"]
            assert len(train) == len(set(train)) == data_size
            lengths = Counter(len(str(max(pair))) for pair in train)
            assert lengths[1] == 100
            assert lengths[2] == (0 if data_size == 100 else round(0.09 * data_size))
            assert lengths.total() == data_size
            if data_size > 100:
                counted = Counter(carries(a, b) for a, b in train)
                assert set(counted) == {0, 1, 2, 3}
                assert max(counted.values()) <= -(-data_size // 4)
                assert min(counted.values()) >= data_size // 4 - 4


def test_sums_of_two_digits_are_balanced_too():
    counted = Counter(carries(a, b) for a, b in built(3000, digits=2)["train"])
    assert counted == {0: 1000, 1: 1000, 2: 1000}


def test_what_is_held_out_is_as_likely_as_any_and_the_same_for_all_sizes_and_formats():
    small, large = built(500), built(10_000)
    assert small["test"] == large["test"]
    assert not set(large["train"]) & set(large["test"])
    assert len(set(large["test"])) == 1000
    assert sum(max(pair) >= 100 for pair in large["test"]) == pytest.approx(990, abs=15)
    other = Task(format="detailed", data_size=500, test_size=1000)
    assert [asked(question) for question, _ in texts(other, other.build(0)["train"])] == small["train"]
    assert built(500, seed=1)["test"] != small["test"]


def test_carries_are_counted_as_they_are_written():
    length_P, carries_P = pairs(3)
    for a, b in ((0, 0), (9, 1), (99, 1), (128, 367), (999, 999), (5, 5), (500, 500), (199, 801)):
        number = 1000 * a + b
        assert int(carries_P[number]) == carries(a, b) == sum(carry for *_, carry in places(a, b))
        assert int(length_P[number]) == len(str(max(a, b)))


def test_what_cannot_be_drawn_is_refused(subtests):
    for options, message in [
        ({"digits": 4}, "digits must be 2 or 3, got 4"),
        ({"format": "reversed"}, "format 'reversed' is not known. Did you mean 'reverse'"),
        ({"data_size": 99}, r"data_size must be in \[100, 504500\] with digits=3"),
        ({"digits": 2, "test_size": 500, "data_size": 5926}, r"data_size must be in \[100, 5925\]"),
        ({"digits": 2, "test_size": 2475}, r"test_size must be in \[1, 2441\] with digits=2, got 2475"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=f"^arithmetic.{message}"):
            Task(**options)


def test_the_largest_training_split_can_be_drawn():
    assert len(built(5925, digits=2, test_size=500)["train"]) == 5925
