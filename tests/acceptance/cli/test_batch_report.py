"""`voice report` of a batch: its pages anew, its Markdown, its JSON, and the exit status of the production."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acceptance.cli.main import voice
from acceptance.production import batch_content, batch_folder, batch_markdown
from tests.acceptance.production import batch_folders


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    batch_folders.make(folder, 3)
    return folder


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(voice, ["report", *map(str, arguments)])


def test_without_options_it_prints_the_markdown_and_writes_nothing(made):
    before = sorted(made.rglob("*"))
    found = report(made)
    assert found.stdout == batch_markdown.render(batch_content.read(made))
    assert sorted(made.rglob("*")) == before


def test_it_prints_the_json_of_the_batch(made):
    assert json.loads(report(made, "--json").stdout)["counts"]["generated"] == 6


def test_it_ends_as_the_production_did(made, tmp_path):
    counts = batch_content.read(made).summary.counts
    assert report(made).exit_code == int(counts.prompts_approved != counts.prompts)
    batch_folders.make(tmp_path, 60)
    counts = batch_content.read(tmp_path).summary.counts
    assert counts.prompts_approved < counts.prompts
    assert report(tmp_path).exit_code == 1


@pytest.mark.long
def test_it_writes_the_pages_anew_and_prints_where_the_page_is(made, tmp_path):
    batch = Path(shutil.copytree(made, tmp_path / "batch"))
    found = report(batch, "--html")
    assert found.stdout == f"{batch / 'batch_report.html'}\n"
    assert (batch / "batch_report.html").is_file()
    assert (batch / "batch_report.md").is_file()


def test_pages_are_not_written_while_another_command_works_on_the_batch(made):
    with batch_folder.held(made):
        found = report(made, "--html")
    assert found.exit_code == 2
    assert "[batch_busy]" in found.stderr


def test_a_folder_that_is_no_batch_is_named(tmp_path):
    found = report(tmp_path)
    assert found.exit_code == 2
    assert f"{tmp_path / 'plan.json'}" in found.stderr
    assert "Traceback" not in found.output
