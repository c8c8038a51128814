"""What a session would do, step by step, each with the command that does it by hand. It reads the objective and the policy, and writes nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from acceptance import objective as objectives
from acceptance import policy as policies
from acceptance.evidence import job
from acceptance.failure import HarnessError
from acceptance.objective import Settings
from acceptance.session import facts, records_in_git, resuming
from acceptance.session.command import session_command
from acceptance.session.key import workspace_of
from acceptance.session.production_fixtures import BATCHES
from acceptance.session.refused_options import without_cycle
from acceptance.session.selection import asked_phases
from acceptance.steps import ALL_STEPS, is_guardrail, optional_steps
from acceptance.voices import registry

_RUN = "artifacts/runs/RUN"
"""RUN stands for the id that the run will get."""
_LOCKED = "--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges"


def plan(config: pytest.Config) -> str:
    """Every step that the session would run, with its command; raises UsageError as the session itself would."""
    option, problem = config.option, without_cycle(config)
    if problem is not None:
        raise pytest.UsageError(problem)
    overrides = [*option.overrides, *([f"runtime={option.runtime}"] if option.runtime else [])]
    try:
        settings, workspace = objectives.load(option.objective, overrides=overrides), workspace_of(config)
        objectives.check_folders(settings, workspace)
        given = None if option.policy is None else config.invocation_params.dir / option.policy
        policy = policies.load(given, option.thresholds)
        carried: frozenset[str] = frozenset()
        if option.resume is not None:
            inputs, phases = facts.named_inputs(config), asked_phases(config)
            carried = frozenset(resuming.find(workspace, option.resume, settings, policy, inputs, phases).steps)
        standing = registry.current(workspace, settings.name) if option.full_cycle else None
    except (objectives.SettingsError, policies.PolicyError, HarnessError) as error:
        raise pytest.UsageError(str(error)) from error
    commands = _Commands(
        settings=settings, workspace=option.workspace or ".", texts=option.texts, prompts=option.production or None,
        standing=None if standing is None else standing.run_id, policy=_policy_words(option.policy, option.thresholds),
    )  # fmt: skip
    lines = [*_lines(commands.by_step(), carried, asked_phases(config), session_command(config))]
    lines += ["afterwards", f"  {'records':<26} {commands.commit()}"] if option.commit else []
    return "\n".join(lines)


def _lines(commands: Mapping[str, str], carried: frozenset[str], phases: frozenset[str], session: str) -> Iterator[str]:
    yield f"dry run of: {session}"
    yield "RUN stands for the new run's id. Nothing was started, and nothing was written."
    phase = ""
    for step in (*ALL_STEPS, *optional_steps(phases)):
        if step.phase != phase:
            phase = step.phase
            yield f"{phase}"
        shown = f"pytest acceptance -q -k {step.check}" if is_guardrail(step.id) else commands[step.id]
        yield f"  {step.check:<26} {'# passed in the run that is resumed' if step.id in carried else shown}"


def _policy_words(file: str | None, thresholds: Sequence[str]) -> str:
    words = [
        *([] if file is None else ["--policy", file]),
        *(word for text in thresholds for word in ("--threshold", text)),
    ]
    return "".join(f" {shlex.quote(word)}" for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commands:
    """The commands of one objective; what has none is told as a comment of the shell."""

    settings: Settings
    workspace: str
    texts: str | None
    prompts: str | None
    standing: str | None
    """Of the scorecard of the version in use."""
    policy: str
    """Options that name the policy, for the commands that judge; empty for the default one."""

    def by_step(self) -> dict[str, str]:
        """Step -> command."""
        phases = {
            "phase_1_preflight": self._preflight(),
            "phase_2_build": self._build(),
            "phase_3_readiness": self._readiness(),
            "phase_4_artifacts": self._artifacts(),
            "phase_5_report": self._report(),
            "phase_6_evaluation": self._evaluation(),
            "phase_7_production": self._production(),
            "phase_8_promotion": self._promotion(),
        }
        return {f"{phase}.{check}": command for phase, rows in phases.items() for check, command in rows.items()}

    def _at(self, path: str) -> str:
        return shlex.quote(str(PurePosixPath(self.workspace) / path))

    def _preflight(self) -> dict[str, str]:
        audio, docker = self._at(self.settings.audio), self.settings.runtime != "process"
        return {
            "audio_exists": f"test -f {audio}",
            "audio_size": f"test $(stat -c %s {audio}) -gt {self.settings.min_audio_bytes}",
            "audio_not_lfs_pointer": f"! head -c 40 {audio} | grep -q git-lfs",
            "audio_decodes": f"python -c 'import soundfile, sys; soundfile.read(sys.argv[1])' {audio}",
            "docker_cli": "docker --version" if docker else "# not needed: the objective's runtime is process",
            "docker_daemon": "docker version" if docker else "# not needed: the objective's runtime is process",
        }

    def _build(self) -> dict[str, str]:
        asked = self.settings
        if asked.runtime == "process":
            return {"image_built": "python --version", "sources_unchanged": "# the same sources as before the training"}
        arguments = "".join(f" --build-arg {shlex.quote(f'{key}={value}')}" for key, value in asked.build_args.items())
        context = asked.context or "."
        dockerfile = shlex.quote(str(PurePosixPath(context) / asked.dockerfile))
        return {
            "image_built": f"docker build --file {dockerfile} --tag {asked.image}{arguments} {shlex.quote(context)}",
            "sources_unchanged": "# the same build context as before the build",
        }

    def _readiness(self) -> dict[str, str]:
        folders = " ".join(self._at(path) for path in self.settings.output_dirs())
        return {
            "container_started": self._training(),
            "mount_writable": f"mkdir -p {folders} && test -w {folders.replace(' ', ' -a -w ')}",
            "train_report_emitted": f"grep 'END DOCKER TRAIN REPORT' {self._at(f'{_RUN}/container.log')}",
            "exit_clean": f"# exit status 0 within {self.settings.train_deadline_s:g} s",
        }

    def _training(self) -> str:
        asked = self.settings
        command = " ".join(map(shlex.quote, asked.command))
        if asked.runtime == "process":
            root = PurePosixPath(Path(self.workspace).resolve())
            words = [f"{key}={shlex.quote(value)}" for key, value in job.environment(asked, root, "RUN").items()]
            return f"env {' '.join(words)} {command or 'docker/voice-train/run_voice_train.sh'}"
        mount = PurePosixPath(asked.mount_point)
        words = [
            f"--env {shlex.quote(f'{key}={value}')}" for key, value in job.environment(asked, mount, "RUN").items()
        ]
        here = '"$(realpath ' + shlex.quote(self.workspace) + ')"'
        volumes = [f"--volume {here}:{mount}{'' if asked.mount == 'workspace' else ':ro'}"]
        volumes += [f"--volume {here}/{shlex.quote(path)}:{mount / path}" for path in asked.output_dirs()]
        limits = f"--memory {asked.memory} --shm-size {asked.shm} --pids-limit {asked.pids_limit}"
        gpus = f" --gpus {asked.gpus}" if asked.gpus else ""
        user = asked.user or '"$(id -u):$(id -g)"'
        given = " ".join([*volumes, *words])
        return f"docker run --rm --network none {_LOCKED} --user {user} {limits}{gpus} {given} {asked.image} {command}".rstrip()

    def _artifacts(self) -> dict[str, str]:
        asked = self.settings
        manifest, status, checkpoint = map(self._at, (asked.manifest, asked.status, asked.checkpoint))
        protected = " ".join(map(shlex.quote, asked.protected)) or "."
        return {
            "manifest_valid": f"voice manifest verify {manifest}",
            "status_completed": f"python -m json.tool {status}",
            "checkpoint_valid": f"voice say Hello. --checkpoint {checkpoint} -o hello.wav",
            "bound_to_this_run": f"sha256sum {self._at(asked.audio)} {manifest} {checkpoint}",
            "learned": f"grep -A12 learning {status}",
            "protected_paths_unchanged": f"git status --short --ignored -- {protected}",
        }

    def _report(self) -> dict[str, str]:
        command = f"voice report RUN{self._place()}"
        return {
            "report_complete": command,
            "report_deterministic": f"{command} | sed -n '/^=== OBJ/,/^=== END OBJ/p' | cmp - {self._at(f'{_RUN}/report.txt')}",
        }

    def _evaluation(self) -> dict[str, str]:
        folder, asked = f"{_RUN}/evaluation", self.settings
        clips, found = self._at(f"{folder}/clips"), self._at(f"{folder}/evaluation.json")
        texts = self._at(f"{folder}/sentences.txt") if self.texts is None else shlex.quote(self.texts)
        checkpoint, manifest = self._at(asked.checkpoint), self._at(asked.manifest)
        return {
            "voice_evaluated": f"voice say --file {texts} --lines --output-dir {clips} --checkpoint {checkpoint} && voice evaluate --generated "
            f"{clips} --manifest {manifest} --texts {texts} --checkpoint {checkpoint} --output {found}{self.policy}",
            "scorecard_recorded": f"voice scorecard {found} --checkpoint {checkpoint} --manifest {manifest}{self._workspace()}",
            "compared_with_promoted": "# no version is in use: nothing to compare with"
            if self.standing is None
            else f"voice compare {self.standing} RUN{self._workspace()}",
        }

    def _production(self) -> dict[str, str]:
        batch = self._at(f"{BATCHES}/RUN")
        words = "" if self.prompts is None else f" {shlex.quote(self.prompts)}"
        checkpoint, part = self._at(self.settings.checkpoint), "# part of that command"
        made = f"voice produce{words} --output {batch} --checkpoint {checkpoint}{self.policy}"
        names = "prompts_readable health_check clips_judged clips_sorted".split()
        return {**dict.fromkeys(names, part), "clips_made": made, "batch_reported": f"voice report {batch}"}

    def _promotion(self) -> dict[str, str]:
        name = shlex.quote(self.settings.name)
        return {
            "decided": f"voice promote RUN --name {name}{self._workspace()}",
            "registry_consistent": f"voice versions{self._workspace()}",
        }

    def commit(self) -> str:
        """Of the records of the run alone, whatever is staged; git leaves out those that are missing or ignored."""
        paths = " ".join(map(self._at, records_in_git.patterns_of("RUN", self.settings.name)))
        commit = """sh -c 'git add -- "$@" && git commit --only --message "Records of run RUN" -- "$@"' records"""
        return f"git ls-files -z --cached --others --exclude-standard -- {paths} | xargs -0 -r {commit}"

    def _workspace(self) -> str:
        """The options that the commands of a workspace share."""
        return self.policy + self._place()

    def _place(self) -> str:
        return "" if self.workspace == "." else f" --workspace {shlex.quote(self.workspace)}"
