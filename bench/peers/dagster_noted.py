"""One set, one asset that notes what it does, one sensor that finds so many keys: the job of worker-killed.mjs as Dagster has it."""

import os
import time

from dagster import (
    DefaultSensorStatus,
    Definitions,
    DynamicPartitionsDefinition,
    RunRequest,
    SensorResult,
    asset,
    sensor,
)

items = DynamicPartitionsDefinition(name="items")
COUNT = int(os.environ.get("BENCH_KEYS", "10"))


def note(what, key):
    with open(os.environ["BENCH_NOTES"], "a") as notes:
        notes.write(f"{what} {key} {os.getpid()}\n")


@asset(partitions_def=items)
def record(context) -> None:
    note("begun", context.partition_key)
    time.sleep(0.02)
    note("made", context.partition_key)


@sensor(target=[record], minimum_interval_seconds=1, default_status=DefaultSensorStatus.RUNNING)
def find(context):
    if context.cursor == "found":
        return SensorResult(skip_reason="nothing new", cursor="found")
    keys = [f"key-{at}" for at in range(1, COUNT + 1)]
    return SensorResult(
        dynamic_partitions_requests=[items.build_add_request(keys)],
        run_requests=[RunRequest(run_key=key, partition_key=key) for key in keys],
        cursor="found",
    )


defs = Definitions(assets=[record], sensors=[find])
