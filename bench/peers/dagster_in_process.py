"""Materializes so many keys one after another in this process, and prints the seconds of each."""

import json
import sys
import time

from dagster import DagsterInstance, materialize
from dagster_pipeline import record

seconds = []
with DagsterInstance.get() as instance:
    keys = [f"key-{at:07}" for at in range(1, int(sys.argv[1]) + 1)]
    instance.add_dynamic_partitions("items", keys)
    for key in keys:
        began = time.perf_counter()
        assert materialize([record], partition_key=key, instance=instance).success
        seconds.append(time.perf_counter() - began)
print(json.dumps(seconds))
