"""Renders a page: a template, its values made safe, with style and script inside it.

A page asks for nothing from the network: its policy forbids it, and style and script are known to that policy by their hashes. Every value
that a template prints is cleaned and escaped here, so that no template can forget it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from acceptance.pages.plain_text import cleaned

SIGN = b'<meta name="generator" content="voice-acceptance">'
"""Bytes that stand in every page, so that an earlier one is known."""
_SCRIPTS = ("copy.js", "table.js")


def render(template: Path, **values: Any) -> str:
    """The page of a template that extends `base.html`.

    `template` lies beside the module that fills it. A name that the template uses and `values` lacks is an error (jinja2.UndefinedError).
    """
    return _environment(template.parent).get_template(template.name).render(values)


@functools.cache
def _environment(folder: Path) -> jinja2.Environment:
    """Templates of `folder` and of this kit; all text is escaped, unknown names are errors."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder), jinja2.PackageLoader("acceptance.pages")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printed,
    )
    environment.policies["json.dumps_function"] = _json
    environment.policies["json.dumps_kwargs"] = {}
    environment.globals["kit"] = _inlined()
    return environment


@functools.cache
def _inlined() -> dict[str, Markup]:
    """Style, script and the policy that allows nothing but them."""
    style = "\n" + _text("style.css")
    script = "\n" + "".join(_text(name) for name in _SCRIPTS)
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; img-src 'self' data: file:; "
        "media-src 'self' data: file:; base-uri 'none'; form-action 'none'"
    )
    # Files of this package, not text from outside: they stand in the page as they are.
    return {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}


def _text(name: str) -> str:
    return resources.files("acceptance.pages").joinpath(name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """How a Content-Security-Policy names an inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _printed(value: Any) -> Any:
    """What a template prints of a value: text without signs that hide or reorder it."""
    return cleaned(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _json(value: Any) -> str:
    """JSON for a script element; raises ValueError for NaN and infinities, which JSON has not."""
    return json.dumps(_cleaned_within(value), allow_nan=False, separators=(",", ":"))


def _cleaned_within(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {str(key): _cleaned_within(one) for key, one in value.items()}
    return [_cleaned_within(one) for one in value] if isinstance(value, list | tuple) else value
