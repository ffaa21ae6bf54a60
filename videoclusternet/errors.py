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


def reason_of(error: Exception) -> str:
    """Return the first line of what somebody else's exception says, as the end of a sentence."""
    return str(error).strip().partition("\n")[0].strip(" .") or type(error).__name__
