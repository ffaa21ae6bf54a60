"""The command line: the only place that prints, and where errors become exit codes.

Results go to the standard output, progress and complaints to the standard error.
"""

from __future__ import annotations

import errno
import logging
import signal
import sys
import tempfile
import traceback
import warnings
from types import FrameType
from typing import NoReturn

from videoclusternet.cli import (  # noqa: F401  # the commands, by being defined
    ask,
    corrections,
    doctor,
    export,
    films,
    library,
    models,
    purge,
    review,
)
from videoclusternet.cli.app import app, err, package_log
from videoclusternet.errors import ResourceError, VideoClusterNetError
from videoclusternet.terminal import one_line, to_paste

INTERNAL = 6  # the exit code of our own faults


class _Stopped(BaseException):
    """A signal asked the program to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _Stopped(number)


class _Complaints(logging.Handler):
    """Shows what the package warns of, a sentence each."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(f"Warning: {one_line(record.getMessage())}")


def main() -> None:
    """Run the command line and exit with the code of what happened (see `errors`)."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    package_log.addHandler(_Complaints(logging.WARNING))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as it is where the caller has closed it
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app(prog_name="vcn")
    except _Stopped as stopped:
        err.print(f"Stopped. To go on: {to_paste(['vcn', *sys.argv[1:]])}")
        sys.exit(128 + stopped.number)
    except Exception as error:
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    """Say in a sentence what is wrong, and return its exit code.

    Where it comes from is for those who ask for it; a fault of ours is written down for us.
    """
    if package_log.isEnabledFor(logging.DEBUG):
        traceback.print_exception(error)
    known = _known(error)
    if known is not None:
        err.print(one_line(known))
        return known.exit_code
    with tempfile.NamedTemporaryFile(
        "w", prefix="vcn-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as log:
        traceback.print_exception(error, file=log)
    what = f"{type(error).__name__}: {one_line(error)}"
    err.print(f"This is a fault of the program ({what}): report it, and add {log.name}.")
    return INTERNAL


def _known(error: Exception) -> VideoClusterNetError | None:
    """Return what an error means for the user, or None where it should not have happened."""
    match error:
        case VideoClusterNetError():
            return error
        case MemoryError():
            return ResourceError(
                f"There is not enough memory ({error or 'none is left'}): end other programs, and "
                "type the same command again."
            )
        case OSError(errno=errno.ENOSPC):  # files of ours say so themselves
            return ResourceError("There is no room for the output: make room on the disk.")
    return None
