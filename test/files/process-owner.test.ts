/** Whether an owner lives: by its process where that can be seen, by its last sign of life elsewhere. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isoTime } from '../../src/model/time.ts';
import {
  isAlive,
  isGone,
  isLeftOver,
  LEASE_MS,
  ownerNamed,
  processTag,
  sinceOf,
  thisProcess,
} from '../../src/files/process-owner.ts';
import { AT } from '../support/builders.ts';
import { ExecutorFiles } from '../../src/state/json/executor-files.ts';
import { SensorClaims } from '../../src/state/json/sensor-claims.ts';
import type { Owner } from '../../src/files/process-owner.ts';
import { TemporaryFolder } from '../support/json-rig.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** A machine that has run for a day. */
const moment = { now: Date.UTC(2026, 5, 1), steady: 24 * HOUR };
const later = (ms: number, setForward = 0) => ({
  now: moment.now + ms + setForward,
  steady: moment.steady + ms,
});

const EXT4 = 0xef53;
const NFS = 0x6969;
const KINDS: Record<string, number> = { '/local': EXT4, '/shared': NFS };

/** Which file system a folder is on is said here, not by the machine that tests. */
function mockDisks(): void {
  vi.spyOn(fs, 'statfsSync').mockImplementation((folder) => {
    const type = KINDS[folder as string];
    if (type === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' });
    return { type } as fs.StatsFs & fs.BigIntStatsFs;
  });
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const here = (): Owner => ownerNamed('o', moment, '/local');
const there = (): Owner => ({
  ...ownerNamed('o', moment, '/local'),
  pidNamespace: 'pid:[1]',
  host: 'another',
});
const of = (folder: string): Owner => ({ ...ownerNamed('o', moment, folder), bootId: 'another' });

describe('an owner that can be seen', () => {
  it('lives as long as its process, however old its last sign', () => {
    expect(isAlive(here(), 0, moment, '/local')).toBe(true);
    expect(isAlive(here(), 0, later(0, 100 * HOUR), '/local')).toBe(true);
  });

  it.runIf(thisProcess().startTime !== null)(
    'is dead when its pid is another process’s, however fresh its sign',
    () => {
      expect(isAlive({ ...here(), startTime: '1' }, moment.now, moment, '/local')).toBe(false);
    },
  );

  it('is dead when nobody has its pid', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('close', resolve));
    expect(isAlive({ ...here(), pid: child.pid! }, moment.now, moment, '/local')).toBe(false);
  });
});

describe('an owner in another container of this machine', () => {
  it('lives until five minutes after its last sign', () => {
    expect(isAlive(there(), moment.now, later(LEASE_MS - 1), '/local')).toBe(true);
    expect(isAlive(there(), moment.now, later(LEASE_MS), '/local')).toBe(false);
  });

  it.each([HOUR, -HOUR])('lives when the clock was set by %i ms after its last sign', (set) => {
    expect(isAlive(there(), moment.now, later(LEASE_MS - 1, set), '/local')).toBe(true);
  });

  it.each([HOUR, -HOUR])('lives when the clock was set by %i ms before its last sign', (set) => {
    const sign = moment.now + 3 * HOUR + set;
    expect(isAlive(there(), sign, later(3 * HOUR + LEASE_MS - 1, set), '/local')).toBe(true);
  });

  it.each([HOUR, -HOUR])(
    'is dead five minutes after its last sign also when the clock was set by %i ms',
    (set) => {
      expect(isAlive(there(), moment.now, later(LEASE_MS, set), '/local')).toBe(false);
      const sign = moment.now + 3 * HOUR + set;
      expect(isAlive(there(), sign, later(3 * HOUR + LEASE_MS, set), '/local')).toBe(false);
    },
  );

  it('has had its claim for as long as it has, whatever the clock says', () => {
    expect(sinceOf(there(), later(MINUTE, HOUR))).toBe(isoTime(moment.now + HOUR));
    const { steady: _, ...older } = there();
    expect(sinceOf(older, later(MINUTE, HOUR))).toBe(isoTime(moment.now));
  });
});

describe('an owner of another boot', () => {
  beforeEach(mockDisks);

  it.runIf(thisProcess().bootId !== null)('is dead at once where both saw a local disk', () => {
    expect(isAlive(of('/local'), moment.now, moment, '/local')).toBe(false);
    expect(isAlive(of('/local/not/made/yet'), moment.now, moment, '/local')).toBe(false);
  });

  it.each([
    ['the client of a server that exports its local disk', '/shared', '/local'],
    ['the server, seen by a client', '/local', '/shared'],
    ['another client', '/shared', '/shared'],
  ])('may be another host that lives: %s', (_, owners, readers) => {
    expect(isAlive(of(owners), moment.now, later(LEASE_MS - 1), readers)).toBe(true);
    expect(isAlive(of(owners), moment.now, later(LEASE_MS), readers)).toBe(false);
  });

  it('may live when an older version said nothing about the disk', () => {
    const { disk: _, ...older } = of('/local');
    expect(isAlive(older, moment.now, later(LEASE_MS - 1), '/local')).toBe(true);
  });

  it('is not robbed because its host’s clock is ahead', () => {
    expect(isAlive(of('/shared'), moment.now + HOUR, moment, '/shared')).toBe(true);
  });
});

describe('what processes leave behind', () => {
  const [pid, start] = processTag().split('-');

  it('is told by its tag from what live ones need', () => {
    expect(isGone(processTag())).toBe(false);
    expect(isGone(`${pid}-1-${processTag().split('-')[2]}`)).toBe(true);
    expect(isGone(`${pid}-${start}-elsewhere`)).toBe(false);
  });

  it('of another container is nobody’s after a day without a sign', () => {
    using folder = new TemporaryFolder();
    const file = folder.file('left');
    fs.writeFileSync(file, '');
    const aged = (ms: number): void => fs.utimesSync(file, new Date(), new Date(Date.now() - ms));
    aged(23 * HOUR);
    expect(isLeftOver(file, '1-1-elsewhere')).toBe(false);
    aged(25 * HOUR);
    expect(isLeftOver(file, '1-1-elsewhere')).toBe(true);
    expect(isLeftOver(file, processTag())).toBe(false);
    expect(isLeftOver(folder.file('gone'), '1-1-elsewhere')).toBe(false);
  });

  it('goes: logs of executors and torn claims of containers that were killed', () => {
    using folder = new TemporaryFolder();
    fs.mkdirSync(folder.file('executors'));
    fs.mkdirSync(folder.file('claims'));
    const left = folder.file('executors', 'gone.1-1-elsewhere.log');
    const owning = folder.file('executors', 'owning.1-1-elsewhere.log');
    const fresh = folder.file('executors', 'fresh.1-1-elsewhere.log');
    const torn = folder.file('claims', 'feed.json.1-1-elsewhere.1.tmp');
    for (const file of [left, owning, fresh, torn]) fs.writeFileSync(file, '');
    for (const file of [left, owning, torn]) fs.utimesSync(file, 0, 0);
    const now = { now: Date.now(), steady: 0 };
    const files = new ExecutorFiles(folder.path, () => AT);
    files.remove(files.goneBeside(new Set(['owning'])));
    new SensorClaims(folder.path).claim('feed', ownerNamed('o', now, folder.path), () => now);
    expect([left, owning, fresh, torn].map((file) => fs.existsSync(file))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

const now = () => ({ now: Date.now(), steady: performance.now() });
/** The time of change becomes a recent one again when half a minute has passed. */
async function expectRenewed(file: string): Promise<void> {
  fs.utimesSync(file, 0, 0);
  vi.advanceTimersByTime(30_000);
  await vi.waitFor(() => expect(fs.statSync(file).mtimeMs).toBeGreaterThan(0), { timeout: 60_000 });
}

describe('the sign of life', () => {
  it('of an executor is renewed every half a minute', async () => {
    using folder = new TemporaryFolder();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const executor = new ExecutorFiles(folder.path, () => AT).open(ownerNamed('o', now(), folder.path));
    await expectRenewed(folder.file('executors', fs.readdirSync(folder.file('executors'))[0]!));
    await executor.leave();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of an executor that was paused for a day is there before others look for it', () => {
    using folder = new TemporaryFolder();
    const files = new ExecutorFiles(folder.path, () => AT);
    const executor = files.open(ownerNamed('o', now(), folder.path));
    const file = folder.file('executors', fs.readdirSync(folder.file('executors'))[0]!);
    fs.utimesSync(file, 0, 0);
    files.renew('o');
    expect(fs.statSync(file).mtimeMs).toBeGreaterThan(0);
    fs.unlinkSync(file);
    files.renew('o');
    void executor.begun('g-1', 60_000);
    expect(fs.readFileSync(file, 'utf8')).toBe(`begun g-1 ${AT} 60000\n`);
  });

  it('of a claim is renewed, and never keeps the claim of another one fresh or removes it', async () => {
    using folder = new TemporaryFolder();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const claims = new SensorClaims(folder.path);
    const claim = claims.claim('feed', ownerNamed('o', now(), folder.path), now);
    if ('holder' in claim) throw new Error('it is free');
    const file = folder.file('claims', 'feed.json');
    await expectRenewed(file);
    // Taken for dead: another one has the name now.
    const others = JSON.stringify({ ...ownerNamed('another', now(), folder.path) });
    fs.unlinkSync(file);
    fs.writeFileSync(file, others);
    fs.utimesSync(file, 0, 0);
    vi.advanceTimersByTime(60_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fs.statSync(file).mtimeMs).toBe(0);
    await claim.release();
    expect(fs.readFileSync(file, 'utf8')).toBe(others);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.runIf(thisProcess().startTime !== null)(
    'is not missed for want of a descriptor: the claim of a live owner stays',
    () => {
      using folder = new TemporaryFolder();
      const claims = new SensorClaims(folder.path);
      claims.claim('feed', ownerNamed('o', now(), folder.path), now);
      const real = fs.readFileSync;
      vi.spyOn(fs, 'readFileSync').mockImplementation(((file: string, ...rest: never[]) => {
        if (file.startsWith('/proc/')) throw Object.assign(new Error('none left'), { code: 'EMFILE' });
        return real(file, ...rest);
      }) as typeof fs.readFileSync);
      expect(() => claims.claim('feed', ownerNamed('p', now(), folder.path), now)).toThrow('state-io');
      vi.restoreAllMocks();
      expect(claims.holder('feed', now())).toMatchObject({ pid: process.pid });
    },
  );
});
