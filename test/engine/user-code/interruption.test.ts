import { describe, expect, it, vi } from 'vitest';
import { Interruption, signalOf } from '../../../src/engine/user-code/interruption.ts';

describe('an interruption', () => {
  it('tells those that listen, once, and not those that have ceased to', () => {
    const cut = new Interruption();
    const [told, gone] = [vi.fn<() => void>(), vi.fn<() => void>()];
    cut.addEventListener('abort', told);
    cut.addEventListener('abort', gone);
    cut.removeEventListener('abort', gone);
    expect(cut.aborted).toBe(false);
    cut.abort();
    cut.abort();
    expect(cut.aborted).toBe(true);
    expect(told).toHaveBeenCalledOnce();
    expect(gone).not.toHaveBeenCalled();
  });

  it('has a signal that is aborted with it, whether it was asked for before or after', () => {
    const reason = new Error('stopped');
    const before = new Interruption();
    const { signal } = before;
    expect(signal.aborted).toBe(false);
    before.abort(reason);
    expect(signal).toBe(before.signal);
    const after = new Interruption();
    after.abort(reason);
    for (const one of [signal, after.signal]) {
      expect(one.aborted).toBe(true);
      expect(one.reason).toBe(reason);
    }
  });

  it('without a reason has that of any other signal', () => {
    const cut = new Interruption();
    cut.abort();
    expect(cut.signal.reason).toMatchObject({ name: 'AbortError' });
  });

  it('is a signal to who takes nothing else', () => {
    const cut = new Interruption();
    const { signal } = new AbortController();
    expect(signalOf(cut)).toBe(cut.signal);
    expect(signalOf(signal)).toBe(signal);
  });
});
