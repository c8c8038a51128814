"""The pages of a batch say what is in its folder, the same each time, and nothing that a text holds becomes a part of the page."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from acceptance.failure import HarnessError
from acceptance.production import batch_content, batch_markdown, batch_page, batch_pictures
from tests.acceptance.production import batch_folders
from tests.acceptance.production.conftest import HOSTILE


class Elements(HTMLParser):
    """Elements with their attributes, the texts of scripts, and all other text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.text += data


def page_of(batch: Path, pictures: dict[tuple[str, int], str] | None = None) -> str:
    return batch_page.render(batch_content.read(batch), pictures or {})


def table_of(page: str) -> list[dict[str, Any]]:
    document = json.loads(Elements(page).scripts[0])
    titles = [column["title"] for column in document["columns"]]
    return [dict(zip(titles, row, strict=True)) for row in document["rows"]]


@pytest.fixture
def batch(small_batch: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(small_batch, tmp_path / "batch"))


def changed(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_the_counts_come_first_and_are_those_of_the_folder(small_batch):
    text = re.sub(r"\s+", " ", Elements(page_of(small_batch)).text)
    counts = json.loads((small_batch / "batch_report.json").read_text())["counts"]
    said = "Generated {generated} Approved {approved} Rejected {rejected} Quarantined {quarantined} Left out {left_out}"
    assert said.format(**counts) in text
    assert text.index("Generated") < text.index("Means of the approved takes") < text.index("What it was made with")


def test_the_table_has_every_take_with_what_was_said_of_it(small_batch):
    rows = table_of(page_of(small_batch))
    lines = [json.loads(line) for line in (small_batch / "verdicts.jsonl").read_text().splitlines()]
    assert len(rows) == len(lines) == 12
    for row, line in zip(rows, lines, strict=True):
        assert (row["verdict"], row["prompt"], row["take"], row["grade"]) == tuple(
            line[name] for name in ("verdict", "id", "take", "grade")
        )
        assert row["score"] == pytest.approx(line["score"], abs=1e-4)
        assert row["similarity"] == pytest.approx(line["similarity"], abs=1e-4)
        assert (row["why not approved"] or "") == "; ".join(line["reasons"])


def test_players_lead_to_the_clips_beside_the_page(small_batch):
    sources = [row["listen"] for row in table_of(page_of(small_batch))]
    assert sources
    assert all(source.startswith("./") and (small_batch / unquote(source)).is_file() for source in sources)


def test_nothing_is_loaded_before_it_is_asked_for(small_batch):
    players = [found for tag, found in Elements(page_of(small_batch)).found if tag == "audio"]
    assert players
    assert all(found["preload"] == "none" for found in players)


def test_a_hostile_prompt_makes_no_element_and_no_attribute(small_batch, tmp_path):
    batch_folders.make(tmp_path, 6, texts=[" ".join("x" for _ in HOSTILE.split())])
    hostile, plain = Elements(page_of(small_batch)), Elements(page_of(tmp_path))
    in_plots = {"svg", "title", "rect", "path", "text"}  # as many as there are different numbers
    found, expected = ([tag for tag, _ in page.found if tag not in in_plots] for page in (hostile, plain))
    assert found == expected
    assert not [
        name for _, attributes in hostile.found for name in attributes if name.startswith("on") or name == "style"
    ]
    assert "alert(1)" in hostile.text
    assert not set("\x1b\x00\u202e") & set(page_of(small_batch))


def test_a_hostile_prompt_is_one_cell_of_plain_text_in_the_markdown(small_batch):
    page = batch_markdown.render(batch_content.read(small_batch))
    (row, *_) = [line for line in page.splitlines() if "alert(1)" in line]
    assert re.search(r"(?<!\\)[<>`\[\]*]", row) is None
    tables = page.split("\n\n")
    (block, *_) = [block for block in tables if row in block]
    cells = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in block.splitlines()}
    assert len(cells) == 1
    assert not set("\x1b\x00\u202e") & set(page)


def test_equal_batches_give_equal_pages_but_for_the_last_section(small_batch, batch):
    changed(batch / "timing.json", '"wall_s": 412.5', '"wall_s": 99.5')
    one, other = page_of(small_batch), page_of(batch)
    assert one != other
    parts = [re.split('<section id="times">.*?</section>', page, flags=re.DOTALL) for page in (one, other)]
    assert parts[0] == parts[1]
    assert len(parts[0]) == 2
    one, other = (batch_markdown.render(batch_content.read(folder)) for folder in (small_batch, batch))
    assert one != other
    assert one.split("## What it took")[0] == other.split("## What it took")[0]


def test_without_times_the_pages_say_nothing_of_them(batch):
    (batch / "timing.json").unlink()
    assert "What it took" not in page_of(batch) + batch_markdown.render(batch_content.read(batch))


def test_a_clip_that_was_taken_away_has_no_player_and_the_page_says_so(batch):
    gone = min((batch / "approved").glob("*.flac"))
    gone.unlink()
    page = page_of(batch)
    assert "1 of the clips are not in their folders any more." in Elements(page).text
    assert [row["listen"] for row in table_of(page) if gone.stem == f"{row['prompt']}_t{row['take']}"] == [None]


def test_a_take_that_could_not_be_spoken_is_in_the_table_with_its_cause(tmp_path):
    batch_folders.make(tmp_path, 60)
    found = [row for row in table_of(page_of(tmp_path)) if row["listen"] is None]
    assert found
    assert all(row["score"] is None and row["why not approved"].endswith("[not_spoken]") for row in found)


def test_reasons_are_counted_and_lead_to_their_takes(tmp_path):
    batch_folders.make(tmp_path, 100)
    page = Elements(page_of(tmp_path))
    buttons = [found["data-filter"] for tag, found in page.found if tag == "button" and "data-filter" in found]
    assert "production.min_similarity" in buttons
    table = table_of(page_of(tmp_path))
    counted = json.loads((tmp_path / "batch_report.json").read_text())["reasons"]["similarity"]
    assert len([row for row in table if "production.min_similarity" in (row["why not approved"] or "")]) == counted > 0


def test_what_is_not_approved_comes_first_if_not_all_takes_can_be_listed(tmp_path):
    batch_folders.make(tmp_path, 100)
    listed = batch_content.read(tmp_path, most=100).takes
    others = [row for row in batch_content.read(tmp_path).takes if row.verdict != "approved"]
    assert len(listed) == 100 > len(others) > 0
    assert [row for row in listed if row.verdict != "approved"] == others
    places = [(row.id, row.take) for row in listed]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("verdicts.jsonl", '"verdict":"approved"', '"verdict":"fine"', r"verdicts.jsonl: line \d: the verdict 'fine' is none of approved"),
        ("verdicts.jsonl", '"file":"0001_t1.flac"', '"file":"../../x.flac"', r"verdicts.jsonl: line 1: the clip has another take's name"),
        ("verdicts.jsonl", '"take":1', '"take":true', r"verdicts.jsonl: line 1: .*take"),
        ("batch_report.json", '"generated": 12', '"generated": 13', r"verdicts.jsonl: 12 takes, but the report counts 13"),
        ("batch_report.json", '"plan_sha256": "', '"plan_sha256": "0', r"batch_report.json: a report of another plan"),
        ("batch_report.json", '"schema": "production_report/1"', '"schema": "other/1"', r"batch_report.json: schema is not"),
        ("batch_report.json", '"counts"', '"count"', r"batch_report.json: .*counts"),
        ("plan.json", '"seed":0', '"seed":-1', r"plan.json: seed=-1"),
        ("timing.json", "{", "[", r"timing.json: "),
        ("left_out.jsonl", "{", "[{", r"left_out.jsonl: "),
        ("batch_report.json", '"min_similarity": 0.75', '"min_similarity": "much"', r"batch_report.json: the policy's min_similarity is not"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_hold_is_named_with_the_next_step(batch, name, before, after, said):
    changed(batch / name, before, after)
    with pytest.raises(HarnessError, match=f"{said}.*run voice produce with --resume") as caught:
        batch_page.write(batch)
    assert caught.value.cause == "batch_unreadable"
    assert not (batch / batch_page.HTML).exists()


@pytest.mark.parametrize("name", ["plan.json", "batch_report.json", "verdicts.jsonl", "left_out.jsonl"])
def test_a_batch_that_is_not_finished_has_no_page(batch, name):
    (batch / name).unlink()
    with pytest.raises(HarnessError, match=re.escape(name)):
        batch_page.write(batch)


@pytest.mark.long
def test_a_small_batch_has_its_pictures_in_a_page_of_less_than_ten_megabytes(tmp_path):
    batch_folders.make(tmp_path, 50)
    assert batch_page.write(tmp_path) == [tmp_path / "batch_report.md", tmp_path / "batch_report.html"]
    page = (tmp_path / "batch_report.html").read_text()
    rows = table_of(page)
    assert len(rows) == 100
    assert all(row["mel"].startswith("data:image/png;base64,") for row in rows if row["listen"])
    assert len(page) < 10_000_000
    assert not (tmp_path / batch_pictures.FOLDER).exists()


@pytest.mark.long
def test_a_large_batch_has_its_pictures_beside_the_page(shown_batch):
    rows = table_of((shown_batch / "batch_report.html").read_text())
    pictures = [row["mel"] for row in rows if row["listen"]]
    assert pictures
    assert all((shown_batch / unquote(source)).read_bytes().startswith(b"\x89PNG") for source in pictures)


@pytest.mark.long
def test_pictures_are_bounded_and_old_ones_go(shown_batch, tmp_path, monkeypatch):
    batch = Path(shutil.copytree(shown_batch, tmp_path / "batch"))
    (batch / "pictures" / "mine.png").write_bytes(b"x")
    monkeypatch.setattr(batch_pictures, "MOST", 30)
    batch_page.write(batch)
    left = {path.name for path in (batch / "pictures").iterdir()}
    rows = table_of((batch / "batch_report.html").read_text())
    drawn = {Path(row["mel"]).name for row in rows if row["mel"]}
    assert left == drawn | {"mine.png"}
    assert 20 <= len(drawn) <= 30
    assert "have a picture" in (batch / "batch_report.html").read_text()


@pytest.mark.long
def test_writing_the_pages_again_changes_no_byte(shown_batch, tmp_path):
    batch = Path(shutil.copytree(shown_batch, tmp_path / "batch"))
    batch_page.write(batch)
    for path in shown_batch.rglob("*"):
        if path.is_file():
            assert (batch / path.relative_to(shown_batch)).read_bytes() == path.read_bytes()


def test_a_batch_of_one_take_for_each_prompt_has_no_columns_for_takes(small_batch, tmp_path):
    batch_folders.make(tmp_path, 3, takes=1)
    assert not {"take", "best"} & table_of(page_of(tmp_path))[0].keys()
    assert {"take", "best"} < table_of(page_of(small_batch))[0].keys()
