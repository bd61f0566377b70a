"""
Waits until the daemon's first tick has requested its runs, and with `all` until these ended well. Prints the seconds of
the tick, and those from its beginning to the end of the last run.
"""

import json
import sys
import time

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

COUNT, WAIT_FOR, LIMIT = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
until = time.monotonic() + LIMIT


def wait_for(what, said):
    while not (found := what()):
        assert time.monotonic() < until, f"{said} within {LIMIT} s"
        time.sleep(0.2)
    return found


with DagsterInstance.get() as instance:

    def finished_tick():
        for state in instance.all_instigator_state():
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id)
            for tick in ticks:
                if len(tick.run_ids) == COUNT and tick.end_timestamp:
                    return tick
        return None

    def all_ended():
        assert instance.get_runs_count(RunsFilter(statuses=[DagsterRunStatus.FAILURE])) == 0
        return instance.get_runs_count(RunsFilter(statuses=[DagsterRunStatus.SUCCESS])) == COUNT

    tick = wait_for(finished_tick, f"no tick requested {COUNT} runs")
    measured = {"tick": tick.end_timestamp - tick.timestamp}
    if WAIT_FOR == "all":
        wait_for(all_ended, f"not all of {COUNT} runs ended")
        ends = [record.end_time for record in instance.get_run_records()]
        measured["all"] = max(ends) - tick.timestamp
print(json.dumps(measured))
