"""Reads lines, each the polls of a table: lists of [id, seconds, version]. Answers each with what dlt's incremental delivers poll by poll,
as its documentation shows it, and with a lag of ten minutes."""

import json
import sys
from datetime import datetime, timezone

import dlt
from dlt.common.configuration.container import Container
from dlt.common.pipeline import StateInjectableContext


def delivered(polls, **options):
    table = []

    @dlt.resource(primary_key="id", write_disposition="merge")
    def rows(at=dlt.sources.incremental("at", **options)):
        # select … where at >= last_value order by at
        yield [row for row in table if at.last_value is None or row["at"] >= at.last_value]

    out = []
    # The state of a pipeline, without a destination: what is loaded is what the resource yields.
    with Container().injectable_context(StateInjectableContext(state={})):
        for poll in polls:
            table = sorted(poll, key=lambda row: row["at"])
            out.append([[row["id"], row["version"]] for row in rows()])
    return out


for line in sys.stdin:
    polls = [
        [{"id": row, "at": datetime.fromtimestamp(at, timezone.utc), "version": version} for row, at, version in poll]
        for poll in json.loads(line)
    ]
    print(json.dumps([delivered(polls), delivered(polls, lag=600)]), flush=True)
