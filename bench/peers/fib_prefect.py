"""So many tasks that compute, one after another, as one flow in this process, with the server that it starts for itself."""

import logging
import sys

from fib import fib
from prefect import flow, task

count, n = int(sys.argv[1]), int(sys.argv[2])


@task
def compute() -> int:
    return fib(n)


@flow
def tasks() -> int:
    return len([compute() for _ in range(count)])


if __name__ == "__main__":
    logging.disable(logging.INFO)
    assert tasks() == count
