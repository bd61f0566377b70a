"""The pipeline of the benchmarks as Dagster has it: one dynamic set, one asset, one sensor that finds so many keys."""

import os

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


@asset(partitions_def=items)
def record(context) -> str:
    return f"value of {context.partition_key}"


@sensor(target=[record], minimum_interval_seconds=1, default_status=DefaultSensorStatus.RUNNING)
def find(context):
    if context.cursor == "found":
        return SensorResult(skip_reason="nothing new", cursor="found")
    keys = [f"key-{at:07}" for at in range(1, COUNT + 1)]
    return SensorResult(
        dynamic_partitions_requests=[items.build_add_request(keys)],
        run_requests=[RunRequest(run_key=key, partition_key=key) for key in keys],
        cursor="found",
    )


defs = Definitions(assets=[record], sensors=[find])
