/** Compares results with recorded ones, and says what got slower by more than the noise of both. Pure. */

/** @typedef {{ readonly q1: number, readonly q3: number, readonly count: number }} Spread */

/** @typedef {Spread & { readonly value: number }} Recorded what is kept of a row */

/** @typedef {Readonly<Record<string, Recorded>>} RecordedRows by id */

/**
 * A row that was measured.
 * @typedef {Spread & { readonly id: string, readonly what: string } & (
 *   { readonly of: 'ratio', readonly ratio: number } | { readonly of: 'measured', readonly measured: number }
 * )} Row
 */

/**
 * @typedef {object} Compared
 * @property {string} id
 * @property {string} what
 * @property {number} before
 * @property {number} now
 * @property {number} noise
 * @property {number} change as a share of what was before
 * @property {'slower' | 'faster' | 'same' | 'too noisy to tell'} verdict
 */

/** Below this share nothing is a change: two runs of the same code on one machine differ by as much. */
const SAME = 0.04;

/** A row whose noise is a greater share than this says nothing. */
const TOO_NOISY = 0.3;

/** The noise of what was measured once or twice, as a share: nobody knows it. */
const UNKNOWN = 0.15;

/**
 * How far a median may be from what it would be if one measured for ever, by its quartiles: with few rounds, far.
 * Three times the standard error of a median of `count` (0.93 times the quartiles' distance, by the root of the count).
 * @param {Spread} spread
 */
export function noiseOf({ q1, q3, count }) {
  // The quartiles of one or two say nothing.
  if (count < 3) return UNKNOWN * Math.abs(q3);
  return (3 * 0.93 * (q3 - q1)) / Math.sqrt(count);
}

/**
 * @param {readonly Row[]} rows what was measured now
 * @param {RecordedRows} recorded
 * @returns for each row that both have its `verdict`, and the ids that only one of them has
 */
export function compare(rows, recorded) {
  const compared = rows.flatMap((row) => {
    const before = recorded[row.id];
    return before === undefined ? [] : [verdictOn(row, before)];
  });
  const ids = new Set(rows.map(({ id }) => id));
  return {
    compared,
    notRecorded: rows.map(({ id }) => id).filter((id) => recorded[id] === undefined),
    notMeasured: Object.keys(recorded).filter((id) => !ids.has(id)),
    slower: compared.filter(({ verdict }) => verdict === 'slower'),
  };
}

/** @param {Row} row */
function figureOf(row) {
  return row.of === 'ratio' ? row.ratio : row.measured;
}

/**
 * @param {Row} row
 * @param {Recorded} before
 * @returns {Compared}
 */
function verdictOn(row, before) {
  const now = figureOf(row);
  // Each side's noise is independent of the other's: they add up as the sides of a right angle do.
  const noise = Math.max(Math.hypot(noiseOf(row), noiseOf(before)), SAME * before.value);
  const change = now - before.value;
  const verdict =
    change > noise
      ? 'slower'
      : noise > TOO_NOISY * before.value
        ? 'too noisy to tell'
        : change < -noise
          ? 'faster'
          : 'same';
  return {
    id: row.id,
    what: row.what,
    before: before.value,
    now,
    noise,
    change: change / before.value,
    verdict,
  };
}

/**
 * What is kept of a row.
 * @param {Row} row
 * @returns {Recorded}
 */
export function recordOf(row) {
  return { value: figureOf(row), q1: row.q1, q3: row.q3, count: row.count };
}

/**
 * The recorded rows with those that were measured now in place of the old ones.
 * @param {RecordedRows} recorded
 * @param {readonly Row[]} rows
 * @returns {RecordedRows}
 */
export function recordInto(recorded, rows) {
  return { ...recorded, ...Object.fromEntries(rows.map((row) => [row.id, recordOf(row)])) };
}

/**
 * What a comparison comes to, in words, and whether it is a failure. One that could tell nothing is, too: it would pass
 * for ever.
 * @param {ReturnType<typeof compare>} comparison
 */
export function verdictInWords({ compared, notRecorded, notMeasured, slower }) {
  const noisy = compared.filter(({ verdict }) => verdict === 'too noisy to tell');
  const told = compared.length - noisy.length;
  const lines = [
    ...compared.filter(({ verdict }) => verdict !== 'same').map(inWords),
    ...(notRecorded.length === 0 ? [] : [`not recorded, not compared: ${notRecorded.join(', ')}`]),
    ...(notMeasured.length === 0 ? [] : [`recorded, not measured now: ${notMeasured.join(', ')}`]),
    `${told} compared${noisy.length === 0 ? '' : `, ${noisy.length} too noisy to tell`}: ${result(told, slower.length)}`,
  ];
  return { lines, failed: slower.length > 0 || told === 0 };
}

/**
 * @param {number} told
 * @param {number} slower
 */
function result(told, slower) {
  if (told === 0) return 'nothing could be told';
  return slower === 0 ? 'nothing got slower' : `${slower} got slower`;
}

/** @param {Compared} compared */
function inWords({ what, before, now, noise, verdict }) {
  return `${verdict}: ${what}: ${before} → ${now}, noise ±${noise.toPrecision(2)}`;
}
