/** The results as tables: one that lines up in a terminal, and one for a page. Pure. */

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

export function table(rows) {
  const cells = cellsOf(rows);
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  return cells
    .map((line) =>
      line
        .map((text, at) => (COLUMNS[at].right ? text.padStart(widths[at]) : text.padEnd(widths[at])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function markdownTable(rows) {
  const [head, ...lines] = cellsOf(rows);
  const used = COLUMNS.map((_, column) => lines.some((line) => line[column] !== '')).map(
    (has, at) => has || at === 0,
  );
  const line = (cells) => `| ${cells.filter((_, at) => used[at]).join(' | ')} |`;
  return [
    line(head.map((text) => text.toLowerCase())),
    line(COLUMNS.map(({ right }) => (right ? '---:' : '---'))),
    ...lines.map((cells) => line(cells.map((text) => text.replaceAll('|', '\\|')))),
  ].join('\n');
}

function cellsOf(rows) {
  return [COLUMNS.map(({ title }) => title), ...rows.map((row) => COLUMNS.map(({ of }) => of(row)))];
}

/** Whether a row's aim is reached; `undefined` without one. */
export function isMet(row) {
  return row.aim === undefined || row.skipped !== undefined ? undefined : row[row.of] <= row.aim;
}

function aimOf(row) {
  const { aim, of, unit } = row;
  if (aim === undefined || row.skipped !== undefined) return '';
  return `≤ ${of === 'ratio' ? aim : `${aim.toLocaleString('en')} ${unit}`} ${isMet(row) ? '✓' : '✗'}`;
}

function quartiles({ of, q1, q3, unit }) {
  if (q1 === undefined) return '';
  return of === 'ratio' ? `${times(q1)}–${times(q3)}` : `${plain(q1, unit)}–${plain(q3, unit)}`;
}

function limit(row) {
  if (row.limit === undefined) return '';
  return `${times(row.overLimit)} × ${row.limit}, ${amount(row.limitMeasured, row.unit)}`;
}

function amount(value, unit) {
  return value === undefined ? '' : `${plain(value, unit)} ${unit}`;
}

function plain(value, unit) {
  if (unit === '%') return value.toFixed(3);
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toPrecision(3);
}

/** A ratio: two decimals, and two figures that mean something where it is next to nothing. */
function times(ratio) {
  return ratio >= 0.1 ? ratio.toFixed(2) : String(Number(ratio.toPrecision(2)));
}
