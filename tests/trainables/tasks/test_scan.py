"""SCAN: its counts and examples as published, what is held out, and what is refused."""

from collections import Counter
from functools import cache

import pytest
import torch

from trainables import grammar
from trainables.answers import UNSCORED
from trainables.data import Split
from trainables.errors import SpecError
from trainables.tasks.scan import Task

EXAMPLES = {
    "jump": "JUMP",
    "jump left": "LTURN JUMP",
    "jump around right": "RTURN JUMP RTURN JUMP RTURN JUMP RTURN JUMP",
    "turn left twice": "LTURN LTURN",
    "jump thrice": "JUMP JUMP JUMP",
    "jump opposite left and walk thrice": "LTURN LTURN JUMP WALK WALK WALK",
    "jump opposite left after walk around left": "LTURN WALK LTURN WALK LTURN WALK LTURN WALK LTURN LTURN JUMP",
}
"""Lake & Baroni 2018 (arXiv 1711.00350), Figure 1."""


def carried_out(command: str) -> list[str]:
    """The actions of a command, read from its words one after the other: in another way than the task makes them."""
    for joint in ("and", "after"):
        if f" {joint} " in command:
            first, second = (carried_out(part) for part in command.split(f" {joint} "))
            return first + second if joint == "and" else second + first
    words = command.split()
    times = {"twice": 2, "thrice": 3}.get(words[-1], 1)
    words = words[:-1] if times > 1 else words
    done = [] if words[0] == "turn" else [f"I_{words[0].upper()}"]
    if words[-1] in ("left", "right"):
        turn = [f"I_TURN_{words[-1].upper()}"]
        done = {"opposite": turn + turn + done, "around": 4 * (turn + done)}.get(words[1], turn + done)
    return times * done


def texts(task: Task, split: Split) -> list[tuple[str, list[str]]]:
    """Command and answer of every example, as the model sees them."""
    known, found = grammar.vocabulary(task.primitives), []
    for given_L, asked_T in zip(split.inputs_NL.tolist(), split.targets_N.tolist(), strict=True):
        answer = [known[token] for token in asked_T if token != UNSCORED]
        shown = [known[token] for token in given_L if token != task.pad]
        assert given_L[: len(given_L) - len(shown)] == [task.pad] * (len(given_L) - len(shown))
        assert asked_T[: len(asked_T) - len(answer)] == [UNSCORED] * (len(asked_T) - len(answer))
        command, so_far = shown[: shown.index("=")], shown[shown.index("=") + 1 :]
        assert so_far == answer[:-1]
        assert answer[-1] == "end"
        found.append((" ".join(command), so_far))
    return found


@cache
def built(seed: int = 0, **options) -> dict[str, list[tuple[str, list[str]]]]:
    task = Task(**options)
    return {name: texts(task, split) for name, split in task.build(seed).items()}


def whole_grammar(primitives: int, max_actions: int, with_held_out: bool) -> list[tuple[str, list[str]]]:
    task = Task(primitives=primitives, data_size=40, max_actions=max_actions, test_size=1)
    every = torch.arange(grammar.count(primitives, max_actions, with_held_out))
    return texts(task, task.examples(grammar.commands(every, primitives, max_actions, with_held_out)))


def test_the_commands_are_the_20910_of_scan_and_each_is_carried_out_as_its_words_say():
    seen, unseen = whole_grammar(4, 48, False), whole_grammar(4, 48, True)
    answers = dict([*seen, *unseen, ("jump", ["I_JUMP"])])
    assert len(seen) == 13_203  # 14,670 of the published jump split, less 1,467 times `jump`
    assert len(unseen) == 7_706
    assert len(answers) == len(seen) + len(unseen) + 1 == 20_910
    assert all(carried_out(command) == answer for command, answer in answers.items())
    for command, published in EXAMPLES.items():
        names = {"LTURN": "I_TURN_LEFT", "RTURN": "I_TURN_RIGHT"}
        assert answers[command] == [names.get(name, f"I_{name}") for name in published.split()]


def test_commands_are_all_those_that_are_short_enough(subtests):
    for primitives, max_actions in [(4, 2), (4, 5), (8, 4)]:
        with subtests.test(primitives=primitives, max_actions=max_actions):
            verbs = grammar.verbs(primitives)
            single = [" ".join(words) for words, _ in grammar.sentence_texts(verbs)]
            every = [*single, *(f"{a} {joint} {b}" for a in single for b in single for joint in ("and", "after"))]
            short = {command for command in every if len(carried_out(command)) <= max_actions}
            missing = grammar.held_out(primitives)
            seen, unseen = (whole_grammar(primitives, max_actions, part) for part in (False, True))
            assert {command for command, _ in seen} == {c for c in short if not set(c.split()) & set(missing)}
            assert {command for command, _ in unseen} | set(missing) == short - {command for command, _ in seen}
            assert len(seen) + len(unseen) + len(missing) == len(short)


def test_no_position_is_padding_in_every_example(subtests):
    for max_actions in [2, 3, 4, 6, 12, 48]:
        with subtests.test(max_actions=max_actions):
            task = Task(max_actions=max_actions, data_size=60, test_size=5)
            kinds = [(4, max_actions, with_held_out) for with_held_out in (False, True)]
            split = task.examples(
                torch.cat([grammar.commands(torch.arange(grammar.count(*kind)), *kind) for kind in kinds])
            )
            assert (split.inputs_NL[:, 0] != task.pad).any()
            assert (split.targets_N[:, 0] != UNSCORED).any()


def test_held_out_verbs_are_trained_on_alone_and_each_as_often_as_it_says(subtests):
    for primitives in [4, 8, 64]:
        with subtests.test(primitives=primitives):
            splits = built(primitives=primitives, max_actions=6, data_size=1000, test_size=200)
            missing = grammar.held_out(primitives)
            trained = Counter(command for command, _ in splits["train"])
            assert sum(trained[verb] for verb in missing) == 100
            assert all(trained[verb] - 100 // len(missing) in (0, 1) for verb in missing)
            assert all(dict(splits["train"])[verb] == [f"I_{verb.upper()}"] for verb in missing)
            others = [command for command, _ in splits["train"] if command not in missing]
            assert len(set(others)) == len(others) == 900
            assert not any(set(command.split()) & set(missing) for command in others)


def test_splits_are_disjoint_and_of_their_kind():
    splits = built(primitives=8, max_actions=6, data_size=1000, test_size=200)
    train, test, ood = ({command for command, _ in splits[name]} for name in ("train", "test", "ood"))
    assert len(test) == len(ood) == 200
    assert not train & test
    assert not train & ood
    missing = set(grammar.held_out(8))
    assert not any(set(command.split()) & missing for command in test)
    assert all(set(command.split()) & missing and len(command.split()) > 1 for command in ood)


def test_unseen_commands_are_the_same_for_all_sizes_and_each_verb_is_as_likely():
    small, large = (built(max_actions=6, data_size=size, test_size=200, primitives=8) for size in (500, 2000))
    assert small["ood"] == large["ood"]
    words = Counter(word for command, _ in large["train"] for word in set(command.split()))
    counts = [words[verb] for verb in grammar.verbs(8)[:6]]
    assert max(counts) < 1.3 * min(counts)


def test_many_verbs_are_no_burden():
    splits = built(primitives=800, max_actions=48, data_size=5000, test_size=500)
    assert grammar.count(800, 48, True) + grammar.count(800, 48, False) + 200 == 16_818 + 2 * 16_818**2
    assert all(carried_out(command) == answer for split in splits.values() for command, answer in split)
    words = {word for command, _ in splits["train"] for word in command.split()}
    assert words == {*grammar.verbs(800), *grammar.WORDS}


def test_what_cannot_be_drawn_is_refused(subtests):
    for options, message in [
        ({"primitives": 6}, "primitives must be a multiple of 4, got 6"),
        ({"max_actions": 49}, r"max_actions must be in \[2, 48\], got 49"),
        ({"test_size": 7707}, r"test_size must be in \[1, 7706\], got 7707"),
        ({"primitives": 800, "data_size": 1000}, "alone_share must be .* large enough that each of the 200 held-out"),
        ({"alone_share": 1.0}, "alone_share must be below 1, and large enough that each of the 1 held-out verbs is"),
        ({"data_size": 13_560}, "data_size must need at most 12203 distinct commands"),
    ]:
        with subtests.test(message), pytest.raises(SpecError, match=f"^scan.{message}"):
            Task(**options)


def test_the_largest_training_split_can_be_drawn():
    assert len(built(data_size=13_559)["train"]) == 13_559
