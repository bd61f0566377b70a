/** The shape of what somebody is told of. */
import type { Calling, IncidentEnd, IncidentRecord, Incidents, Told } from '../../model/incident.ts';
import { count, entries, is, list, object, oneOf, optional, orNull, text, time } from '../../model/shape.ts';

export const incidentsShape = object<Incidents>({
  list: list(
    object<IncidentRecord>({
      kind: oneOf('run-failed', 'sensor-failed', 'stuck', 'overdue'),
      asset: orNull(text),
      sensor: orNull(text),
      code: text,
      message: text,
      since: time,
      names: list(text),
      more: count,
      run: optional(text),
      over: optional(object<IncidentEnd>({ at: time, why: oneOf('well', 'gone') })),
      told: entries(object<Told>({ at: time, as: oneOf('open', 'over') })),
    }),
  ),
  calling: entries(
    object<Calling>({
      at: time,
      tries: count,
      isSaid: optional(is<true>((value) => value === true, 'true')),
    }),
  ),
});
