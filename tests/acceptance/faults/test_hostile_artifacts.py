"""Artifacts made to keep the harness busy, fill it or end it: the report comes all the same, and its cause names the file at fault."""

from __future__ import annotations

import functools
import io
import pickle
import resource
import time
import zipfile

import pytest

from tests.acceptance.faults.site import Site, check_blocked

STEP = "phase_4_artifacts."
CHECKPOINT_VALID, MANIFEST_VALID, STATUS_COMPLETED = (
    f"{STEP}checkpoint_valid",
    f"{STEP}manifest_valid",
    f"{STEP}status_completed",
)
LONGEST_S, MOST_CPU_S = 60.0, 15.0
"""A session's wall time beside busy neighbours, and its processor time with the job's."""
SIX_GIB = b"\x80\x02}X\x01\0\0\0xc__builtin__\nbytearray\n(\x8a\x08" + (6 * 2**30).to_bytes(8, "little") + b"tRs."
SHARED_LISTS = pickle.dumps({"a": functools.reduce(lambda below, _: [below] * 10, range(10), 0)}, protocol=2)
"""Ten references in each of ten lists to the one below: some hundred bytes, ten thousand million values."""


def check(site: Site, script: str, step: str, cause: str, says: str) -> None:
    """The session is blocked by that cause, in bounded time."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    session = site.run(f"{script}\ngo", timeout=LONGEST_S)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MOST_CPU_S
    assert time.monotonic() - began < LONGEST_S
    check_blocked(session, "train_failed", step, cause, kept=site.kept)
    assert says in session.stdout, session.stdout[-3000:]


@pytest.mark.parametrize(
    ("pickled", "cause", "says"),
    [
        pytest.param(SIX_GIB, "checkpoint_unsafe", "checkpoint: ", id="asks for 6 GiB"),
        pytest.param(SHARED_LISTS, "checkpoint_invalid", "values", id="shared lists"),
    ],
)
def test_a_pickle_that_grows_is_named(process_site: Site, pickled: bytes, cause: str, says: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
    process_site.path("job/checkpoint.pt").write_bytes(buffer.getvalue())
    check(process_site, "", CHECKPOINT_VALID, cause, says)


def test_a_sparse_checkpoint_of_a_terabyte_is_named(process_site: Site) -> None:
    script = 'put_checkpoint() { printf \'PK\\003\\004\' >"$CHECKPOINT_PATH"; truncate -s 1T "$CHECKPOINT_PATH"; }'
    check(process_site, script, CHECKPOINT_VALID, "checkpoint_invalid", "larger than")


def test_a_manifest_of_60_mb_of_keys_is_named(process_site: Site) -> None:
    keys = "{ printf '{'; seq -f '\"key%.0f\":0,' 4500000; printf '\"z\":0}'; }"
    check(
        process_site,
        f'put_manifest() {{ {keys} >"$MANIFEST_PATH"; marker data_ok; }}',
        MANIFEST_VALID,
        "manifest_invalid",
        "manifest",
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a":' * 40_000 + "0" + "}" * 40_000, id="nested 40,000 deep"),
        pytest.param('{"loss": 1' + "0" * 5_000 + "}", id="a number of 5,000 digits"),
        pytest.param('{"step": ' + "9" * 200_000 + "}", id="a number of 200,000 digits"),
    ],
)
def test_a_status_of_nests_or_huge_numbers_is_named(process_site: Site, text: str) -> None:
    process_site.path("job/status.json").write_text(text)
    check(process_site, "", STATUS_COMPLETED, "status_invalid", "train status")
