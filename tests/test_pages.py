"""The pages say what is there: commands that parse, links that lead somewhere, the table of causes; and they stay short."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from acceptance.cli.main import voice
from acceptance.cli.reports import causes_table
from acceptance.guardrails import NotApplicable, Repository, dead_references

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
GENERATED = "docs/causes.md"
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
WRITTEN = [page for page in PAGES if page != GENERATED]
LANGUAGES = {"sh", "console", "text", "python", "toml", "yaml", "mermaid"}
"""`sh` holds commands, `console` commands behind `$` with what they print, `text` what a program prints."""
OLD_SPELLINGS = re.compile(
    r"python3? -m (?:acceptance\b|trainer\.(?:evaluation|scores|synthesis|pretrain|text)|trainer (?!run\b|shard\b)[a-z])"
    r"|\b(?:export-onnx|render-demo)\b"
)
"""Programs that are `voice` now; inside the container the jobs stay `python -m trainer run` and `shard`."""
MAX_README_BYTES, MAX_LINE = 9_000, 120


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def parts(page: str) -> Iterator[tuple[int, str, str]]:
    """(line number, language of the fence or an empty text outside, line); fences themselves are left out."""
    language = None
    for number, line in enumerate(text_of(page).splitlines(), start=1):
        if line.startswith("```"):
            language = line[3:] if language is None else None
        else:
            yield number, language or "", line


def typed(page: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, words) of every command in the page's fences, cut where a shell would begin another one or redirect."""
    pending = ""
    for number, language, line in parts(page):
        if language not in ("sh", "console") or (language == "console" and not line.startswith("$ ")):
            continue
        line = pending + line.removeprefix("$ ")
        pending = line[:-1] if line.endswith("\\") else ""
        if not pending:
            yield from ((number, words) for words in commands_of(line))


def commands_of(line: str) -> list[list[str]]:
    """The commands of a line as words, without comments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    skip = False
    for word in lexer:
        if set(word) <= set("|&;"):
            found.append([])
        elif set(word) <= set("<>"):
            skip = True
        elif skip:
            skip = False
        else:
            found[-1].append(word)
    return [words for words in found if words]


def spans(page: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, words) of every command that stands in a sentence or a table."""
    for number, language, line in parts(page):
        for span in re.findall(r"`([^`]+)`", line) if not language else ():
            if re.match(r"(?:voice|make|pytest) [a-z./-]", span):
                yield from ((number, words) for words in commands_of(span.replace("…", "...").replace("'s", "s")))


def of_program(program: str, found: Iterator[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    return [(number, words[1:]) for number, words in found if words[0] == program]


def command_of(words: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """The command of `voice` that `words` name, and what is left of them."""
    command, context, rest = voice, click.Context(voice, info_name="voice"), list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        assert found is not None, f"there is no command {' '.join(words)}"
        command, context = found, click.Context(found, info_name=rest.pop(0), parent=context)
    return command, context, rest


def pytest_options(config: pytest.Config) -> set[str]:
    groups = [config._parser._anonymous, *config._parser._groups]
    return {name for group in groups for option in group.options for name in option.names()}


def test_every_kind_of_command_was_found() -> None:
    for program in ("voice", "make", "pytest"):
        for find in (typed, spans):
            assert [page for page in WRITTEN if of_program(program, find(page))], (
                f"no page has a line of {program} ({find.__name__})"
            )


@pytest.mark.parametrize("page", WRITTEN)
def test_every_line_of_voice_parses(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, words in of_program("voice", typed(page)):
        command, context, rest = command_of(words)
        for folder in (word for word in rest if word.endswith("/")):  # some options ask for one that is there
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        try:
            command.make_context(context.info_name, rest, parent=context.parent)
        except click.exceptions.Exit:  # --help
            continue
        except click.ClickException as error:
            pytest.fail(f"{page}:{number}: voice {shlex.join(words)}: {error.format_message()}")


@pytest.mark.parametrize("page", WRITTEN)
def test_every_mention_of_voice_names_what_there_is(page: str) -> None:
    for number, words in of_program("voice", spans(page)):
        command, context, rest = command_of(words)
        known = {
            name for parameter in command.get_params(context) for name in (*parameter.opts, *parameter.secondary_opts)
        }
        unknown = [word for word in rest if re.match("--?[a-z]", word) and word.partition("=")[0] not in known]
        assert not unknown, f"{page}:{number}: voice {shlex.join(words)}: {unknown}"


@pytest.mark.parametrize("page", WRITTEN)
def test_every_line_of_make_names_a_target(page: str) -> None:
    for number, words in [*of_program("make", typed(page)), *of_program("make", spans(page))]:
        for word in words:
            name, separator, _ = word.partition("=")
            known = rf"\$\({name}[):]" if separator else rf"^{name}:"
            assert name == "help" or re.search(known, MAKEFILE, re.MULTILINE), (
                f"{page}:{number}: make {shlex.join(words)}: {name}"
            )


@pytest.mark.parametrize("page", WRITTEN)
def test_every_line_of_pytest_names_options_and_files(page: str, pytestconfig: pytest.Config) -> None:
    options = pytest_options(pytestconfig)
    assert "--objective" in options
    for number, words in [*of_program("pytest", typed(page)), *of_program("pytest", spans(page))]:
        where = f"{page}:{number}: pytest {shlex.join(words)}"
        for word in words:
            name = word.partition("=")[0]
            if word.startswith("-"):
                assert name in options, f"{where}: {name}"
            elif "/" in word:
                assert (ROOT / word.partition("::")[0]).exists(), f"{where}: {word}"


@pytest.mark.parametrize("page", WRITTEN)
def test_every_benchmark_that_a_page_names_takes_its_options(page: str) -> None:
    for number, _, line in parts(page):
        for module, rest in re.findall(r"python -m (tests\.benchmarks\.\w+)([^`|]*)", line):
            source = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
            for option in re.findall(r"--[a-z][a-z-]+", rest):
                assert f'"{option}"' in source, f"{page}:{number}: {module} {option}"


@pytest.mark.parametrize("page", [*PAGES, "trainer/voice/shipped/MODEL_CARD.md", "trainer/voice/natural/MODEL_CARD.md"])
def test_no_page_uses_an_old_spelling(page: str) -> None:
    found = [
        f"{page}:{number}: {line}"
        for number, line in enumerate(text_of(page).splitlines(), start=1)
        if OLD_SPELLINGS.search(line)
    ]
    assert not found


def test_every_link_and_path_of_the_pages_leads_somewhere() -> None:
    try:
        repository = Repository.at(ROOT)
    except NotApplicable as reason:
        pytest.skip(str(reason))
    assert set(PAGES) <= repository.files
    assert not [
        str(finding) for finding in dead_references.findings(repository) if finding.where.partition(":")[0] in PAGES
    ]


@pytest.mark.parametrize("page", WRITTEN)
def test_lines_are_short(page: str) -> None:
    outside = [
        (number, line) for number, language, line in parts(page) if not language and not line.startswith(("|", "!["))
    ]
    assert outside
    long = [f"{page}:{number}" for number, line in outside if len(line) > MAX_LINE]
    assert not long


@pytest.mark.parametrize("page", WRITTEN)
def test_every_fence_says_what_it_holds(page: str) -> None:
    fences = [line[3:] for line in text_of(page).splitlines() if line.startswith("```")]
    assert len(fences) % 2 == 0
    assert set(fences[::2]) <= LANGUAGES
    assert set(fences[1::2]) <= {""}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= MAX_README_BYTES


def test_the_readme_leads_to_every_page() -> None:
    linked = re.findall(r"\]\(([^)#:]+)", text_of("README.md"))
    assert not set(PAGES) - {"README.md"} - set(linked)


def test_every_target_and_every_command_is_described() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    described = text_of("docs/developing.md")
    assert not [target for target in targets if target != "help" and f"| `make {target}` |" not in described]
    described = text_of("docs/running.md")
    assert not [name for name in voice.list_commands(click.Context(voice)) if f"`voice {name}" not in described]


def test_the_two_commands_come_first() -> None:
    first = [line for _, language, line in parts("README.md") if language == "sh"]
    assert first[0].startswith("make demo")
    assert first[1].startswith("make test")


def test_the_table_of_causes_is_the_one_in_the_code() -> None:
    assert causes_table() in text_of(GENERATED)
