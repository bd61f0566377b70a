/** Medians, quartiles and the noise that they show. Pure. */

/**
 * @param {readonly number[]} values
 * @param {number} part
 */
export function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [below = NaN, above = below] = sorted.slice(Math.floor(at), Math.ceil(at) + 1);
  return below + (above - below) * (at - Math.floor(at));
}

/** @param {readonly number[]} values */
export function median(values) {
  return quantile(values, 0.5);
}

/**
 * Three figures that mean something, four of large numbers.
 * @param {number} value
 */
export function round(value) {
  return Number(value.toPrecision(value >= 1000 ? 4 : 3));
}

/**
 * A median with its quartiles, and of how many.
 * @param {readonly number[]} values
 */
export function spread(values) {
  return {
    median: round(median(values)),
    q1: round(quantile(values, 0.25)),
    q3: round(quantile(values, 0.75)),
    count: values.length,
  };
}
