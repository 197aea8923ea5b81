"""Runs a command as in a container: as process 1, as any user, on a nearly empty read-only file system."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

SYSTEM = ("/bin", "/dev", "/etc", "/lib", "/lib64", "/usr")
# In a mount namespace of its own: nothing of it is left when the process ends.
RUN = """
set -e
root=$1 user=$2; shift 2
mount -t tmpfs -o mode=755 root "$root"
for path in $READ_ONLY; do
    mkdir -p "$root$path"
    mount --bind "$path" "$root$path"
    mount -o remount,ro,bind "$root$path"
done
mkdir -p "$root/run/secrets" "$root/proc"
mount --bind "$SECRETS" "$root/run/secrets"
mount -t proc proc "$root/proc"
mount -o remount,ro "$root"
exec chroot --userspec="$user" --groups= "$root" env -i "$@"
"""


def first_process(waiting: subprocess.Popen[str]) -> psutil.Process:
    """Return the container's process with the number 1 in there."""
    [process] = psutil.Process(waiting.pid).children()
    return process


@contextlib.contextmanager
def container(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    user: str,
    folders: Sequence[Path],
    secrets: Path,
    root: Path,
) -> Iterator[subprocess.Popen[str]]:
    """Run the command until the end of the block, and yield the process that waits for it and exits as it does.

    Args:
        user: uid:gid, which need not exist.
        folders: what it can read beside the system and this Python.
        secrets: the folder to mount as /run/secrets.
        root: an empty folder, on which the file system is mounted.
    """
    paths = [*(path for path in SYSTEM if Path(path).exists()), sys.base_prefix, *map(str, folders)]
    with subprocess.Popen(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", RUN, "sh", str(root), user]
        + [f"{name}={value}" for name, value in environment.items()]
        + list(command),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "READ_ONLY": " ".join(paths), "SECRETS": str(secrets)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as waiting:
        try:
            yield waiting
        finally:
            with contextlib.suppress(psutil.NoSuchProcess, ValueError):  # it has ended
                first_process(waiting).kill()
