"""The built-in activities are well formed, so that nobody meets a question that cannot be answered."""

import pytest

from tests.pages.stand_in import CATALOGUE, Json, catalogue, is_right, maximum

QUESTION_KEYS = {
    "choice": {"id", "kind", "prompt", "points", "options", "answer"},
    "number": {"id", "kind", "prompt", "points", "answer", "tolerance"},
    "text": {"id", "kind", "prompt", "points", "accept"},
}


@pytest.fixture(params=catalogue())
def activity(request: pytest.FixtureRequest) -> Json:
    return catalogue()[request.param]


def test_there_are_at_least_three_activities_with_different_totals() -> None:
    totals = {maximum(activity) for activity in catalogue().values()}

    assert len(totals) >= 3
    assert {10, 40} < totals


def test_an_activity_has_its_own_file_and_just_the_known_keys(activity: Json) -> None:
    assert (CATALOGUE / f"{activity['id']}.yaml").exists()
    assert set(activity) == {"id", "title", "description", "kind", "language", "questions"}
    assert activity["kind"] == "assessment"


def test_each_question_has_the_keys_of_its_kind_and_an_id_of_its_own(activity: Json) -> None:
    questions = activity["questions"]

    assert len({question["id"] for question in questions}) == len(questions)
    for question in questions:
        assert set(question) - {"unit"} == QUESTION_KEYS[question["kind"]]
        assert isinstance(question["points"], int)
        assert question["points"] > 0


def test_each_choice_can_be_answered_rightly_and_wrongly(activity: Json) -> None:
    choices = [question for question in activity["questions"] if question["kind"] == "choice"]

    for question in choices:
        right = question["answer"] if isinstance(question["answer"], list) else [question["answer"]]
        assert set(right) < set(question["options"])
        assert all(isinstance(word, str) for pair in question["options"].items() for word in pair)
        assert len(set(question["options"].values())) == len(question["options"])


def test_each_written_answer_is_of_the_type_that_it_is_compared_with(activity: Json) -> None:
    for question in activity["questions"]:
        if question["kind"] == "number":
            assert is_right(question, str(question["answer"]))
            assert not is_right(question, str(question["answer"] + 2 * question["tolerance"] + 1))
        if question["kind"] == "text":
            assert question["accept"]
            assert all(isinstance(accepted, str) for accepted in question["accept"])
