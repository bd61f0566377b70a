"""So many ops that compute, one after another, as one job in this process, with its instance in SQLite files."""

import sys

from dagster import DagsterInstance, job, op
from fib import fib

count, n = int(sys.argv[1]), int(sys.argv[2])


@op
def task() -> int:
    return fib(n)


@job
def tasks():
    for at in range(count):
        task.alias(f"task_{at}")()


if __name__ == "__main__":
    with DagsterInstance.get() as instance:
        assert tasks.execute_in_process(instance=instance).success
