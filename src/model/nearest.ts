/** The names nearest to one that is not there, for «did you mean». */

/** At most three of `names`, nearest first, that could be meant by `name`. */
export function nearest(name: string, names: Iterable<string>): string[] {
  const wanted = name.toLowerCase();
  // A third of the letters may differ; beyond that a suggestion is noise.
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const found: { candidate: string; distance: number }[] = [];
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) > limit) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= limit) found.push({ candidate, distance });
  }
  return found
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `; did you mean 'NAME'?`, to be put behind a message; nothing where no name is near, and none has it in it. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const all = [...names];
  const [near = all.find((candidate) => isPartOf(name, candidate))] = nearest(name, all);
  return near === undefined ? '' : `; did you mean '${near}'?`;
}

/** `timeout` of `timeoutMs`, `interval` of `minimumIntervalSeconds`, `retries` of `retry`; fewer than four letters are in too many. */
function isPartOf(name: string, candidate: string): boolean {
  const one = name.toLowerCase().replace(/ies$/, 'y');
  return one.length >= 4 && candidate.toLowerCase().includes(one);
}

/** How many letters must be put in, left out, changed or swapped with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
