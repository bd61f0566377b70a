export interface Recorded {
  readonly value: number;
  readonly q1: number;
  readonly q3: number;
  readonly count: number;
}

export interface Row {
  readonly id: string;
  readonly what: string;
  readonly of: 'ratio' | 'measured';
  readonly ratio?: number;
  readonly measured?: number;
  readonly q1: number;
  readonly q3: number;
  readonly count: number;
}

export interface Compared {
  readonly id: string;
  readonly what: string;
  readonly before: number;
  readonly now: number;
  readonly noise: number;
  readonly change: number;
  readonly verdict: 'slower' | 'faster' | 'same' | 'too noisy to tell';
}

export interface Comparison {
  readonly compared: readonly Compared[];
  readonly notRecorded: readonly string[];
  readonly notMeasured: readonly string[];
  readonly slower: readonly Compared[];
}

export function noiseOf(spread: Omit<Recorded, 'value'>): number;
export function compare(rows: readonly Row[], recorded: Readonly<Record<string, Recorded>>): Comparison;
export function recordOf(row: Row): Recorded;
export function recordInto(
  recorded: Readonly<Record<string, Recorded>>,
  rows: readonly Row[],
): Record<string, Recorded>;
export function verdictInWords(comparison: Comparison): { lines: string[]; failed: boolean };
