"""Every run leaves a page: verdict first, what can be heard, evidence that cannot run; nothing about it can cost the run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.acceptance.harness import Session
from tests.acceptance.sessions.conftest import Bench

JOB = Path(__file__).parents[1] / "sampling_job.sh"
HOSTILE = (
    b"</script><script>alert(1)</script><img src=x onerror=alert(2)> \x1b[31mred\x00 \xe2\x80\xaeabc \xff ::error::x\n"
)
SENTENCES = ["This is <b>one</b>.", "This is two.", "This is three.", "This is a fourth that no page shows."]
RATE = 22_050


class Elements(HTMLParser):
    """What a parser sees of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def page_of(session: Session) -> Elements:
    assert session.run_dir is not None
    return Elements((session.run_dir / "report.html").read_text())


def samples(folder: Path, *, steps: tuple[int, ...] = (0, 1, 2, 4)) -> Path:
    """Clips of four sentences at four moments of a training of four steps, with their index."""
    folder.mkdir()
    clips = []
    for step in steps:
        for number in range(1, len(SENTENCES) + 1):
            name = f"at_{step}_{number}.flac"
            soundfile.write(folder / name, 0.1 * np.sin(np.arange(RATE // 4) * (step + 1) / 9.0), RATE)
            clips.append({"file": name, "step": step, "sentence": number})
    index = {"schema": "samples/1", "steps_total": 4, "sentences": SENTENCES, "clips": clips}
    (folder / "samples.json").write_text(json.dumps(index))
    return folder


def offering(bench: Bench, folder: Path | None, *arguments: str, **environment: str) -> Session:
    """A session whose job offers the clips of a folder."""
    offered = [] if folder is None else ["--set", f"env.SAMPLES={folder}"]
    given = [part for name, value in environment.items() for part in ("--set", f"env.{name}={value}")]
    return bench.run("-q", "--set", f"command=/bin/sh {JOB}", *offered, *given, *arguments)


@pytest.fixture(scope="module")
def heard(make_bench: Callable[..., Bench], tmp_path_factory: pytest.TempPathFactory) -> Session:
    bench = make_bench("heard")
    # Clips of an earlier run, which this job replaces.
    (bench.workspace / "out/status").mkdir(parents=True)
    samples(bench.workspace / "out/status/samples", steps=(7,))
    return offering(bench, samples(tmp_path_factory.mktemp("offered") / "samples"))


def test_a_run_whose_job_spoke_has_players_of_three_moments_beside_real_speech(heard):
    assert heard.returncode == 0, heard.stdout
    page = page_of(heard)
    sources = [player["src"] for player in page.all("audio")]
    spoken = [f"./listening/at_{step}_{number}.flac" for step in (0, 2, 4) for number in (1, 2, 3)]
    assert sources == ["./listening/real_1.wav", *spoken]
    assert all(player["preload"] == "none" for player in page.all("audio"))
    titles = ["Before training", "During training (step 2 of 4)", "After training (4 steps)"]
    assert [page.text.count(title) for title in titles] == [1, 1, 1]
    assert page.text.count("This is <b>one</b>.") == 3
    assert "a fourth" not in page.text


def test_players_find_the_copies_and_each_has_its_picture(heard):
    folder = heard.run_dir / "listening"
    assert sorted(path.stem for path in folder.glob("*.png")) == sorted(
        path.stem for path in folder.iterdir() if path.suffix != ".png"
    )
    assert len(page_of(heard).all("img")) == 10
    for clip in heard.report["facts"]["listening"]["clips"]:
        assert (folder / clip["file"]).is_file()
        assert clip["seconds"] == 0.25


def test_the_losses_are_copied_and_drawn(heard):
    assert (heard.run_dir / "training_log.csv").read_text().startswith("step,steps_total,")
    assert len([svg for svg in page_of(heard).all("svg") if svg["aria-label"] == "Loss"]) == 1


def test_the_page_asks_nobody_and_holds_the_report_block(heard):
    page = page_of(heard)
    assert heard.block_text in page.text
    addresses = [value for _, found in page.found for name, value in found.items() if name in ("src", "href")]
    assert addresses
    assert all(address.startswith(("./", "data:")) for address in addresses)


def test_the_terminal_names_the_page(heard):
    assert heard.stdout.count(f"page: {heard.run_dir / 'report.html'}\n") == 1


def test_the_verdict_stands_first(heard):
    assert re.search(
        r"Run \S+\s+✓ Success: the voice is certified\s+Next: Nothing is left to do\.\s+Listen\s", page_of(heard).text
    )


def test_a_job_that_offers_nothing_gets_a_page_without_clips_and_no_warning(bench):
    (bench.workspace / "out/status").mkdir(parents=True)
    samples(bench.workspace / "out/status/samples")  # an earlier run's
    session = offering(bench, None)
    assert session.returncode == 0
    assert not page_of(session).all("audio")
    assert not (session.run_dir / "listening").exists()
    assert session.report["warnings"] == [warning for warning in session.report["warnings"] if "listen" not in warning]


def test_clips_that_are_no_sound_too_large_or_links_are_left_out_with_a_warning_each(bench, tmp_path):
    folder = samples(tmp_path / "samples", steps=(0,))
    (folder / "at_0_1.flac").write_bytes(b"fLaC" + b"\0" * 5000)
    (folder / "at_0_2.flac").write_bytes(b"\0" * (4 * 2**20 + 1))
    (folder / "at_0_3.flac").unlink()
    (folder / "at_0_3.flac").symlink_to("/etc/hostname")
    session = offering(bench, folder)
    assert session.returncode == 0
    told = [warning for warning in session.report["warnings"] if warning.startswith("for listening: ")]
    assert len(told) == 3
    assert [any(f"at_0_{number}.flac" in warning for warning in told) for number in (1, 2, 3)] == [True] * 3
    assert not [player for player in page_of(session).all("audio") if "at_0" in player["src"]]


@pytest.mark.parametrize("name", ["../../../data/recording.wav", "/etc/passwd", "a.html"])
def test_an_index_that_leads_elsewhere_is_refused_whole(bench, tmp_path, name):
    folder = samples(tmp_path / "samples", steps=(0,))
    index = json.loads((folder / "samples.json").read_text())
    index["clips"][0]["file"] = name
    (folder / "samples.json").write_text(json.dumps(index))
    session = offering(bench, folder)
    assert session.returncode == 0
    assert [warning for warning in session.report["warnings"] if "samples.json: a clip's file must be" in warning]
    assert not page_of(session).all("audio")


@pytest.fixture(scope="module")
def failed(make_bench: Callable[..., Bench], tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A job that prints hostile text, then fails; in a CI system that takes a summary."""
    folder = tmp_path_factory.mktemp("failed")
    (folder / "said").write_bytes(HOSTILE * 3)
    (folder / "summary.md").write_text("before\n")
    bench = make_bench("failed")
    return bench.run(
        *(
            "-q",
            "--set",
            f"command=/bin/sh {JOB}",
            "--set",
            "env.TINY_MODE=fail",
            "--set",
            f"env.SAID={folder / 'said'}",
        ),
        *("--set", f"env.SAMPLES={samples(folder / 'samples')}"),
        env={"GITHUB_STEP_SUMMARY": str(folder / "summary.md")},
    )


def test_a_blocked_page_shows_cause_action_and_the_end_of_the_log_as_text(failed, heard):
    page = page_of(failed)
    assert failed.block["cause"] == "out_of_memory"
    assert re.search(r"Blocked: out_of_memory \(train_failed\)", page.text)
    assert page.text.count("</script><script>alert(1)</script><img src=x onerror=alert(2)> red? ?abc \ufffd") >= 3
    assert len(page.all("script")) == len(page_of(heard).all("script"))
    assert not [found for _, found in page.found if "onerror" in found]
    assert not set("\x1b\x00\u202e") & set((failed.run_dir / "report.html").read_text())


def test_what_a_failed_job_spoke_can_be_heard(failed):
    assert len(page_of(failed).all("audio")) == 1 + 9


def summary_of(session: Session) -> str:
    folder = Path(session.report["session"]["settings"]["env"]["SAID"]).parent
    return (folder / "summary.md").read_text()


def test_a_ci_system_gets_cause_action_phases_and_files_below_what_it_has(failed):
    told = summary_of(failed)
    assert told.startswith("before\n## ")
    assert "**train_failed / out_of_memory** in `phase_3_readiness.train_report_emitted`" in told or (
        "**train_failed / out_of_memory** in `phase_3_readiness.exit_clean`" in told
    )
    assert "**Next:**" in told
    assert re.search(r"^```sh\n.+\n```$", told, re.MULTILINE)
    assert re.search(r"^\| readiness +\| failed: ", told, re.MULTILINE)
    assert "[report.html](<" in told
    assert "<script" not in told
    assert told.count("Voice acceptance") == 1


def test_a_summary_that_cannot_be_written_is_a_warning(bench):
    session = bench.run("-q", env={"GITHUB_STEP_SUMMARY": str(bench.workspace / "no/such/folder")})
    assert session.returncode == 0
    assert [warning for warning in session.report["warnings"] if "summary for the CI system" in warning] == []
    assert "warning: the summary for the CI system could not be written: FileNotFoundError" in session.stdout


@pytest.mark.parametrize(("missing", "page"), [(("torch", "matplotlib"), True), (("jinja2",), False)])
def test_a_machine_without_libraries_for_the_page_has_every_report_all_the_same(bench, tmp_path, missing, page):
    for name in missing:
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('no {name} here')\n")
    session = bench.run("-q", env={"PYTHONPATH": str(tmp_path)})
    assert session.returncode == 0, session.stdout
    assert session.block["objective_status"] == "success"
    assert (session.run_dir / "report.html").is_file() == page
    said = f"warning: the page {session.run_dir.name}/report.html could not be written: ImportError: no jinja2 here"
    assert session.stdout.count(said) == (not page)
    assert session.stdout.count("\npage: ") == page


def test_voice_report_writes_the_page_anew_and_prints_its_path(heard):
    workspace, page = heard.run_dir.parents[2], heard.run_dir / "report.html"
    before = page.read_text()
    page.unlink()
    told = Bench(workspace=workspace, objective=Path()).report("--html")
    assert (told.returncode, told.stdout) == (0, f"{page.resolve()}\n")
    assert page.read_text() == before


def test_where_no_browser_starts_voice_report_names_the_page(failed, monkeypatch):
    monkeypatch.setenv("PATH", "/no/such/folder")
    monkeypatch.setenv("BROWSER", "/bin/false")
    monkeypatch.delenv("DISPLAY", raising=False)
    told = Bench(workspace=failed.run_dir.parents[2], objective=Path()).report("--open")
    assert told.returncode == 2
    assert f"open the page yourself: {failed.run_dir.resolve()}/report.html [no_browser]" in told.stderr


def test_voice_report_opens_the_page_of_a_blocked_run(failed, tmp_path, monkeypatch):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >{tmp_path}/opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    told = Bench(workspace=failed.run_dir.parents[2], objective=Path()).report("--open")
    assert told.returncode == 1
    assert (tmp_path / "opened").read_text() == f"file://{failed.run_dir.resolve()}/report.html\n"
