"""An exception at each point of a call at which Python would run a signal handler, and nowhere else.

Python looks for signals when a function begins, behind a call, and where a loop goes back. Python 3.12 and later can
tell of each instruction.
"""

import contextlib
import dis
import functools
import gc
import os
import sys
import threading
import types

import safewriter

_HERE = os.path.dirname(os.path.abspath(safewriter.__file__)) + os.sep


class Interrupted(BaseException):
    """What the handler raises."""


@functools.cache
def _points(code):
    """The offsets of instructions before which a handler may run."""
    table = dis._parse_exception_table(code)

    def guarded_by(offset):
        return next((entry.target for entry in table if entry.start <= offset < entry.end), None)

    found, previous = set(), None
    for instruction in dis.get_instructions(code):
        begins = previous is not None and previous.opname.startswith("RESUME")
        # Behind the last call of a `try` or `with` the exception would be raised within it; here it would be outside.
        behind_call = previous is not None and previous.opname.startswith("CALL")
        if begins or (behind_call and guarded_by(previous.offset) == guarded_by(instruction.offset)):
            found.add(instruction.offset)
        if instruction.opname == "JUMP_BACKWARD" and guarded_by(instruction.argval) == guarded_by(instruction.offset):
            found.add(instruction.argval)
        previous = instruction
    return found


def _code_within(rooms):
    """All code of functions, and of what is defined in them, from files below these paths of the package."""
    left = [each.__code__ for each in gc.get_objects() if type(each) is types.FunctionType]
    found = set()
    while left:
        code = left.pop()
        if code not in found and code.co_filename.startswith(tuple(_HERE + room for room in rooms)):
            found.add(code)
            left += [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return found


class Interrupter:
    """Raises ``Interrupted`` at the points of a call, one after the other; a context manager.

    Args:
        rooms: Paths below the package whose functions are interrupted.
    """

    def __init__(self, *rooms):
        self._rooms = rooms
        self._left = -1  # points until the one that is wanted
        self._thread = threading.get_ident()

    def __enter__(self):
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.DEBUGGER_ID, "interrupts")
        monitoring.register_callback(monitoring.DEBUGGER_ID, monitoring.events.INSTRUCTION, self._at)
        self._code = _code_within(self._rooms)
        for code in self._code:
            monitoring.set_local_events(monitoring.DEBUGGER_ID, code, monitoring.events.INSTRUCTION)
        return self

    def __exit__(self, *_):
        monitoring = sys.monitoring
        for code in self._code:  # else it stays as it is, where handlers run at other points than usual
            monitoring.set_local_events(monitoring.DEBUGGER_ID, code, monitoring.events.NO_EVENTS)
        monitoring.register_callback(monitoring.DEBUGGER_ID, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(monitoring.DEBUGGER_ID)

    def _at(self, code, offset):
        if self._left < 0 or threading.get_ident() != self._thread or offset not in _points(code):
            return
        self._left -= 1
        if self._left < 0:
            raise Interrupted

    def run(self, number, call):
        """Makes a call that is left at one of its points; whether it has so many."""
        self._left = number
        with contextlib.suppress(Interrupted):
            call()
        reached = self._left < 0
        self._left = -1
        return reached
