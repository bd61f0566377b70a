/** A pipeline whose one sensor says what an expression is, and the real binary asked for it: was jiti needed, and what came out? */
import fs from 'node:fs';
import path from 'node:path';
import { Project, type RunOptions, type Running, testCache } from '../support/project.ts';

/** A pipeline file: `imports` stand at its top, `value` is what its sensor finds when it is evaluated. */
export function pipelineSaying(value: string, imports = ''): string {
  return `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
${imports}
const said = dynamicPartitions('said');
const thing = asset({ name: 'thing', partitions: said, materialize: () => 1 });
const look = sensor({
  name: 'look',
  assets: [thing],
  evaluate: async () => ({ dynamicPartitionsRequests: [said.buildAddRequest([JSON.stringify({ value: ${value} })])] }),
});
export default definePipeline({ assets: [thing], sensors: [look] });
`;
}

export interface Said {
  readonly value: unknown;
  /** Whether jiti, or the half of it that compiles, was loaded: the pack did not know everything. */
  readonly compiled: boolean;
}

/** Starts what it is given, node and the binary, in its own process: what V8 compiled of these at an earlier start is used, as without it. */
const WATCH_JITI = `const fs = require('node:fs');
const Module = require('node:module');
const seen = (name) => { if (/\\bjiti\\b/.test(name)) fs.appendFileSync(process.env.JITI_SEEN, 'x'); };
const load = Module._load;
Module._load = function (name, ...rest) {
  seen(name);
  return load.call(this, name, ...rest);
};
// So the half of it that compiles comes from the code cache, which reads it.
const read = fs.readFileSync;
fs.readFileSync = (file, ...rest) => {
  if (String(file).endsWith('babel.cjs')) seen(String(file));
  return read(file, ...rest);
};
process.argv.splice(1, 2);
require(process.argv[1]);
`;

export class Fixture extends Project {
  /** Its own cache, so that a first load is a first load. */
  get env(): Readonly<Record<string, string>> {
    return {
      XDG_CACHE_HOME: this.path('.cache'),
      JITI_SEEN: this.path('jiti-seen'),
    };
  }

  constructor(files: Readonly<Record<string, string>>) {
    super({ ...files, 'watch-jiti.cjs': WATCH_JITI });
  }

  override start(args: readonly string[], options: RunOptions = {}): Running {
    if (options.env?.['JITI_SEEN'] === undefined) return super.start(args, options);
    // Its packs are its own, and not what V8 compiled of dynpart.
    const start = path.join(testCache, 'dynpart', 'start');
    fs.mkdirSync(start, { recursive: true, mode: 0o700 });
    fs.mkdirSync(this.path('.cache', 'dynpart'), { recursive: true, mode: 0o700 });
    if (!this.exists('.cache', 'dynpart', 'start'))
      fs.symlinkSync(start, this.path('.cache', 'dynpart', 'start'));
    return super.start(args, { ...options, within: [process.execPath, this.path('watch-jiti.cjs')] });
  }

  get packs(): string[] {
    const folder = this.path('.cache', 'dynpart', 'code');
    return fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => !name.endsWith('.json')) : [];
  }

  /** The one pack there is. */
  get pack(): string {
    const [name, ...more] = this.packs;
    if (name === undefined || more.length > 0) throw new Error(`expected one pack: ${this.packs.join()}`);
    return this.path('.cache', 'dynpart', 'code', name);
  }

  /** Loads and evaluates the pipeline in a process of its own. */
  async say(file = 'pipeline.ts', options: RunOptions = {}): Promise<Said> {
    fs.rmSync(this.path('jiti-seen'), { force: true });
    const { document, stderr } = await this.json(['-f', file, 'sensor', 'tick', '--dry-run'], {
      ...options,
      env: { ...this.env, ...options.env },
    });
    const key: unknown = document.ticks?.[0]?.partitions?.[0]?.added?.[0];
    if (typeof key !== 'string') throw new Error(`it said nothing: ${JSON.stringify(document)}\n${stderr}`);
    return { value: (JSON.parse(key) as { value: unknown }).value, compiled: this.exists('jiti-seen') };
  }

  /** First from jiti, then from the pack; both must say the same. */
  async sayTwice(file = 'pipeline.ts'): Promise<unknown> {
    const first = await this.say(file);
    const second = await this.say(file);
    if (!first.compiled) throw new Error('the first load found a pack');
    if (second.compiled) throw new Error('the second load did not use the pack');
    if (JSON.stringify(first.value) !== JSON.stringify(second.value))
      throw new Error(`compiled: ${JSON.stringify(first.value)}, packed: ${JSON.stringify(second.value)}`);
    return second.value;
  }
}
