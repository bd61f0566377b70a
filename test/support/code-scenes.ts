/** How each error code comes about: one scene a code, played through the command line on a folder of its own. */
import fs from 'node:fs';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, runOn } from './captured-terminal.ts';
import { FakeClock } from './fake-clock.ts';
import { runHere } from './in-process.ts';
import type { Project } from './project.ts';

/** A pipeline with one set, two assets and a sensor, of which a part is as told. */
export function pipeline({
  first = "materialize: () => 'made'",
  feed = 'evaluate: () => undefined',
  assets = '[first, second]',
  above = '',
  set = 'letters',
} = {}): string {
  return `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
${above}
const letters = dynamicPartitions('${set}');
const first = asset({ name: 'first', partitions: letters, ${first} });
const second = asset({ name: 'second', partitions: letters, inputs: { first }, materialize: ({ inputs }) => inputs.first });
const plain = asset({ name: 'plain', materialize: () => 1 });
const feed = sensor({ name: 'feed', assets: [first], ${feed} });
export default definePipeline({ assets: ${assets}, sensors: [feed], partitions: [letters, dynamicPartitions('numbers')] });
`;
}

/** An asset of the other set. */
const OTHER = "asset({ name: 'other', partitions: dynamicPartitions('numbers'), materialize: () => 1 })";

/** What `--json` printed, or a state: looked into freely. */
// oxlint-disable-next-line typescript/no-explicit-any -- that is what it is for
type Document = any;

export interface Printed {
  readonly code: number | null;
  readonly text: string;
}

export class Scene {
  readonly project: Project;

  constructor(project: Project) {
    this.project = project;
  }

  /** What was given back, as JSON, and the exit code. */
  async ask(
    line: string,
    { stdin = '', clock = systemClock } = {},
  ): Promise<{ code: number; document: Document }> {
    const terminal = new CapturedTerminal({
      cwd: this.project.folder,
      env: { HOME: this.project.folder, ...this.project.environment },
      stdin,
    });
    const { code, stdout, stderr } = await runOn(terminal, [...line.split(' '), '--json'], clock);
    return { code, document: stdout === '' ? { error: null, stderr } : JSON.parse(stdout) };
  }

  async say(line: string): Promise<Printed> {
    const { code, stdout, stderr } = await runHere(this.project, line.split(' '));
    return { code, text: stdout + stderr };
  }

  pipeline(...options: Parameters<typeof pipeline>): void {
    this.project.write({ 'pipeline.ts': pipeline(...options) });
  }

  write(files: Record<string, string>): void {
    this.project.write(files);
  }

  /** A state, with a key whose value was made. */
  async state(): Promise<void> {
    await this.ask('materialize first --key a --add');
  }

  damage(text: string): void {
    fs.rmSync(this.project.path('.dynpart'), { recursive: true });
    this.write({ '.dynpart/state.json': text });
  }

  change(change: (state: Document) => void): void {
    const state = this.project.state();
    change(state);
    this.damage(`${JSON.stringify(state)}\n`);
  }
}

/** @returns the last answer, in which the error is looked for */
type Scenario = (scene: Scene) => Promise<{ code: number | null; document: Document }>;

const sensorThat =
  (feed: string): Scenario =>
  (scene) => {
    scene.pipeline({ feed });
    return scene.ask('sensor tick feed');
  };
const assetThat =
  (first: string): Scenario =>
  (scene) => {
    scene.pipeline({ first });
    return scene.ask('materialize first second --key a --add');
  };
const loading =
  (text: string): Scenario =>
  (scene) => {
    scene.write({ 'pipeline.ts': text });
    return scene.ask('materialize --all');
  };
const stateThatIs =
  (text: string): Scenario =>
  async (scene) => {
    await scene.state();
    scene.damage(text);
    return scene.ask('status');
  };
const typed =
  (line: string): Scenario =>
  async (scene) => {
    await scene.state();
    return scene.ask(line);
  };

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'sensor-threw': sensorThat("evaluate: () => { throw new Error('down'); }"),
  'sensor-timeout': sensorThat(
    'timeoutSeconds: 0.05, evaluate: ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", reject))',
  ),
  async 'sensor-cursor'(scene) {
    scene.pipeline({ feed: "evaluate: () => ({ cursor: 'a text' })" });
    await scene.ask('sensor tick feed');
    const schema =
      "{ '~standard': { version: 1, vendor: 'own', validate: (value: unknown) => ({ value }) } }";
    scene.pipeline({ feed: `cursor: ${schema} as const, evaluate: () => undefined` });
    return scene.ask('sensor tick feed');
  },
  'sensor-result': sensorThat('evaluate: () => ({ cursor: 1 })'),
  'asset-threw': assetThat("materialize: () => { throw new Error('down'); }"),
  'asset-timeout': assetThat(
    'timeoutMs: 20, materialize: ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", reject))',
  ),
  'not-yielded': assetThat('batch: 2, async *materialize() {}'),
  'wrong-yield': assetThat("batch: 2, async *materialize() { yield ['other', 1]; }"),
  'value-not-json': assetThat('materialize: () => [{ amount: NaN }]'),
  'pool-invalid': assetThat("pool: (() => 'other') as any, materialize: () => 1"),
  'check-failed': assetThat(
    "materialize: () => 40, checks: { stars: ({ value }) => (value as number) <= 5 || value + ' stars are not 1 to 5' }",
  ),
  'check-threw': assetThat(
    "materialize: () => 1, checks: { filled: ({ value }) => (value as any).gone.length > 0 || 'it is empty' }",
  ),
  'check-timeout': assetThat(
    'timeoutMs: 20, materialize: () => 1, checks: { ends: () => new Promise<true>(() => {}) }',
  ),
  'check-invalid': assetThat('materialize: () => 1, checks: { answers: (() => undefined) as any }'),
  'upstream-failed': assetThat("materialize: () => { throw new Error('down'); }"),
  'mapping-failed'(scene) {
    scene.write({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions, mapKeys } from 'dynpart';
const letters = dynamicPartitions('letters');
const first = asset({ name: 'first', partitions: letters, materialize: () => 1 });
const second = asset({ name: 'second', partitions: letters, deps: [mapKeys(first, () => { throw new Error('no such hour'); })], materialize: () => 2 });
export default definePipeline({ assets: [first, second] });
`,
    });
    return scene.ask('materialize second --key a --add');
  },
  'upstream-missing': (scene) => scene.ask('materialize second --key a --add'),
  async 'unknown-asset'(scene) {
    await scene.ask('materialize second --key a --add --no-run');
    scene.pipeline({ assets: '[first]' });
    await scene.ask('worker --once');
    return scene.ask('runs list');
  },
  async canceled(scene) {
    await scene.ask('materialize first --key a --add --no-run');
    await scene.ask('runs cancel --status QUEUED');
    return scene.ask('runs list');
  },
  async 'foreign-state'(scene) {
    await scene.state();
    scene.write({
      'other.ts': pipeline({ set: 'others' })
        .replaceAll("'first'", "'third'")
        .replaceAll("'second'", "'fourth'"),
    });
    return scene.ask('-f other.ts --state .dynpart/state.json sensor tick');
  },
  'state-io': typed('state export /dev/full'),
  'state-empty': stateThatIs(''),
  'state-not-json': stateThatIs('{"schema":'),
  'state-misshapen': async (scene) => {
    await scene.state();
    scene.change((state) => (state.runs = 1));
    return scene.ask('status');
  },
  'state-newer': async (scene) => {
    await scene.state();
    scene.change((state) => (state.schema = 99));
    return scene.ask('status');
  },
  'state-older': async (scene) => {
    await scene.state();
    scene.change((state) => (state.schema = 0));
    return scene.ask('status');
  },
  async 'state-missing'(scene) {
    await scene.state();
    fs.rmSync(scene.project.path('.dynpart/state.json'));
    return scene.ask('status');
  },
  async 'copy-unusable'(scene) {
    await scene.state();
    scene.write({ copy: 'no copy' });
    return scene.ask('state restore copy');
  },
  async 'value-damaged'(scene) {
    await scene.state();
    scene.write({ '.dynpart/values/first/a.json': '{' });
    return scene.ask('materialize second --key a');
  },
  'clock-unusable': (scene) =>
    scene.ask('partitions add letters a', { clock: new FakeClock(Date.UTC(275_000, 0)) }),
  async 'items-too-large'(scene) {
    const item = 'x'.repeat(16_000);
    const keys = Array.from({ length: 4400 }, (_, number) => JSON.stringify({ key: `${number}`, item }));
    scene.write({ keys: keys.join('\n') });
    return scene.ask('partitions add letters --from keys --json-lines');
  },
  async 'pipeline-not-found'(scene) {
    fs.rmSync(scene.project.path('pipeline.ts'));
    return scene.ask('materialize --all');
  },
  'pipeline-syntax': loading('const one = ;'),
  'pipeline-import-missing': loading("import 'not-there'; export default 1;"),
  'pipeline-threw': loading("throw new Error('down');"),
  'pipeline-no-default': loading('export const one = 1;'),
  'pipeline-not-one': loading(pipeline().replace(/export default .*/, 'export default first;')),
  'pipeline-invalid': loading(pipeline({ first: 'materialise: 1' })),
  'pipeline-unsettled': (scene) => {
    scene.write({ 'pipeline.ts': `await new Promise(() => {});\n${pipeline()}` });
    return scene.project.json(['materialize', '--all']);
  },
  'pipeline-stray': (scene) => {
    scene.pipeline({
      above:
        "setTimeout(() => { throw new Error('stray'); }, 1); await new Promise((done) => setTimeout(done, 100));",
    });
    return scene.ask('materialize --all');
  },
  'unknown-set': typed('partitions list leters'),
  'unknown-sensor': typed('sensor tick fed'),
  'unknown-run': typed('runs show 1'),
  'unknown-key': typed('materialize first --key aa'),
  async 'asset-without-key'(scene) {
    scene.pipeline({ assets: `[first, second, ${OTHER}]` });
    await scene.ask('partitions add letters a');
    return scene.ask('materialize first other --key a');
  },
  async 'ambiguous-keys'(scene) {
    scene.pipeline({ assets: `[first, second, ${OTHER}]` });
    await scene.ask('partitions add letters a');
    await scene.ask('partitions add numbers a');
    return scene.ask('materialize --key a');
  },
  async 'state-moved'(scene) {
    await scene.state();
    await scene.ask('state move --to other.json');
    return scene.ask('status');
  },
  'invalid-key': (scene) => scene.ask('partitions add letters --from -', { stdin: 'good\nb\u0001d\n' }),
  'keys-file': (scene) => scene.ask('partitions add letters --from nowhere'),
  async 'file-in-the-way'(scene) {
    await scene.state();
    scene.write({ mine: 'mine' });
    return scene.ask('status --html mine');
  },
  usage: (scene) => scene.ask('partitions lst'),
};

/** Said beside a result that has it in fields of its own: looked for in what is printed. */
export const SAID: Readonly<Record<string, (scene: Scene) => Promise<Printed>>> = {
  'source-failed'(scene) {
    scene.pipeline({ feed: "evaluate: () => ({ failures: [{ name: 'north', error: 'down' }] })" });
    return scene.say('sensor tick feed');
  },
  'notify-failed'(scene) {
    const notify = "[{ on: ['sensor-failed'], send: () => { throw new Error('hooks are closed'); } }]";
    scene.pipeline({
      feed: "evaluate: () => { throw new Error('down'); }",
      assets: `[first, second], notify: ${notify}`,
    });
    return scene.say('sensor tick feed');
  },
  async 'sensor-busy'(scene) {
    scene.pipeline({ feed: 'evaluate: () => new Promise((done) => setTimeout(done, 20_000))' });
    scene.project.start(['sensor', 'tick', 'feed']);
    for (;;) {
      const { document } = await scene.ask('sensor list');
      if (document.sensors[0]?.evaluating != null) return scene.say('sensor tick feed --if-busy fail');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
  async 'state-problems'(scene) {
    await scene.state();
    scene.change((state) => state.sets.letters.keys.push('a'));
    scene.change((state) => state.sets.letters.added.push([1, state.writtenBy.at]));
    return scene.say('state check');
  },
};
