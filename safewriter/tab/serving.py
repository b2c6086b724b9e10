"""The routes of the tab, as WSGI. Nothing that happens here may become an error of TensorBoard's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from importlib import resources
from typing import Any

from tensorboard.backend import http_util
from werkzeug import wrappers

from safewriter.findings import CATALOGUE
from safewriter.tab.service import SCHEMA, BadRequestError


def answer(tab: Any, route: str, environ: Any, start_response: Any) -> Iterable[bytes]:
    """Answers one request, as WSGI has it, to one of the tab's routes."""
    request = wrappers.Request(environ)
    code = 200
    content: Any
    if request.method not in ("GET", "HEAD"):
        content, code = {"error": "This address answers GET only."}, 405
    elif route == "/index.js":
        return _respond(request, _module(), "application/javascript", 200)(environ, start_response)
    else:
        try:
            content = _ANSWERS[route](tab, request.args)
        except BadRequestError as error:
            content, code = {"error": str(error)}, 400
        except Exception as error:  # noqa: BLE001 - a fault of ours is the page's to show
            content = {"schema": SCHEMA, "error": f"safewriter could not answer: {type(error).__name__}: {error}"}
    return _respond(request, content, "application/json", code)(environ, start_response)


def _module() -> str:
    """The page's module with its style sheet inside: one that is asked for by itself comes late, or not at all."""
    static = resources.files("safewriter.tab") / "static"
    style, code = ((static / name).read_text(encoding="utf-8") for name in ("style.css", "index.js"))
    return f"const STYLE = {json.dumps(style)};\n{code}"


def _respond(request: Any, content: Any, kind: str, code: int) -> Callable[..., Iterable[bytes]]:
    response: Callable[..., Iterable[bytes]] = http_util.Respond(request, content, kind, code=code)
    return response


def _audit(tab: Any, arguments: Any) -> dict[str, Any]:
    since = arguments.get("since", "-1")
    if not re.fullmatch(r"-?[0-9]{1,18}", since):
        raise BadRequestError("'since' is the version of an earlier answer, a whole number.")
    found: dict[str, Any] = tab.service.audit(int(since))
    return found


def _series(tab: Any, arguments: Any) -> dict[str, Any]:
    run, tag = arguments.get("run"), arguments.get("tag")
    if run is None or tag is None:
        raise BadRequestError("'run' and 'tag' name the curve; both are needed.")
    found: dict[str, Any] = tab.service.series(run, tag)
    return found


def _explain(tab: Any, arguments: Any) -> dict[str, Any]:
    entry = CATALOGUE.get(arguments.get("code", ""))
    if entry is None:
        raise BadRequestError("'code' is a code of safewriter's catalogue, such as SW602.")
    return {
        "schema": SCHEMA,
        "code": entry.code,
        "name": entry.name,
        "when": entry.when,
        "why": entry.why,
        "fix": entry.fix,
    }


_ANSWERS: dict[str, Callable[[Any, Any], dict[str, Any]]] = {"/audit": _audit, "/series": _series, "/explain": _explain}
