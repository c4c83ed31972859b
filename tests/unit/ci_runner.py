"""Runs the steps of a composite GitHub Action and the script of a GitLab component here: their shell in bash, `uses:` noted and not run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SHIM = """#!/bin/sh
case "$1 $2" in
  "-m pip") shift 2; for word; do printf '%s\\n' "$word" >> "$SHIM_LOG/pip"; done; exit 0;;
  "-m pytest")
    [ -n "$SHIM_REAL" ] && exec "{python}" "$@"
    shift 2; for word; do printf '%s\\n' "$word" >> "$SHIM_LOG/pytest"; done
    {made}
    exit "${{SHIM_STATUS:-0}}";;
esac
exec "{python}" "$@"
"""
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")


@dataclass
class Machine:
    """A runner's folder: what ran and with what, step by step; `made` are shell lines of a pytest that is played."""

    folder: Path
    made: str = ":"
    status: int = 0
    real: bool = False
    ran: list[str] = field(default_factory=list)
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    log: str = ""

    def __post_init__(self) -> None:
        for name in ("bin", "log", "home", "work"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        shim = self.folder / "bin" / "python"
        shim.write_text(SHIM.format(python=sys.executable, made=self.made))
        shim.chmod(0o755)

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PYTHONPATH", "LANG") if name in os.environ}
        own = {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "HOME": str(self.folder / "home"), "CI": "true"}
        shim = {"SHIM_LOG": str(self.folder / "log"), "SHIM_STATUS": str(self.status), "SHIM_REAL": "1" if self.real else ""}
        return {**kept, **own, **shim, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OMP_NUM_THREADS": "1", **more}

    def bash(self, text: str, *, cwd: Path, environ: dict[str, str]) -> int:
        bash = shutil.which("bash")
        assert bash is not None
        done = subprocess.run(
            [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", text], cwd=cwd, env=environ, capture_output=True, text=True
        )
        self.log += done.stdout + done.stderr
        return done.returncode

    def words(self, program: str) -> list[str]:
        """The arguments that pip or pytest got, one a word."""
        path = self.folder / "log" / program
        return path.read_text().splitlines() if path.exists() else []


def run_action(action: dict[str, Any], machine: Machine, **inputs: str) -> dict[str, str]:
    """Do the steps as GitHub does; the action's outputs and its `status`, 0 when no step has failed."""
    given = {name: inputs.pop(name.replace("-", "_"), each.get("default", "")) for name, each in action["inputs"].items()}
    assert not inputs, f"no such input: {inputs}"
    outputs: dict[str, dict[str, str]] = {}
    status = 0

    def value(expression: str) -> str:
        kind, _, rest = expression.partition(".")
        if kind == "inputs":
            return given[rest]
        if kind == "runner":
            return {"os": "Linux", "arch": "X64"}[rest]
        if told := re.fullmatch(r"steps\.(\w+)\.outputs\.([\w-]+)", expression):
            return outputs.get(told[1], {}).get(told[2], "")
        raise AssertionError(f"the runner of the tests does not know {expression}")

    def filled(text: str) -> str:
        return EXPRESSION.sub(lambda found: value(found[1]), text)

    def wanted(condition: str) -> bool:
        parts = condition.split(" && ")
        if status and "always()" not in parts:
            return False
        for part in parts:
            if part != "always()":
                left, sign, right = part.split(" ")
                if (value(left) == right.strip("'")) != (sign == "=="):
                    return False
        return True

    for number, step in enumerate(action["runs"]["steps"]):
        if not wanted(step.get("if", "always()" if not status else "success()")):
            continue
        if "uses" in step:
            machine.used.append((step["uses"], {key: filled(text) for key, text in step.get("with", {}).items()}))
            continue
        machine.ran.append(step["name"])
        files = {name: machine.folder / f"{name}-{number}" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.touch()
        environ = machine.environ(
            **{key: filled(text) for key, text in step.get("env", {}).items()},
            **{name: str(path) for name, path in files.items()},
            **{"GITHUB_ACTION_PATH": "/the/action", "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_ACTIONS": "true"},
        )
        cwd = machine.folder / "work" / filled(step.get("working-directory", "."))
        status = machine.bash(step["run"], cwd=cwd, environ=environ) or status
        if "id" in step:
            outputs[step["id"]] = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
            outputs[step["id"]]["summary"] = files["GITHUB_STEP_SUMMARY"].read_text()
    told = {name: filled(each["value"]) for name, each in action["outputs"].items()}
    return {**told, "status": str(status), "summary": outputs.get("gates", {}).get("summary", "")}


def read_component(path: Path, **inputs: str) -> tuple[str, dict[str, Any]]:
    """The job of a GitLab component, its name and what it holds, with the inputs filled in."""
    spec, jobs = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    given = {name: inputs.pop(name.replace("-", "_"), (each or {}).get("default")) for name, each in spec["spec"]["inputs"].items()}
    assert not inputs, f"no such input: {inputs}"
    assert None not in given.values(), given

    def filled(each: Any) -> Any:
        if isinstance(each, dict):
            return {filled(key): filled(inner) for key, inner in each.items()}
        if isinstance(each, list):
            return [filled(inner) for inner in each]
        return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: given[found[1]], each) if isinstance(each, str) else each

    [(name, job)] = filled(jobs).items()
    return name, job


def run_job(job: dict[str, Any], machine: Machine) -> int:
    """Run the script of a job; its exit status."""
    work = machine.folder / "work"
    variables = {}
    for name, each in job["variables"].items():
        text = each["value"] if isinstance(each, dict) else each.replace("$CI_PROJECT_DIR", str(work))
        assert not isinstance(each, dict) or each["expand"] is False, name
        variables[name] = text
    return next((status for text in job["script"] if (status := machine.bash(text, cwd=work, environ=machine.environ(**variables)))), 0)
