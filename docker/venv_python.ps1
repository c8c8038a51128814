# The Python of the virtual environment (VENV, default .venv), else PYTHON, else the one on PATH; run-*.ps1 load it.
function Get-VenvPython([string] $Root) {
    $venv = if ($env:VENV) { $env:VENV } else { Join-Path $Root '.venv' }
    foreach ($place in @('bin/python', 'Scripts/python.exe')) {
        $found = Join-Path $venv $place
        if (Test-Path -LiteralPath $found) {
            return $found
        }
    }
    $names = if ($env:PYTHON) { @($env:PYTHON) } else { @('python', 'python3') }
    foreach ($name in $names) {
        $command = Get-Command $name -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
        if ($command) {
            return $command.Source
        }
    }
    throw "no Python: neither $venv nor $($names -join ' nor ') on PATH. Next step: make venv, or set PYTHON"
}
