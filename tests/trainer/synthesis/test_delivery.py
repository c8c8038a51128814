import pytest

from trainer.errors import RuntimeSetupError
from trainer.synthesis.delivery import BOUNDS, Delivery


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e9, 1e9])
def test_a_value_no_voice_can_follow_is_refused_by_name(name, value):
    with pytest.raises(RuntimeSetupError, match=name) as caught:
        Delivery(**{name: value})
    assert caught.value.cause == "settings_invalid"


@pytest.mark.parametrize("name", BOUNDS)
def test_both_bounds_are_allowed(name):
    for value in BOUNDS[name]:
        assert getattr(Delivery(**{name: value}), name) == value


@pytest.mark.parametrize("changes", [{"seed": -1}, {"seed": 2**64}, {"sample_rate": 22_000}])
def test_seeds_and_sample_rates_are_checked(changes):
    with pytest.raises(RuntimeSetupError):
        Delivery(**changes)
