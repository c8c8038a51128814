"""What holds for every test of the project's own suite, and a real recording in small."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import lanes, shared
from trainer.wait_policy import wait_asleep

# A busy machine makes neither an example nor its making a failure.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Before a test imports torch; the trainings that tests start inherit it.
wait_asleep()

# A suite started in the background (nohup, a CI shell) inherits ignored signals, and would hand them on to the sessions it interrupts.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)


# Before pytest chooses by markers.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lanes.mark(items)
    if hasattr(config, "workerinput"):
        lanes.longest_first(items)
        if config.option.loadgroup:
            lanes.name_groups(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give whole files to a worker; `--dist loadgroup` alone would deal out single tests and make each file's fixtures twice."""
    from xdist.scheduler import LoadGroupScheduling

    class ByFile(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return lanes.scope(nodeid)

    config.option.loadscopereorder = False  # they come in the order of `lanes.longest_first`
    return ByFile(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def small_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FLAC of ten espeak-ng sentences, three dozen seconds; not to be changed."""

    def make(folder: Path) -> None:
        from trainer.teachers import demo_recording

        demo_recording.render(
            folder / "small.flac", folder / "small.sentences", sentences=demo_recording.SENTENCES[:10]
        )

    return shared.once(tmp_path_factory, "recording", make) / "small.flac"


@pytest.fixture(scope="session")
def small_manifest(small_recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of `small_recording` with its clips; not to be changed."""

    def make(folder: Path) -> None:
        from trainer.preparation.prepare import PrepareSettings, prepare

        prepare(small_recording, folder / "manifest.json", PrepareSettings(), workspace=small_recording.parent)

    return shared.once(tmp_path_factory, "dataset", make) / "manifest.json"
