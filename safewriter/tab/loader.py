"""What TensorBoard loads at its start, in each environment that has safewriter: it must cost nothing, and never fail.

TensorBoard calls entry points unguarded, so this module imports TensorBoard's base class and nothing else, and each
hook is guarded here. All that does something is in ``service``, which the first request imports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from tensorboard.plugins import base_plugin

_ROUTES = ("/index.js", "/audit", "/series", "/explain")


class Loader(base_plugin.TBLoader):  # type: ignore[misc]
    """Adds the flag ``--safewriter_tab`` and loads the tab."""

    def define_flags(self, parser: Any) -> None:
        """Adds the flag; a parser that does not take it changes nothing."""
        with suppress(Exception):  # TensorBoard must start
            group = parser.add_argument_group("safewriter")
            group.add_argument(
                "--safewriter_tab",
                metavar="BOOL",
                type=_boolean,
                nargs="?",
                const=True,
                default=True,
                help="Whether to show safewriter's tab: which runs are damaged, and which points are not shown.",
            )

    def load(self, context: Any) -> Tab | None:
        """The tab, or None where the flag switches it off."""
        with suppress(Exception):  # TensorBoard must start
            return Tab(context) if getattr(context.flags, "safewriter_tab", True) else None
        return None


class Tab(base_plugin.TBPlugin):  # type: ignore[misc]
    """The plugin. It makes its service when it is first asked for anything."""

    plugin_name = "safewriter"

    def __init__(self, context: Any) -> None:
        self._context = context
        self._service: Any = None
        self._lock = threading.Lock()

    @property
    def service(self) -> Any:
        """See ``safewriter.tab.service.Service``."""
        with self._lock:
            if self._service is None:
                from safewriter.tab.service import Service

                self._service = Service(self._context)
            return self._service

    def get_plugin_apps(self) -> dict[str, Callable[..., Iterable[bytes]]]:
        """The routes: the page and three answers in JSON."""
        return {route: partial(self._answer, route) for route in _ROUTES}

    def _answer(self, route: str, environ: Any, start_response: Any) -> Iterable[bytes]:
        from safewriter.tab.serving import answer

        return answer(self, route, environ, start_response)

    def is_active(self) -> bool:
        """Always: with an empty log directory it is the only tab, and says why."""
        return True

    def frontend_metadata(self) -> Any:
        """The name of the tab, with the number of runs that have findings. Asked at each listing of plugins."""
        name = "Safewriter"
        with suppress(Exception):  # the listing must not fail for our sake
            runs = self.service.listed()
            name += f" ({runs:,})" if runs else ""
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name=name, disable_reload=True)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(text)
    return text.lower() in ("true", "1")
