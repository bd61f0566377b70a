/** One thing that wants somebody, and what is looked at to find such things. */
import type { KnownPipeline } from '../model/known-pipeline.ts';
import type { Millis } from '../model/time.ts';
import type { StatusReport } from './status-report.ts';

export interface Attention {
  readonly what: string;
  /** The command that mends it, or says more. */
  readonly command: string;
  /** What else there is to do. */
  readonly also?: { readonly what: string; readonly command: string };
  readonly note?: string;
  readonly paint: 'bad' | 'warn';
}

/** What there is to do about one, as a line of text. */
export function inOneLine({ command, also, note }: Pick<Attention, 'command' | 'also' | 'note'>): string {
  return [command, ...(also ? [`${also.what}: ${also.command}`] : []), ...(note ? [note] : [])].join('; ');
}

export interface Looked {
  readonly report: StatusReport;
  readonly known: Pick<KnownPipeline, 'assets' | 'sensors'>;
  /** These are all assets of the pipeline: then a command without names is about these, and no others. */
  readonly isWhole: boolean;
  readonly now: Millis;
  /** Whether everything that is late is told one by one. */
  readonly isVerbose: boolean;
}
