#!/usr/bin/env pwsh
# The full cycle, as `make full-cycle` runs it; every option of `pytest acceptance --full-cycle` can follow:
#
#   ./run-full-cycle.ps1 --dry-run
#   ./run-full-cycle.ps1 --objective=my_voice.toml --production=prompts.csv --commit
$ErrorActionPreference = 'Stop'
. (Join-Path $PSScriptRoot 'docker/venv_python.ps1')
$python = Get-VenvPython $PSScriptRoot
& $python -m pytest (Join-Path $PSScriptRoot 'acceptance') -q --full-cycle @args
exit $LASTEXITCODE
