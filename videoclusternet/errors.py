"""Everything that this package raises on purpose.

VideoClusterNetError          exit code
 ├── UsageError               2   a setting, flag or argument that cannot be meant
 ├── InputError               3   a film, truth file or run folder that cannot be used
 │    └── WeightsError        3   a model file that is missing or not what it should be
 ├── ResourceError            4   no room on the disk or in memory
 └── BusyError                5   another run works in the same folder

Each message is one sentence for the person in front of the screen: what is wrong, with what, and
what to do next. Exit code 6 is left for faults of ours, 130 and 143 for signals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class VideoClusterNetError(Exception):
    """The root: catch this to catch all that the package raises on purpose."""

    exit_code = 6


class UsageError(VideoClusterNetError):
    """A setting, flag or argument that cannot be meant."""

    exit_code = 2


class InputError(VideoClusterNetError):
    """A film, truth file or run folder that cannot be used."""

    exit_code = 3


class WeightsError(InputError):
    """A model file that is missing, or is not the file that it should be."""


class ResourceError(VideoClusterNetError):
    """No room on the disk or in memory."""

    exit_code = 4


class BusyError(VideoClusterNetError):
    """Another run works in the same folder."""

    exit_code = 5


DEMANDS = {
    "greater_than": "has to be more than {gt}",
    "greater_than_equal": "has to be at least {ge}",
    "less_than": "has to be less than {lt}",
    "less_than_equal": "has to be at most {le}",
    "literal_error": "has to be {expected}",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "float_type": "has to be a number",
    "float_parsing": "has to be a number",
    "finite_number": "has to be a number",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "string_type": "has to be a text",
    "missing": "is missing",
    "extra_forbidden": "is not known",
}
"""What pydantic's kinds of errors ask for, with what belongs to each."""


def demand(problem: Mapping[str, Any]) -> str:
    """Return what one of pydantic's errors asks for, to follow the name of the value."""
    known = DEMANDS.get(problem["type"])
    if known is None:
        return f"does not fit ({problem['msg']})"
    return known.format(**problem.get("ctx", {}))


def reason_of(error: Exception) -> str:
    """Return the first line of what somebody else's exception says, as the end of a sentence."""
    return str(error).strip().partition("\n")[0].strip(" .") or type(error).__name__
