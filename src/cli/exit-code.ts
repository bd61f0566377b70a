/** The exit codes: a contract with scripts. An unknown code is a failure. */
import type { Failure } from '../model/failure.ts';

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 10 | 130 | 143;

/** Where several hold, the first of these wins. */
const PRECEDENCE: readonly ExitCode[] = [130, 143, 5, 2, 3, 1, 4, 10];

export function worst(codes: Iterable<ExitCode>): ExitCode {
  const held = new Set(codes);
  return PRECEDENCE.find((code) => held.has(code)) ?? 0;
}

/** The exit code that a failure stands for. */
export function exitCodeOf({ reason }: Failure): ExitCode {
  switch (reason) {
    case 'usage':
    case 'unknown-name':
    case 'unknown-keys':
    case 'ambiguous-keys':
    case 'asset-without-key':
    case 'invalid-keys':
    case 'keys-file':
    case 'file-in-the-way':
    case 'pipeline-not-found':
    case 'pipeline-unreadable':
    case 'pipeline-syntax':
    case 'pipeline-import-missing':
    case 'pipeline-threw':
    case 'foreign-state':
    case 'pipeline-unsettled':
    case 'pipeline-stray':
    case 'pipeline-no-default':
    case 'pipeline-not-one':
    case 'pipeline-invalid':
      return 2;
    case 'sensor-threw':
    case 'sensor-timeout':
    case 'sensor-result':
    case 'sensor-stuck':
    case 'sensor-interrupted':
      return 3;
    case 'sensor-busy':
      return 4;
    case 'asset-threw':
    case 'asset-timeout':
    case 'value-not-json':
    case 'upstream-missing':
    case 'upstream-failed':
    case 'unknown-asset':
    case 'interrupted':
    case 'canceled':
    case 'runs-lost':
    case 'run-blocked':
      return 1;
    case 'state-empty':
    case 'state-missing':
    case 'state-not-json':
    case 'state-misshapen':
    case 'state-newer':
    case 'state-older':
    case 'commit-unsure':
    case 'state-mounted':
    case 'state-too-large':
    case 'clock-unusable':
    case 'state-io':
    case 'value-damaged':
    case 'copy-unusable':
    case 'state-problems':
      return 5;
  }
}
