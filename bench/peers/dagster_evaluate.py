"""Seconds that Dagster's evaluator of conditions takes where nothing has changed, and where the upstream of 1,000 keys has. Nothing is committed."""

import json
import time

import dagster as dg

KEYS = [f"key-{number:05d}" for number in range(1000)]
items = dg.DynamicPartitionsDefinition(name="items")


@dg.asset(partitions_def=items)
def record(): ...


@dg.asset(partitions_def=items, deps=[record], automation_condition=dg.AutomationCondition.eager())
def notes(): ...


def made(instance, asset):
    for key in KEYS:
        instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))


definitions = dg.Definitions(assets=[record, notes])
with dg.DagsterInstance.ephemeral() as instance:
    instance.add_dynamic_partitions("items", KEYS)
    made(instance, "record")
    made(instance, "notes")
    cursor = None
    for what in ("first", "nothing", "changed"):
        if what == "changed":
            made(instance, "record")
        began = time.monotonic()
        result = dg.evaluate_automation_conditions(defs=definitions, instance=instance, cursor=cursor)
        print(json.dumps({what: time.monotonic() - began, "requested": result.total_requested}))
        cursor = result.cursor
