"""Opens every lie within limits of memory and time; run as a process of its own by the test."""

import resource

from penstock.errors import ArtifactError
from penstock.model import Model
from tests.hostile.lies import LIES

# What opening one artifact may take on top of the process.
MEMORY = 200 << 20
# The kernel counts whole seconds, and the first is partly over when the limit is set.
SECONDS = 2


def limit_memory() -> None:
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def limit_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def main() -> None:
    lies = {name: make() for name, make in LIES.items()}
    limit_memory()
    for name, data in lies.items():
        limit_time()
        try:
            Model(data)
        except ArtifactError:
            continue
        raise SystemExit(f"`{name}` was believed")


if __name__ == "__main__":
    main()
