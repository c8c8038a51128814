"""Weights under a non-commercial licence are used only by somebody who says so, and the record goes with the result."""

import pytest

from trainer.errors import RuntimeSetupError
from trainer.voice.licence import MUSICGEN_LICENCE, record


@pytest.mark.parametrize("accepted", ["", " ", "MIT", "CC-BY-4.0", "yes", "true"])
def test_without_the_licence_accepted_by_name_nothing_runs(accepted):
    with pytest.raises(RuntimeSetupError, match=r"CC-BY-NC-4\.0") as refused:
        record(MUSICGEN_LICENCE, accepted=accepted, promote=True)
    assert refused.value.cause == "licence_not_accepted"


@pytest.mark.parametrize("promote", [False, True])
def test_only_the_objective_makes_a_non_commercial_voice_promotable(promote):
    found = record(MUSICGEN_LICENCE, accepted="cc-by-nc-4.0", promote=promote)
    assert found["spdx"] == "CC-BY-NC-4.0"
    assert found["commercial_use"] is False
    assert found["promotable"] is promote


def test_a_model_card_with_another_licence_is_refused():
    card = "---\ntags:\n- music\nlicense: apache-2.0\n---\n"
    with pytest.raises(RuntimeSetupError, match=r"apache-2\.0"):
        record(MUSICGEN_LICENCE, accepted="CC-BY-NC-4.0", promote=False, card=card)


@pytest.mark.parametrize(
    "card", ["", "---\nlicense: cc-by-nc-4.0\n---\n", '---\nlicense: "cc-by-nc-4.0"\n---\n', "no front matter"]
)
def test_a_model_card_that_agrees_or_says_nothing_is_accepted(card):
    assert record(MUSICGEN_LICENCE, accepted="CC-BY-NC-4.0", promote=False, card=card)["promotable"] is False
