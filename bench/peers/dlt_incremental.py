"""Reads lines, each the polls of a table: lists of [id, seconds, version]. Answers each with what dlt's incremental delivers poll by poll,
as its documentation shows it, and with a lag of ten minutes.

A whole resource configures itself anew at each poll, which takes seventeen times as long as what is asked about. So the incremental is bound and
called as a resource does it; each two hundredth table goes through whole resources as well, which must deliver the same."""

import json
import sys
from datetime import datetime, timezone

import dlt
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext
from dlt.common.pipeline import StateInjectableContext

AS_A_WHOLE_EACH = 200


class Pipe:
    """Of the resource `rows`, as far as an incremental looks at it."""

    name = "rows"
    has_parent = False


SECTIONS = ConfigSectionContext(sections=("sources", "rows", "rows"), source_state_key="rows")


def a_pipeline():
    """The state of a pipeline, without a destination: what is loaded is what the resource yields."""
    return Container().injectable_context(StateInjectableContext(state={}))


# select … where at >= last_value order by at
def selected(poll, at):
    return [row for row in poll if at.last_value is None or row["at"] >= at.last_value]


def by_resource(polls, **options):
    table = []

    @dlt.resource(primary_key="id", write_disposition="merge")
    def rows(at=dlt.sources.incremental("at", **options)):
        yield selected(table, at)

    out = []
    with a_pipeline():
        for table in polls:
            out.append([[row["id"], row["version"]] for row in rows()])
    return out


def delivered(polls, **options):
    out = []
    with a_pipeline(), Container().injectable_context(SECTIONS):
        at = dlt.sources.incremental("at", primary_key="id", **options)
        for poll in polls:
            at.bind(Pipe)
            out.append([[row["id"], row["version"]] for row in at(selected(poll, at)) or []])
    return out


for number, line in enumerate(sys.stdin):
    polls = [
        sorted(
            ({"id": row, "at": datetime.fromtimestamp(at, timezone.utc), "version": version} for row, at, version in poll),
            key=lambda row: row["at"],
        )
        for poll in json.loads(line)
    ]
    answers = []
    for options in {}, {"lag": 600}:
        answer = delivered(polls, **options)
        if number % AS_A_WHOLE_EACH == 0 and by_resource(polls, **options) != answer:
            sys.exit(f"line {number + 1}: whole resources deliver something else with {options}")
        answers.append(answer)
    print(json.dumps(answers), flush=True)
