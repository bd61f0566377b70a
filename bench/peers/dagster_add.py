"""Adds so many keys to a new instance in one call, and prints the seconds of the call: without the interpreter's start."""

import sys
import time

from dagster import DagsterInstance

keys = [f"key-{at:07}" for at in range(1, int(sys.argv[1]) + 1)]
with DagsterInstance.get() as instance:
    began = time.perf_counter()
    instance.add_dynamic_partitions("items", keys)
    seconds = time.perf_counter() - began
    assert len(instance.get_dynamic_partitions("items")) == len(keys)
print(seconds)
