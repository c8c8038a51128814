#!/usr/bin/env pwsh
# Phase 0 alone, as `make guardrails` runs it; every option of `pytest acceptance` can follow:
#
#   ./run-guardrails.ps1
#   ./run-guardrails.ps1 -k freshness --junit-xml=guardrails.xml
$ErrorActionPreference = 'Stop'
. (Join-Path $PSScriptRoot 'docker/venv_python.ps1')
$python = Get-VenvPython $PSScriptRoot
& $python -m pytest (Join-Path $PSScriptRoot 'acceptance') -q -k guardrails @args
exit $LASTEXITCODE
