"""The table of causes: the class each belongs to, the one action that unblocks it, and whether everything later stops.

A new cause is one row: of a job that can state it, in `_ACTIONS` of `trainer.job.contract`; of what only the harness can know, in
`_ACTIONS` here. `CAUSES` is both, and `docs/causes.md` is printed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from trainer.job.contract import INTERRUPTED, JOB_CAUSES, UNCLASSIFIED, ExitStatus


class FailureClass(StrEnum):
    """Root cause classes; exactly these four exist."""

    # Docker unavailable, image cannot be built, mount denied, policy denies.
    ENVIRONMENT_BLOCKED = "environment_blocked"
    # Import, model or weights fail inside the container.
    RUNTIME_BLOCKED = "runtime_blocked"
    # The recording is missing, tiny, a pointer, undecodable or holds no usable speech.
    DATA_BLOCKED = "data_blocked"
    # Training ran and ended badly, or its artifacts do not hold.
    TRAIN_FAILED = "train_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One row of the table: the class it belongs to (None: the class of its stage), the action, and whether everything later stops."""

    failure_class: FailureClass | None
    action: str
    hard_stop: bool = False
    nothing_failed: bool = False
    """The step was only cut short: its class is `none`, whatever its stage."""

    @property
    def class_name(self) -> str:
        """The class as the table of causes shows it."""
        return "none" if self.nothing_failed else str(self.failure_class or "of its step")


_ENV, _RUN, _DATA, _TRAIN = FailureClass
CLASS_OF: Mapping[ExitStatus, FailureClass] = {
    ExitStatus.DATA: _DATA,
    ExitStatus.RUNTIME: _RUN,
    ExitStatus.TRAINING: _TRAIN,
}
"""The class of a job that ends with a status of the contract."""
BEGIN_WITH_YOURS, COPY_AUDIO, CHECK_OUT_AUDIO = (
    "voice init RECORDING",
    "install -D RECORDING {audio}",
    "git checkout -- {audio}",
)
RENDER_AUDIO = "voice demo-recording {audio}"
"""What `restore_audio` is in an action: for an objective of this project, for a person's own, for what git holds, and for the demonstration's."""

_ACTIONS: Mapping[FailureClass | None, Mapping[str, str]] = {
    _DATA: {
        "prompts_invalid": "The prompts cannot be read; correct the line that the report names: cat {latest}/report.json",
        "audio_too_small": "Put a recording of more than {min_audio_bytes} bytes in place, then look at it: ls -l {audio}",
    },
    _ENV: {
        "docker_cli_missing": "Install the Docker client and engine: sudo apt-get install -y docker.io",
        "docker_daemon_unreachable": "No Docker engine answers at {docker_endpoint}; start one there, or correct the address: {docker_repair}",
        "docker_api_version_refused": "The engine does not take the version that DOCKER_API_VERSION names: unset DOCKER_API_VERSION",
        "docker_socket_denied": "Let this user open the Docker socket at {docker_endpoint}, then log in again: {docker_grant}",
        "docker_daemon_hung": "The Docker engine at {docker_endpoint} takes calls and does not answer; restart it: {docker_restart}",
        "policy_denied": "Ask the owner of the Docker authorization policy for an exemption or use another runner; see what "
        "is enforced: docker info",
        "base_image_missing": "Make a base image here, without a registry, and build from it: make base-image && {run} --set "
        "build_args.BASE_IMAGE=voice-base:bookworm",
        "dockerfile_invalid": "Correct the Dockerfile, then build it: docker build -f {dockerfile} {context}",
        "dockerignore_invalid": "Correct the line of .dockerignore that is named, or see those that are not UTF-8: grep -naxv '.*' "
        "{context}/.dockerignore",
        "dockerfile_missing": "Restore the Dockerfile: git checkout -- {dockerfile}",
        "build_context_missing_file": "A file that the Dockerfile copies is not in the build context (make the wheels first if they are "
        "missing): make wheelhouse",
        "build_packages_unavailable": "The build has no package index; put every package in the wheelhouse: make wheelhouse",
        "build_step_failed": "Read the failing step's output: tail -n 50 {latest}/build.log",
        "build_deadline_exceeded": "The image build passed its deadline; see where, then give it longer: {run} --set build_deadline_s=3600",
        "disk_full_engine": "Free space where Docker keeps its data: docker system prune",
        "budget_spent": "See what it went to, then raise cost.total_budget in the policy: voice cost report",
        "sources_changed": "The build's sources changed while it ran; leave them alone and run again: {run}",
        "mount_source_missing": "A directory to mount does not exist; make it: mkdir -p {output_dirs}",
        "mount_name_unsupported": "Docker cannot mount a folder whose name is not UTF-8; rename it: mv WORKSPACE NEW_NAME",
        "mount_not_writable": 'Let this user write the output directories: chown -R "$(id -u):$(id -g)" {output_dirs} && chmod -R '
        "u+rwX {output_dirs}",
        "input_not_sendable": "The engine is on another machine, and what the job needs cannot be copied to it; see what and why: cat "
        "{latest}/report.json",
        "gpu_unavailable": "Install the NVIDIA container toolkit, or train on the CPU: {run} --set gpus=",
        "container_create_failed": "The engine refused the container; read its reason: cat {latest}/report.json",
        "container_name_taken": "Another container has this run's name; see whose it is, then remove it: docker ps -a --filter "
        "name=voice-acceptance",
        "engine_lost": "The Docker engine at {docker_endpoint} went away during the run; start it, then run again: {docker_repair}",
        "workspace_unwritable": 'Let this user write the workspace: chown -R "$(id -u):$(id -g)" {output_dirs}',
        "consent_missing": "A production needs the speaker's consent record; write it, fill it in and put it beside the recording: voice consent "
        "init voice.toml",
        "consent_invalid": "The consent record does not hold; see what is wrong with it, then correct it: cat {latest}/report.json",
        "consent_refused": "The speaker does not allow a production now; ask, then write the new consent down: cat {latest}/report.json",
        "registry_invalid": "The registry of promoted voices does not hold; restore the file that the report names, for example from git, then go "
        "on: {run} --resume",
        "promoted_voice_lost": "The version in use is not kept whole; put its checkpoint back, or another version into use (voice rollback), "
        "then go on: {run} --resume",
        "pins_differ": "The version in use was measured by other instruments; speak and evaluate it again as the report says, "
        "then go on: {run} --resume",
        "guardrail_failed": "A guardrail does not hold; correct what it names, then look again: {run} -k guardrails",
        "journal_unwritable": "The run's journal could not be written; look at its disk, at space and at inodes: df -h "
        "{output_dirs} && df -i {output_dirs}",
    },
    _RUN: {
        "entrypoint_not_executable": "The entrypoint cannot be executed (mode, line ends or architecture); rebuild it: docker build "
        "--no-cache -f {dockerfile} {context}",
    },
    _TRAIN: {
        "trainer_exit_nonzero": "Read the end of the trainer's log: tail -n 200 {latest}/container.log",
        "train_report_missing": "The container ended without its train report; read its log: tail -n 200 {latest}/container.log",
        "deadline_exceeded": "The training passed its deadline; it resumes from its last state with more time: {run} --set train_deadline_s=7200",
        "killed": "The container was killed from outside; run again, it resumes from its last state: {run}",
        "manifest_missing": "The run wrote no manifest; read its log: tail -n 200 {latest}/container.log",
        "status_missing": "The run wrote no train status; read its log: tail -n 200 {latest}/container.log",
        "status_invalid": "The train status is not strict JSON of the contract; look at it: cat {status}",
        "status_not_completed": "The train status is not completed; read the end of the log: tail -n 200 {latest}/container.log",
        "checkpoint_missing": "The run wrote no checkpoint; read its log: tail -n 200 {latest}/container.log",
        "checkpoint_invalid": "The checkpoint cannot be trusted; see what is wrong with it: cat {latest}/report.json",
        "checkpoint_unsafe": "The checkpoint holds more than tensors and plain containers, do not load it; see the finding: cat "
        "{latest}/report.json",
        "output_refused": "The job left in its outputs what is not copied back; see its name: cat {latest}/report.json",
        "stale_artifact": "The artifacts are from an earlier run, this one wrote none; read its log: tail -n 200 {latest}/container.log",
        "artifact_mismatch": "The artifacts do not belong together; see which hash differs: cat {latest}/report.json",
        "production_empty": "No clip of the production was approved; see the counts, the batch is artifacts/production/RUN: cat {latest}/report.json",
        "no_learning": "The voice did not improve on held-out speech; read the losses: python -m json.tool {status}",
        "protected_path_changed": "The run changed files that it must not touch; see which: git status --short --ignored",
    },
    None: {
        "evaluation_failed": "The voice could not be evaluated; read why: cat {latest}/report.json",
        "promotion_failed": "Nothing was decided about the promotion; read why: cat {latest}/report.json",
        "production_failed": "The production did not come to its end; read why: cat {latest}/report.json",
        "report_incomplete": "The report does not hold; rebuild it from the journal: voice report",
        INTERRUPTED: "Nothing failed, the session was interrupted; run again, training resumes from its last state: {run}",
        "internal_error": "The harness itself failed here; see the traceback: cat {latest}/report.json",
        UNCLASSIFIED: "No rule knows this failure; read the evidence: cat {latest}/report.json",
    },
}
"""What to do about a cause that only the harness can know, by its class (None: the class of its step)."""
_HARD_STOPS = frozenset(
    "docker_cli_missing docker_daemon_unreachable docker_api_version_refused docker_socket_denied docker_daemon_hung "
    "policy_denied mount_source_missing mount_name_unsupported mount_not_writable workspace_unwritable".split()
)

CAUSES: Mapping[str, Cause] = {
    **{
        name: Cause(failure_class=None if row.status is None else CLASS_OF[row.status], action=row.action)
        for name, row in JOB_CAUSES.items()
    },
    **{
        name: Cause(
            failure_class=kind, action=action, hard_stop=name in _HARD_STOPS, nothing_failed=name == INTERRUPTED
        )
        for kind, actions in _ACTIONS.items()
        for name, action in actions.items()
    },
}
