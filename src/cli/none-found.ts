/** Where flags leave nothing: what was asked for, and the command that shows all of it. */
import { shellFlag, shellWord } from '../model/shell-words.ts';
import { counted, quoted } from '../model/text.ts';

interface KeysAsked {
  readonly status?: string;
  readonly asset?: string;
  readonly prefix?: string;
  readonly after?: string;
}

export function noKeys(set: string, total: number, { status, asset, prefix, after }: KeysAsked): string {
  const parts = [
    ...(status === undefined ? [] : [`is ${status}${asset === undefined ? '' : ` for ${asset}`}`]),
    ...(prefix === undefined ? [] : [`begins with ${quoted(prefix)}`]),
    ...(after === undefined ? [] : [`comes after ${quoted(after)}`]),
  ];
  const asked = parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
  const all = `dynpart partitions list ${shellWord(set, 'SET')}`;
  return `none of ${counted(total, 'key')}${asked}; all of them: ${all}; what they are: dynpart status`;
}

/** @param filters by their flags */
export function noRuns(filters: Readonly<Record<string, string | undefined>>): string {
  const asked = Object.entries(filters).flatMap(([name, value]) =>
    value === undefined ? [] : [shellFlag(`--${name}`, value)],
  );
  return asked.length === 0
    ? 'no runs yet; what there is to make: dynpart status'
    : `no run with ${asked.join(' ')}; all of them: dynpart runs list`;
}
