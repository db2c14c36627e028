"""Which errors of a disk an operator must fix; others, such as a full disk, may be temporary."""

import errno
from typing import Final

_PERMANENT: Final = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOTSUP,
    }
)


def is_permanent(error: OSError) -> bool:
    return error.errno in _PERMANENT


def reason_of(error: OSError) -> str:
    """Without the path, which clients must not see."""
    return error.strerror or type(error).__name__
