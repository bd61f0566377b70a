/** A pipeline whose one sensor says what an expression is, and the real binary asked for it: was jiti needed, and what came out? */
import fs from 'node:fs';
import { Project, type RunOptions } from '../support/project.ts';

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

const WATCH_JITI = `const Module = require('node:module');
const load = Module._load;
Module._load = function (name, ...rest) {
  if (/\\bjiti\\b/.test(name)) require('node:fs').appendFileSync(process.env.JITI_SEEN, 'x');
  return load.call(this, name, ...rest);
};
`;

export class Fixture extends Project {
  /** Its own cache, so that a first load is a first load. */
  get env(): Readonly<Record<string, string>> {
    return {
      XDG_CACHE_HOME: this.path('.cache'),
      NODE_OPTIONS: `--require=${this.path('watch-jiti.cjs')}`,
      JITI_SEEN: this.path('jiti-seen'),
    };
  }

  constructor(files: Readonly<Record<string, string>>) {
    super({ ...files, 'watch-jiti.cjs': WATCH_JITI });
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
