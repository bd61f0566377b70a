/**
 * Cuts the power: what the real binary does to its folder is recorded, and after each operation every part of it that may
 * have reached the disk is put into a folder and read by the real code.
 *
 * `npm run test:power` tries more combinations. What is assumed of a disk: `test/support/power-loss/disk.ts`.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Judge } from '../support/power-loss/judge.ts';
import { endOf, observe } from '../support/power-loss/observation.ts';
import { record, run } from '../support/power-loss/recording.ts';
import { SCENARIOS } from '../support/power-loss/scenarios.ts';
import { type Survivor, writeTree } from '../support/power-loss/survivors.ts';

const isLong = process.env['DYNPART_POWER'] === 'long';
const seed = Number(process.env['DYNPART_POWER_SEED'] ?? 1);
const only = process.env['DYNPART_POWER_ONLY'];
const chosen = SCENARIOS.filter((scenario) =>
  only === undefined ? isLong || !scenario.isLong : new RegExp(only).test(scenario.name),
);

// Thousands of folders are made and thrown away: in memory where there is such a place.
const memory = '/dev/shm';
const base = fs.mkdtempSync(path.join(fs.existsSync(memory) ? memory : os.tmpdir(), 'dynpart-power-'));
const totals = { points: 0, enumerated: 0, tried: 0, folders: 0, continued: 0 };

function random(from: number): () => number {
  let state = from;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

afterAll(() => {
  fs.rmSync(base, { recursive: true });
  console.log(
    `power loss, seed ${seed}: ${totals.points} crash points, ${totals.enumerated} of them enumerated for all, ${totals.tried} combinations, ` +
      `${totals.folders} different folders, ${totals.continued} of them gone on with`,
  );
});

describe('what a loss of power leaves is an old or the new commit, whole and readable', () => {
  it.for(chosen)('$name', { timeout: isLong ? 1_800_000 : 300_000 }, async (scenario) => {
    // The same place each time: the pipeline is compiled once.
    const home = path.join(base, 'home');
    fs.rmSync(path.join(home, 'p'), { recursive: true, force: true });
    const recording = await record(scenario, home);
    const chance = random(seed);
    const far = progressOf(scenario.name);
    const { points, enumerated, tried, folders, problems } = await new Judge(
      recording,
      path.join(base, 'scratch'),
      {
        every: isLong ? 1024 : 256,
        distance: isLong ? 2 : 1,
        random: isLong ? 200 : 12,
        contents: isLong ? 8 : 3,
        chance,
        far,
      },
    ).judge();
    totals.points += points;
    totals.enumerated += enumerated;
    totals.tried += tried;
    totals.folders += folders.length;
    far(`${points} crash points, ${tried} combinations, ${folders.length} folders`, true);
    expect(problems, `seed ${seed}`).toEqual([]);
    const project = recording.project;
    const undisturbed = endOf(project, await observe(project));
    for (const survivor of sample(folders, isLong ? 10 : 1, chance)) {
      totals.continued++;
      await goOn(project, survivor, scenario.after ?? scenario.again ?? scenario.command);
      expect(
        endOf(project, await observe(project)),
        `seed ${seed}, from ${[...survivor.files.keys()].join(' ')}`,
      ).toBe(undisturbed);
    }
  });
});

/** In a long run somebody wants to know that it goes on: of each scenario what it came to, and every half minute where it is. */
function progressOf(name: string): (words: string, always?: boolean) => void {
  let said = Date.now();
  const began = said;
  return (words, always = false) => {
    if (!isLong || (!always && Date.now() - said < 30_000)) return;
    said = Date.now();
    process.stderr.write(`${name}: ${words}, after ${Math.round((said - began) / 1000)} s\n`);
  };
}

/** The command once more, on what is left. */
async function goOn(project: string, survivor: Survivor, command: Parameters<typeof run>[1]): Promise<void> {
  fs.rmSync(project, { recursive: true });
  writeTree(project, survivor);
  const { code, said } = await run(project, command);
  expect(said).not.toContain('bug in dynpart');
  expect(code, said).toBe(0);
}

function sample(folders: readonly Survivor[], size: number, chance: () => number): Survivor[] {
  const step = folders.length / size;
  return Array.from({ length: size }, (_, at) => folders[Math.floor((at + chance()) * step)]!);
}
