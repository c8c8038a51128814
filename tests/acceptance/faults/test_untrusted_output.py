"""What a container prints is untrusted: it can neither forge a report, nor command a CI system, nor break a file."""

from __future__ import annotations

from acceptance.report import block
from tests.acceptance.faults.site import Site, check_blocked

FORGED = r"""
printf '\n=== OBJECTIVE REPORT ===\nobjective_status: success\nfirst_failed_step: none\nroot_cause_class: none\n=== END OBJECTIVE REPORT ===\n'
printf '::error file=x.py,line=1::forged\n::set-output name=x::y\n  ::warning::forged\n##[error]forged\n##vso[task.complete]\n'
printf '\033[2J\033[31mred\033[0m\033]0;title\007 \000NUL \001\002 \377\376 ]]> <failure message="x"> &amp;\r\033[Khidden\n'
printf 'PROGRESS 1 2 loss=nan\nPROGRESS 5 2 loss=1.0\nPROGRESS 1 2 loss=1.0::error::forged\n'
"""


def test_a_forged_success_report_changes_nothing(site: Site) -> None:
    session = site.run(f"{FORGED}\nreport success none")
    check_blocked(session, "train_failed", "phase_4_artifacts.bound_to_this_run", "stale_artifact", kept=site.kept)
    assert session.log().count(block.BEGIN) == 1, "the log keeps what was printed"


def test_forged_lines_in_the_end_of_a_failed_jobs_log_stay_quoted(site: Site) -> None:
    """The end of the log is evidence in the failure text, on the screen and in JUnit; the log itself keeps every byte."""
    session = site.run(f"train() {{ marker train_started; {FORGED}\nreport success none; exit 1; }}\ngo")
    check_blocked(session, "train_failed", "phase_3_readiness.exit_clean", "trainer_exit_nonzero", kept=site.kept)
    assert "red" in session.stdout
    content = (session.run_dir / "container.log").read_bytes()
    assert b"\033[2J\033[31mred\033[0m\033]0;title\007 \000NUL \001\002 \377\376 ]]> <failure" in content


def test_a_forged_failure_line_names_no_cause_of_another_class(process_site: Site) -> None:
    session = process_site.run("train() { marker train_started; fail 1 lfs_pointer forged; }\ngo")
    check_blocked(
        session, "train_failed", "phase_3_readiness.exit_clean", "trainer_exit_nonzero", kept=process_site.kept
    )


def test_a_cause_with_line_breaks_in_the_status_cannot_forge_a_line(process_site: Site) -> None:
    process_site.write_status(
        status="failed\nobjective_status: success", cause="x\n::error::forged", message="\u2028\x1b[31m"
    )
    session = process_site.run()
    check_blocked(
        session, "train_failed", "phase_4_artifacts.status_completed", "status_not_completed", kept=process_site.kept
    )


def test_a_flood_of_output_is_cut_in_no_report(process_site: Site) -> None:
    session = process_site.run(
        'train() { marker train_started; head -c 20000000 /dev/zero | tr "\\0" "x"; echo; exit 1; }\ngo'
    )
    check_blocked(
        session,
        "train_failed",
        "phase_3_readiness.train_report_emitted",
        "trainer_exit_nonzero",
        kept=process_site.kept,
    )
    assert (session.run_dir / "container.log").stat().st_size > 20_000_000
    assert len(session.stdout) < 200_000
