/** Asks an asset's own filter which keys automation makes. */
import type { AssetDefinition } from '../../../definitions/pipeline.ts';
import { fail } from '../../../model/failure.ts';
import { nameOfType } from '../../../model/partition-key.ts';
import { AUTOMATION } from '../../../model/run.ts';
import { describeThrown } from '../../../model/thrown.ts';

/** What the user's filter says. @throws FailureError where it throws, or answers with a promise */
export function isWanted({ name, automate }: AssetDefinition, key: string, item: unknown): boolean {
  const { only } = automate!;
  if (only === null) return true;
  let answer: unknown;
  try {
    answer = only(key, item);
  } catch (error) {
    return fail({ reason: 'sensor-threw', sensor: AUTOMATION, ...describeThrown(error) });
  }
  if (typeof answer === 'boolean') return answer;
  const message = `automate.only of asset '${name}' must answer with true or false, not ${nameOfType(answer)}`;
  return fail({ reason: 'sensor-result', sensor: AUTOMATION, problems: [message] });
}
