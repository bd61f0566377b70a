export function quantile(values: readonly number[], part: number): number;
export function median(values: readonly number[]): number;
export function round(value: number): number;
export function spread(values: readonly number[]): { median: number; q1: number; q3: number; count: number };
