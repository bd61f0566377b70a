/** What records keep of texts from user code: well-formed, and within a limit. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { recordedProblem } from '../../src/model/problem.ts';
import { ERROR_LIMIT, recordable, recordableJson } from '../../src/model/recordable.ts';
import { describeThrown } from '../../src/model/thrown.ts';
import { recordOfTick, TICK_LOG_BYTES } from '../../src/model/tick.ts';
import { tickRecord } from '../support/builders.ts';

const line = (text: string) => ({ at: '2026-01-01T00:00:00.000Z', stream: 'log' as const, text });

const HALF = '\ud83c';
const anyText = fc.string({
  unit: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(HALF, '\udf89', 'é')),
});

describe('a text that is recorded', () => {
  it('is itself where it is well-formed and short enough', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(text.isWellFormed());
        expect(recordable(text, 10_000)).toBe(text);
      }),
    );
  });

  it('is always well-formed and within its limit, and says when it was cut', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 40, max: 200 }), (text, most) => {
        const kept = recordable(text, most);
        expect(kept.isWellFormed()).toBe(true);
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(most);
        if (Buffer.byteLength(text.toWellFormed()) > most) expect(kept).toContain('… (cut: it has ');
      }),
    );
  });

  it('is not cut inside a letter', () => {
    for (let most = 40; most < 60; most++)
      expect(recordable('🎉'.repeat(100), most)).toMatch(/^(?:🎉)+ … \(cut: it has 400 bytes\)$/u);
  });
});

describe('JSON that is recorded', () => {
  it('has well-formed texts and is the same value otherwise', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        expect(recordableJson(JSON.stringify(value))).toEqual(plain);
      }),
    );
    expect(recordableJson(JSON.stringify({ [HALF]: [`a${HALF}b`, '\\ud83c'] }))).toEqual({
      '\ufffd': ['a\ufffdb', '\\ud83c'],
    });
  });
});

describe('an error that is recorded', () => {
  it('is within 8 KiB with the places in the user’s files', () => {
    const thrown = describeThrown(new Error('x'.repeat(1_000_000)));
    expect(Buffer.byteLength(thrown.message)).toBeLessThanOrEqual(ERROR_LIMIT);
    expect(thrown.frames).not.toEqual([]);
    const problem = recordedProblem({ code: 'c', message: 'é'.repeat(100_000), hint: 'h'.repeat(100_000) })!;
    for (const text of [problem.message, problem.hint!])
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(ERROR_LIMIT);
  });

  it('is well-formed, whatever was thrown', () => {
    for (const thrown of [HALF, new Error(`a${HALF}`), { a: HALF }, new Error('a', { cause: HALF })])
      expect(describeThrown(thrown).message.isWellFormed()).toBe(true);
  });
});

describe('the record of a tick', () => {
  it('keeps the end of what was printed and the start of a long cursor, within bounds', () => {
    const big = Array.from({ length: 200 }, (_, at) => line(`${at} ${'x'.repeat(60_000)}`));
    const cursor = { before: null, after: 'c'.repeat(1_000_000) };
    const record = recordOfTick(tickRecord({ sensor: 's', cursor }), big);
    expect(record.log!.at(-1)!.text).toMatch(/^199 /);
    expect(record.log!.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(TICK_LOG_BYTES);
    expect(record.cursor.before).toBeNull();
    expect(Buffer.byteLength(record.cursor.after!)).toBeLessThanOrEqual(ERROR_LIMIT);
    expect(recordOfTick(tickRecord({ sensor: 's' }), [line('y'.repeat(1_000_000))]).log).toHaveLength(1);
  });
});
