"""Folders of parts, and the names that an error line gives for one that is not there."""

from trainables.components import closest, near_names

STUDIES = [f"composition_{word}" for word in ("decay", "layers", "ratio", "sharing", "size", "width")]
STUDIES += ["coverage", "emergence", "first_map", "pathways"]


def test_few_names_are_all_listed():
    assert closest("adm", ["adam", "sgd"]) == "Did you mean 'adam'? Available: adam, sgd."
    assert closest("zzz", ["adam", "sgd"]) == "Available: adam, sgd."


def test_of_many_names_the_nearest_five_are_given_and_what_lists_all():
    assert closest("first_mpa", STUDIES, "`study list` shows all.") == (
        "Did you mean 'first_map'? `study list` shows all."
    )
    said = closest("composition_rato", STUDIES, "`study list` shows all.")
    assert said.startswith("Did you mean 'composition_ratio'? Also near: composition_")
    assert sum(name in said for name in STUDIES) == 5
    assert said.endswith(". `study list` shows all.")


def test_where_nothing_is_near_five_of_the_names_show_what_names_are_like():
    said = closest("xyz", STUDIES, "`study list` shows all.")
    assert said.startswith("Some of the 10 names: ")
    assert sum(name in said for name in STUDIES) == 5


def test_where_nothing_lists_the_names_their_number_is_said():
    assert closest("first_mpa", STUDIES) == "Did you mean 'first_map'? There are 10 names."


def test_a_name_that_is_no_text_is_looked_for_as_text():
    """A spec that was written by hand may hold anything."""
    for name in ({"": None}, [], 3, None):
        assert "There are" in closest(name, STUDIES) or "Some of the 10 names" in closest(name, STUDIES)
        assert "Available: adam, sgd." in closest(name, ["adam", "sgd"])


def test_a_part_of_a_name_is_near_to_it():
    assert near_names("map", STUDIES) == ["first_map"]
    assert near_names("decay", STUDIES) == ["composition_decay"]
