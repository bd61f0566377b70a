/** The results as a table that lines up. */

const COLUMNS = [
  { title: '', of: ({ what }) => what },
  { title: 'MEDIAN', right: true, of: ({ ms }) => milliseconds(ms) },
  { title: 'BASELINE', of: ({ baseline }) => baseline },
  { title: 'MEDIAN', right: true, of: ({ baselineMs }) => milliseconds(baselineMs) },
  { title: 'RATIO', right: true, of: ({ ratio }) => ratio.toFixed(2) },
  { title: 'QUARTILES', right: true, of: ({ q1, q3 }) => `${q1.toFixed(2)}–${q3.toFixed(2)}` },
  { title: 'PAIRS', right: true, of: ({ pairs }) => String(pairs) },
  { title: 'AIM', right: true, of: (row) => aims(row) },
  { title: 'NOTE', of: (row) => note(row) },
];

export function table(rows) {
  const cells = [COLUMNS.map(({ title }) => title), ...rows.map((row) => COLUMNS.map(({ of }) => of(row)))];
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

/** The aim of now, and in brackets the one of "as fast as the machine allows". */
function aims({ aim, later, ratio }) {
  const parts = [
    ...(aim === undefined ? [] : [`≤ ${aim}`]),
    ...(later === undefined ? [] : [`(≤ ${later})`]),
  ];
  if (parts.length === 0) return '';
  const reached = [aim, later].filter((one) => one !== undefined).map((one) => (ratio <= one ? '✓' : '✗'));
  return `${parts.join(' ')} ${reached.join('')}`;
}

function note({ note, memoryMb, baselineMemoryMb }) {
  const memory =
    memoryMb === undefined ? [] : [`${memoryMb} MB at its peak, baseline ${baselineMemoryMb} MB`];
  return [...(note === undefined ? [] : [note]), ...memory].join('; ');
}

function milliseconds(ms) {
  return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}
