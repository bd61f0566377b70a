/** Which commits are remembered of whom: of all that may ask, and of no one that can be seen to be gone. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import fs from 'node:fs';
import { processTag } from '../../../src/files/process-owner.ts';
import { saysCommitted, withCommit } from '../../../src/state/json/writers.ts';
import type { Writers } from '../../../src/state/document/state-document.ts';

const NOBODY: Writers = { last: [], forgotten: 0 };
const place = processTag().split('-')[2]!;
const own = `${processTag()}-own`;
/** A process of this machine that is gone, and one in a container that cannot be seen from here. */
const gone = `4194999-1-${place}-gone`;
const hidden = '7-1-elsewhere-hide';

afterEach(() => vi.restoreAllMocks());

describe('the last commits of writers', () => {
  it('hold one entry of a process, its last', () => {
    const twice = withCommit(withCommit(NOBODY, { id: own, serial: 1 }), { id: own, serial: 2 });
    expect(twice).toEqual({ last: [{ id: own, serial: 2 }], forgotten: 0 });
    expect(saysCommitted(twice, { id: own, serial: 2 })).toBe(true);
    expect(saysCommitted(twice, { id: own, serial: 1 })).toBe(false);
  });

  it('keep a process that lives however many commits of others pass, and drop one that is gone at once', () => {
    let writers: Writers = {
      last: [
        { id: `${processTag()}-idle`, serial: 1 },
        { id: gone, serial: 2 },
      ],
      forgotten: 0,
    };
    for (let serial = 3; serial < 500; serial++) writers = withCommit(writers, { id: own, serial });
    expect(writers).toEqual({
      last: [
        { id: `${processTag()}-idle`, serial: 1 },
        { id: own, serial: 499 },
      ],
      forgotten: 0,
    });
  });

  it('keep one that cannot be seen for 64 commits, and then say that they forgot', () => {
    let writers: Writers = { last: [{ id: hidden, serial: 10 }], forgotten: 4 };
    for (let serial = 11; serial < 74; serial++) writers = withCommit(writers, { id: own, serial });
    expect(saysCommitted(writers, { id: hidden, serial: 10 })).toBe(true);
    writers = withCommit(writers, { id: own, serial: 74 });
    expect(writers).toEqual({ last: [{ id: own, serial: 74 }], forgotten: 10 });
    expect(saysCommitted(writers, { id: hidden, serial: 10 })).toBeNull();
    expect(saysCommitted(writers, { id: hidden, serial: 11 })).toBe(false);
  });

  it('never grow beyond that where every commit comes from a container of its own', () => {
    let writers = NOBODY;
    for (let serial = 1; serial <= 1000; serial++)
      writers = withCommit(writers, { id: `1-${serial}-container${serial}-x`, serial });
    expect(writers.last).toHaveLength(64);
    expect(writers.forgotten).toBe(936);
  });

  it('look at no process when there is no other entry', () => {
    const read = vi.spyOn(fs, 'readFileSync');
    withCommit({ last: [{ id: own, serial: 1 }], forgotten: 0 }, { id: own, serial: 2 });
    expect(read).not.toHaveBeenCalled();
    withCommit({ last: [{ id: gone, serial: 1 }], forgotten: 0 }, { id: own, serial: 2 });
    expect(read).toHaveBeenCalledOnce();
  });

  it('take nobody for gone who cannot be looked for', () => {
    vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
      throw Object.assign(new Error('no descriptor'), { code: 'EMFILE' });
    });
    expect(
      withCommit({ last: [{ id: gone, serial: 1 }], forgotten: 0 }, { id: own, serial: 2 }).last,
    ).toEqual([
      { id: gone, serial: 1 },
      { id: own, serial: 2 },
    ]);
  });

  it.each(['', 'x', '1-2', '-5-x-', `${'9'.repeat(30)}-1-${place}`])(
    'are not disturbed by an entry of %j',
    (id) => {
      expect(
        withCommit({ last: [{ id, serial: 1 }], forgotten: 0 }, { id: own, serial: 2 }).last.at(-1),
      ).toEqual({
        id: own,
        serial: 2,
      });
    },
  );
});
