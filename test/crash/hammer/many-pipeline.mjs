/** The part of the hammered pipeline in which many keys are made in one call, in processes of their own, and into one thing. */

/** How many keys of `apart` may be made at once. */
export const APART_AT_ONCE = 1;

/** How many keys one call makes. */
export const AT_ONCE = 3;

/** `lasting` takes so many keys. */
export const LAST = 3;

/**
 * Which keys `near` takes for a key: the one before and the one behind, which may not be there.
 * @param {string} key
 */
export const nearOf = (key) => {
  const number = Number.parseInt(key.slice(1), 10);
  return [`p${number - 1}`, `p${number + 1}`];
};

/**
 * Keys that end so always fail.
 * @param {string} fails
 */
export const manyPipeline = (fails) => `
const parts = dynamicPartitions('parts');
const checks = { right: ({ value }) => (value.wrong ? 'it is always wrong' : warn('it is by ' + value.run)) };
const pieceOf = (key, version, run) => ({ ...own, asset: 'piece', key, version, run, id: Math.random() });

// One call, several keys: each is on record with its yield, whatever becomes of the others.
const piece = asset({
  name: 'piece',
  partitions: parts,
  batch: ${AT_ONCE},
  automate: 'stale',
  checks,
  async *materialize({ keys, run, signal }) {
    for (const { partitionKey: key, version } of keys) {
      note('begin', who, 'piece', key, run.id);
      let how = 'stopped';
      try {
        await sleep(aWhile() / 2, signal);
        how = 'done';
      } finally {
        note('end', who, 'piece', key, run.id, how);
      }
      if (!key.endsWith('${fails}')) yield [key, pieceOf(key, version, run.id)];
      // Not yielded, or wrong: both have failed.
      else if (Math.random() < 0.5) yield [key, { wrong: true }];
    }
  },
});

const startOf = (pid) => {
  try {
    const fields = fs.readFileSync('/proc/' + pid + '/stat', 'latin1').replace(/^.*\\) /, '').split(' ');
    return ['Z', 'X'].includes(fields[0]) ? null : fields[19];
  } catch {
    return null;
  }
};

/** Holds a link with the key's name: whoever finds it held by a process that lives is at work beside it. */
const holding = async (key, run, work) => {
  const lock = fileURLToPath(here('lock.apart.' + key.replace('/', '_')));
  const holder = () => {
    try { return fs.readlinkSync(lock); } catch { return null; }
  };
  const me = process.pid + '.' + started;
  const other = holder();
  if (other !== null && startOf(other.split('.')[0]) === other.split('.')[1]) note('two', key, run, me, other);
  fs.rmSync(lock, { force: true });
  fs.symlinkSync(me, lock);
  try {
    return await work();
  } finally {
    if (holder() === me) fs.rmSync(lock, { force: true });
  }
};

const owner = process.ppid + ' ' + startOf(process.ppid);
// A process of its own, which ends with the one that it works for: that one is who executes.
const apart = asset({
  name: 'apart',
  partitions: parts,
  inputs: { piece },
  automate: 'stale',
  isolation: 'process',
  pool: 'narrow',
  checks,
  async materialize({ partitionKey: key, run, signal, inputs }) {
    return holding(key, run.id, async () => {
      note('begin', owner, 'apart', key, run.id);
      let how = 'stopped';
      try {
        await sleep(aWhile() / 2, signal);
        how = 'done';
        return { ...own, asset: 'apart', key, run: run.id, from: inputs.piece.id };
      } finally {
        note('end', owner, 'apart', key, run.id, how);
      }
    });
  },
});

const collected = async (pieces) => {
  const found = {};
  for await (const [key, { id }] of pieces) found[key] = id;
  return found;
};
const gathering = (name, partitions, pieces) =>
  asset({
    name,
    ...(partitions !== null && { partitions }),
    inputs: { pieces },
    automate: 'stale',
    checks,
    async materialize({ partitionKey: key, run, inputs }) {
      const said = key ?? '-';
      note('begin', who, name, said, run.id);
      try {
        return { ...own, asset: name, key, run: run.id, pieces: await collected(inputs.pieces) };
      } finally {
        note('end', who, name, said, run.id, 'done');
      }
    },
  });
const nearOf = ${nearOf.toString()};
const index = gathering('index', null, allKeys(piece, { onMissing: 'skip' }));
const lasting = gathering('lasting', null, lastKeys(piece, ${LAST}, { onMissing: 'skip' }));
const near = gathering('near', parts, mapKeys(piece, nearOf, { onMissing: 'skip' }));
const many = [piece, apart, index, lasting, near];
`;
