/** Which of some run keys sensors have spent, and on what. */
import { runKeyText } from '../run-key-text.ts';
import { type Port, rows } from '../port.ts';

export interface SpentRow {
  readonly sensor: string;
  /** As the database has it: see `runKeyText`. */
  readonly run_key: string;
  readonly set: string | null;
  readonly key: string | null;
}

const SPENT = `
select k.sensor, k.run_key, s.name as set, k.key
from unnest($1::text[], $2::text[]) as w(sensor, run_key)
join @.run_key k on k.sensor = w.sensor and k.run_key = w.run_key
left join @.key_set s on s.id = k.set_id`;

export function readSpent(
  port: Port,
  asked: readonly { readonly sensor: string; readonly runKey: string }[],
): Promise<readonly SpentRow[]> {
  return rows<SpentRow>(port, SPENT, [
    asked.map(({ sensor }) => sensor),
    asked.map(({ runKey }) => runKeyText(runKey)),
  ]);
}
