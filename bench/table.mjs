/** The results as tables: one that lines up in a terminal, and one for a page. Pure. */

/**
 * What one line of a benchmark measured, or why it did not.
 * @typedef {object} Row
 * @property {string} id
 * @property {string} what
 * @property {'ratio' | 'measured'} [of] which figure the aim and the quartiles are about
 * @property {string} [unit]
 * @property {number} [measured]
 * @property {string} [baseline]
 * @property {number} [baselineMeasured]
 * @property {number} [ratio]
 * @property {number} [q1]
 * @property {number} [q3]
 * @property {number} [count] of rounds
 * @property {number} [aim]
 * @property {string} [limit]
 * @property {number} [limitMeasured]
 * @property {number} [overLimit]
 * @property {string} [note]
 * @property {string} [skipped] why nothing was measured
 */

/** @type {readonly { title: string, right?: boolean, of: (row: Row) => string }[]} */
const COLUMNS = [
  { title: '', of: ({ what }) => what },
  { title: 'MEDIAN', right: true, of: ({ measured, unit }) => amount(measured, unit) },
  { title: 'BASELINE', of: ({ baseline }) => baseline ?? '' },
  { title: 'MEDIAN', right: true, of: ({ baselineMeasured, unit }) => amount(baselineMeasured, unit) },
  { title: 'RATIO', right: true, of: ({ ratio }) => (ratio === undefined ? '' : times(ratio)) },
  { title: 'QUARTILES', right: true, of: (row) => quartiles(row) },
  { title: 'ROUNDS', right: true, of: ({ count }) => (count === undefined ? '' : String(count)) },
  { title: 'AIM', right: true, of: (row) => aimOf(row) },
  { title: 'PHYSICAL LIMIT', of: (row) => limit(row) },
  {
    title: 'NOTE',
    of: ({ note, skipped }) => (skipped === undefined ? (note ?? '') : `skipped: ${skipped}`),
  },
];

/** @param {readonly Row[]} rows */
export function table(rows) {
  const cells = cellsOf(rows);
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((text, at) =>
          COLUMNS[at]?.right ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {readonly Row[]} rows */
export function markdownTable(rows) {
  const [head = [], ...lines] = cellsOf(rows);
  const used = COLUMNS.map((_, column) => lines.some((line) => line[column] !== '')).map(
    (has, at) => has || at === 0,
  );
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.filter((_, at) => used[at]).join(' | ')} |`;
  return [
    line(head.map((text) => text.toLowerCase())),
    line(COLUMNS.map(({ right }) => (right ? '---:' : '---'))),
    ...lines.map((cells) => line(cells.map((text) => text.replaceAll('|', '\\|')))),
  ].join('\n');
}

/** @param {readonly Row[]} rows */
function cellsOf(rows) {
  return [COLUMNS.map(({ title }) => title), ...rows.map((row) => COLUMNS.map(({ of }) => of(row)))];
}

/**
 * Whether a row's aim is reached; `undefined` without one.
 * @param {Row} row
 */
export function isMet({ aim, skipped, of = 'ratio', ...figures }) {
  return aim === undefined || skipped !== undefined ? undefined : (figures[of] ?? NaN) <= aim;
}

/** @param {Row} row */
function aimOf(row) {
  const { aim, of, unit } = row;
  if (aim === undefined || row.skipped !== undefined) return '';
  return `≤ ${of === 'ratio' ? aim : `${aim.toLocaleString('en')} ${unit}`} ${isMet(row) ? '✓' : '✗'}`;
}

/** @param {Row} row */
function quartiles({ of, q1, q3, unit }) {
  if (q1 === undefined || q3 === undefined) return '';
  return of === 'ratio' ? `${times(q1)}–${times(q3)}` : `${plain(q1, unit)}–${plain(q3, unit)}`;
}

/** @param {Row} row */
function limit(row) {
  if (row.limit === undefined || row.overLimit === undefined) return '';
  return `${times(row.overLimit)} × ${row.limit}, ${amount(row.limitMeasured, row.unit)}`;
}

/**
 * @param {number | undefined} value
 * @param {string | undefined} unit
 */
function amount(value, unit) {
  return value === undefined ? '' : `${plain(value, unit)} ${unit}`;
}

/**
 * @param {number} value
 * @param {string | undefined} unit
 */
function plain(value, unit) {
  if (unit === '%') return value.toFixed(3);
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toPrecision(3);
}

/**
 * A ratio: two decimals, and two figures that mean something where it is next to nothing.
 * @param {number} ratio
 */
function times(ratio) {
  return ratio >= 0.1 ? ratio.toFixed(2) : String(Number(ratio.toPrecision(2)));
}
