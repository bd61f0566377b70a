/** Medians, quartiles and the noise that they show. Pure. */

export function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

export function median(values) {
  return quantile(values, 0.5);
}

/** Three figures that mean something, four of large numbers. */
export function round(value) {
  return Number(value.toPrecision(value >= 1000 ? 4 : 3));
}

/** A median with its quartiles, and of how many. */
export function spread(values) {
  return {
    median: round(median(values)),
    q1: round(quantile(values, 0.25)),
    q3: round(quantile(values, 0.75)),
    count: values.length,
  };
}
