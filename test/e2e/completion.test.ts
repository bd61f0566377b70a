/** Completion through the shells themselves: what they offer reads back as exactly the key, and nothing is executed on the way. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import * as fc from '../support/random.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bashWord } from '../../src/cli/completion/bash-words.ts';
import { SHELLS } from '../../src/cli/completion/scripts.ts';
import { anyKey } from '../support/arbitraries.ts';
import { ATTACK_KEYS } from '../support/attack-keys.ts';
import { binary, Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const others = dynamicPartitions('others');
const many = dynamicPartitions('many');
const fetched = asset({ name: 'fetched', partitions: items, materialize: () => 1 });
const parsed = asset({ name: 'parsed', partitions: others, materialize: () => 1 });
const counted = asset({ name: 'counted', partitions: many, materialize: () => 1 });
export default definePipeline({
  assets: [fetched, parsed, counted],
  sensors: [sensor({ name: 'feed', evaluate: () => ({ dynamicPartitionsRequests: [] }) })],
});
`;

const RANDOM = fc.sample(anyKey, 60);
/** Of the set \`items\`. */
const KEYS = [...new Set([...ATTACK_KEYS, ...RANDOM])];
const isFlagLike = (key: string): boolean => key.startsWith('-');

const jsonLines = (keys: readonly string[]): string => keys.map((key) => `${JSON.stringify(key)}\n`).join('');

const firstHalf = (letters: readonly string[]): string =>
  letters.slice(0, Math.ceil(letters.length / 2)).join('');

let project: Project;

beforeAll(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  fs.mkdirSync(project.path('bin'));
  fs.symlinkSync(binary, project.path('bin', 'dynpart'));
  const add = async (set: string, keys: readonly string[]): Promise<void> => {
    const { code, stderr } = await project.dynpart(
      ['partitions', 'add', set, '--from', '-', '--json-lines'],
      { input: jsonLines(keys) },
    );
    expect(code, stderr).toBe(0);
  };
  await add('items', KEYS);
  await add('others', ['x1', 'x2']);
  await add(
    'many',
    Array.from({ length: 3000 }, (_, at) => `m${at}`),
  );
  await project.dynpart(['materialize', 'parsed', '--all']);
  // From here on the user's code cannot be loaded: nothing below may need it.
  project.write({ 'pipeline.ts': 'this is no program' });
});

afterAll(() => project[Symbol.asyncDispose]());

const env = () => ({
  PATH: `${project.path('bin')}:${process.env['PATH']}`,
  HOME: project.folder,
  LC_ALL: 'C.UTF-8',
});

/** Nobody touched a file: only what was there is there. */
function expectNothingRan(): void {
  const left = fs.readdirSync(project.folder).filter((name) => !name.startsWith('.'));
  expect(left.toSorted()).toEqual(['bin', 'pipeline.ts']);
}

interface Asked {
  /** As they would stand on the line. */
  readonly raw: string[];
  files: boolean;
}

/** What the function that bash calls answers at the end of each line. */
function askBash(lines: readonly string[]): Asked[] {
  const script = `eval "$(dynpart completion bash)"
compopt() { printf 'files\\0'; }
while IFS= read -r COMP_LINE; do
  COMP_POINT=\${#COMP_LINE}
  _dynpart dynpart '' dynpart
  for offer in "\${COMPREPLY[@]}"; do printf 'raw\\0%s\\0' "$offer"; done
  printf 'end\\0'
done`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], {
    cwd: project.folder,
    env: env(),
    input: lines.map((line) => `${line}\n`).join(''),
  });
  expect([status, stderr.toString()]).toEqual([0, '']);
  const parts = stdout.toString().split('\0');
  const all: Asked[] = [{ raw: [], files: false }];
  for (let at = 0; at < parts.length - 1; at++) {
    if (parts[at] === 'raw') all.at(-1)!.raw.push(parts[++at]!);
    else if (parts[at] === 'files') all.at(-1)!.files = true;
    else all.push({ raw: [], files: false });
  }
  return all.slice(0, -1);
}

/** And what bash reads them as, with what stands before them on the line. */
function bashOffers(lines: readonly string[]): (Asked & { readonly words: string[] })[] {
  return askBash(lines).map((asked, at) => ({ ...asked, words: readBack(lines[at]!, asked.raw) }));
}

/** The last word of each completed line, as bash reads it. */
function readBack(line: string, offers: readonly string[]): string[] {
  const quote = /(?:^|\s)(['"])[^'"]*$/.exec(line)?.[1] ?? '';
  const kept =
    quote === '' ? line.slice(0, line.search(/[^\s@=:]*$/)) : line.slice(0, line.lastIndexOf(quote) + 1);
  const script = `dynpart() { printf '%s\\0' "\${@: -1}"; }\n${offers.map((offer) => `${kept}${offer}${quote}`).join('\n')}`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-s'], {
    cwd: project.folder,
    env: env(),
    input: `set -o history -o histexpand\n${script}\n`,
  });
  expect(stderr.toString()).toBe('');
  return stdout.toString().split('\0').slice(0, -1);
}

describe('bash', () => {
  it('is offered commands, flags and names', () => {
    const offers = bashOffers([
      'dynpart sta',
      'dynpart sensor ti',
      'dynpart sensor tick ',
      'dynpart sensor tick --if-b',
      'dynpart sensor tick --if-busy ',
      'dynpart sensor tick --if-busy=w',
      'dynpart partitions list ',
      'dynpart partitions list o',
      'dynpart status f',
      'dynpart materialize parsed --key x',
      'dynpart partitions add others ',
      'dynpart partitions remove others x1 ',
      'dynpart nonsense ',
    ]);
    expect(offers.map(({ words }) => words)).toEqual([
      ['status', 'state'],
      ['tick'],
      ['feed'],
      ['--if-busy'],
      ['skip', 'wait', 'fail'],
      ['--if-busy=wait'],
      ['items', 'others', 'many'],
      ['others'],
      ['fetched'],
      ['x1', 'x2'],
      [],
      ['x2'],
      expect.arrayContaining(['partitions', 'status']),
    ]);
    expect(offers.some(({ files }) => files)).toBe(false);
  });

  it('offers files itself where a file is meant', () => {
    const lines = ['dynpart --file ', 'dynpart partitions add items --from ', 'dynpart status --html '];
    for (const { raw, files } of bashOffers(lines)) expect([raw, files]).toEqual([[], true]);
  });

  it('reads every key back as itself', () => {
    const [plain, behind, flag] = bashOffers([
      'dynpart partitions remove items ',
      'dynpart partitions remove items -- ',
      'dynpart materialize fetched --key ',
    ]);
    // A key that begins with a dash would be read as a flag, but for one that has a value.
    expect(plain!.words).toEqual(KEYS.filter((key) => !isFlagLike(key)));
    expect(behind!.words).toEqual(KEYS);
    expect(flag!.words).toEqual(KEYS);
    expectNothingRan();
  });

  it('reads a key back as itself when half of it is typed, in whatever quotes', () => {
    const prefixes = KEYS.filter((key) => !isFlagLike(key) && !/["']/.test(key))
      .slice(0, 16)
      .map((key) => firstHalf(Array.from(key)));
    const command = 'dynpart partitions remove items ';
    const asked = [
      ...prefixes.map((prefix) => [prefix, `'${prefix}`]),
      ...prefixes.filter((prefix) => !/[$`\\!]/.test(prefix)).map((prefix) => [prefix, `"${prefix}`]),
      ['a:b', 'a:b'],
      ['user@', 'user@'],
      ['it', 'it'],
    ] as [string, string][];
    bashOffers(asked.map(([, typed]) => command + typed)).forEach(({ words }, at) => {
      const [prefix, typed] = asked[at]!;
      const fitting = KEYS.filter((key) => key.startsWith(prefix) && !isFlagLike(key));
      expect([typed, words]).toEqual([typed, fitting]);
    });
    expectNothingRan();
  });

  it('executes nothing of what is typed, and completes behind it', () => {
    const [offers] = askBash(['dynpart --state $(touch pwned)/`touch pwned` partitions li']);
    expect(offers!.raw).toEqual(['list']);
    expectNothingRan();
  });

  it('is offered a few hundred of many keys, and those that fit', () => {
    const [all, fitting] = bashOffers([
      'dynpart partitions remove many ',
      'dynpart partitions remove many m299',
    ]);
    expect(all!.raw).toHaveLength(200);
    expect(fitting!.words).toEqual(['m299', ...Array.from({ length: 10 }, (_, at) => `m299${at}`)]);
  });

  it('is offered nothing, and told nothing, where there is no state or a damaged one', () => {
    project.write({ 'damaged/.dynpart/state.json': '{"schema":' });
    const lines = ['nowhere/state.json', 'damaged/.dynpart/state.json'].map(
      (file) => `dynpart --state ${file} partitions remove items `,
    );
    for (const { raw } of bashOffers(lines)) expect(raw).toEqual([]);
    expect(fs.existsSync(project.path('nowhere'))).toBe(false);
    fs.rmSync(project.path('damaged'), { recursive: true });
  });
});

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;
const hasFish = has('fish');
const hasZsh = has('zsh');

describe.skipIf(!hasFish)(`fish${hasFish ? '' : ' (skipped: it is not installed)'}`, () => {
  it('is offered names, and reads every key back as itself', () => {
    // `complete -C` prints what would be on the line; `eval` reads it as fish would.
    const script = `dynpart completion fish | source
for line in 'dynpart sensor ti' 'dynpart partitions list o' 'dynpart partitions remove items -- ' 'dynpart partitions remove items -- .'
  for offer in (complete -C $line)
    printf '%s\\0' $offer
  end
  printf 'end\\0'
end`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], {
      cwd: project.folder,
      env: env(),
    });
    expect(stderr.toString()).toBe('');
    const [commands, sets, keys, hidden] = stdout
      .toString()
      .split('end\0')
      .map((part) => part.split('\0').slice(0, -1));
    expect(commands).toEqual(['tick']);
    expect(sets).toEqual(['others']);
    // Like hidden files: those that begin with a dot are offered when it is typed.
    expect(keys).toEqual(KEYS.filter((key) => !key.startsWith('.')));
    expect(hidden).toEqual(KEYS.filter((key) => key.startsWith('.')));
    expectNothingRan();
  });
});

describe.skipIf(!hasZsh)(`zsh${hasZsh ? '' : ' (skipped: it is not installed)'}`, () => {
  it('is offered names, and reads every key back as itself', () => {
    const own = KEYS.flatMap((key) => {
      const prefix = shortestOwn(key);
      return prefix === null ? [] : [{ key, prefix }];
    });
    // Each one starts dynpart: all of them only where there is time.
    const asked = process.env['DYNPART_TEST_ALL'] === undefined ? own.slice(0, 12) : own;
    expect(asked.length).toBeGreaterThan(10);
    project.write({
      '.zsh/asked': asked.map(({ prefix }) => `${bashWord(prefix, 'nothing')}\n`).join(''),
      '.zsh/setup': ZSH_SETUP,
    });
    const { status, stderr } = spawnSync('zsh', ['-f', '-c', ZSH_IN_A_TERMINAL], {
      cwd: project.folder,
      env: env(),
    });
    expect([status, stderr.toString()]).toEqual([0, '']);
    const lines = project.read('.zsh', 'lines').split('\0').slice(0, -1);
    const read = `dynpart() { printf '%s\\0' "\${@[-1]}"; }\n${lines.join('\n')}`;
    const back = spawnSync('zsh', ['-f', '-c', read], { cwd: project.folder, env: env() });
    expect(back.stderr.toString()).toBe('');
    expect(back.stdout.toString().split('\0').slice(0, -1)).toEqual(asked.map(({ key }) => key));
    expectNothingRan();
  });
});

/** The shortest beginning that only this key has; `null` where another one begins with all of it. */
function shortestOwn(key: string): string | null {
  const others = KEYS.filter((other) => other !== key);
  const letters = Array.from(key);
  for (let length = 1; length <= letters.length; length++) {
    const prefix = letters.slice(0, length).join('');
    if (!others.some((other) => other.startsWith(prefix))) return prefix;
  }
  return null;
}

/** A key on the keyboard that completes each prefix in turn, and keeps the line. */
const ZSH_SETUP = `PS1='> '
autoload -Uz compinit && compinit -u -D
eval "$(dynpart completion zsh)"
probe() {
  local prefix
  while IFS= read -r prefix; do
    BUFFER="dynpart partitions remove items -- $prefix" CURSOR=$#BUFFER
    zle complete-word
    print -rN -- "$BUFFER" >> .zsh/lines
  done < .zsh/asked
  BUFFER=''
  : > .zsh/done
}
zle -N probe
bindkey '^Xp' probe
: > .zsh/ready
`;

const ZSH_IN_A_TERMINAL = `zmodload zsh/zpty
zpty -b z zsh -f -i
zpty -w z '. .zsh/setup'
waitfor() { repeat 4000; do [[ -e $1 ]] && return; zpty -rt z >/dev/null 2>&1; sleep 0.02; done; echo "never came: $1" >&2; exit 9 }
waitfor .zsh/ready
zpty -w -n z $'\\x18p'
waitfor .zsh/done
`;

it.each(SHELLS)('the script for %s says how to turn it on, and its help too', async (shell) => {
  const { code, stdout, stderr } = await project.dynpart(['completion', shell]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`dynpart completion ${shell}`);
  expect((await project.dynpart(['completion', '--help'])).stdout).toContain(`dynpart completion ${shell}`);
  expect((await project.json(['completion', shell])).document).toEqual({ shell, script: stdout });
});
