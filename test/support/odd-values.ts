/** Values that no user means and some user hands over, as plans: `{ odd: name }`, so that a failure can be printed and repeated. */
import * as fc from './random.ts';

const throwing = (): never => {
  throw new Error('it fights back');
};

/** A proxy that answers each question with a throw. */
function fighting(target: object): object {
  return new Proxy(
    target,
    Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, throwing])),
  );
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** Good when it is first looked at, and something else from then on. */
function liar(first: object, then: object): object {
  let looks = 0;
  return new Proxy(first, {
    get: (target, name) => {
      if (name === 'length') return Reflect.get(target, name) as unknown;
      return Reflect.get(++looks > 1 ? then : target, name) as unknown;
    },
  });
}

function cyclic(): object {
  const round: Record<string, unknown> = {};
  round['self'] = round;
  return round;
}

class OddArray extends Array<unknown> {
  override *[Symbol.iterator](): ArrayIterator<unknown> {
    yield 'a';
  }
  override flatMap(): never[] {
    return [null as never];
  }
  override map(): never[] {
    return [undefined as never];
  }
}

/* oxlint-disable unicorn/no-thenable -- a sensor may return anything */
/** Values that are made anew for each try, by a name that a failure can print. */
const ODD: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  zero: () => 0,
  NaN: () => NaN,
  text: () => 'text',
  'empty text': () => '',
  'lone surrogate': () => 'a\ud800',
  'control characters': () => '\u001b]0;x\u0007',
  'set name': () => 'letters',
  'asset name': () => 'audio',
  'text object': () => Object('text') as unknown,
  bigint: () => 10n,
  symbol: () => Symbol('odd'),
  function: () => throwing,
  class: () => OddArray,
  date: () => new Date(NaN),
  map: () => new Map([['a', 1]]),
  set: () => new Set(['a']),
  regexp: () => /a/g,
  error: () => new Error('returned, not thrown'),
  promise: () => Promise.resolve('late'),
  'rejected promise': () => {
    const rejected = Promise.reject(new Error('late'));
    rejected.catch(() => undefined);
    return rejected;
  },
  thenable: () => ({ then: (resolve: (value: unknown) => void) => resolve({ cursor: 'from a thenable' }) }),
  'throwing thenable': () => ({ then: throwing }),
  'thenable getter that throws': () => Object.defineProperty({}, 'then', { get: throwing, enumerable: true }),
  cyclic,
  'cyclic list': () => {
    const list: unknown[] = [];
    list.push(list);
    return list;
  },
  'sparse list': () => Object.assign([], { 3: 'a' }),
  'huge sparse list': () => Object.assign([], { length: 100_000 }),
  'odd list': () => OddArray.from(['a', 'b']),
  'list of odd things': () => [null, undefined, 1n, Symbol('x'), {}, [], 'a'],
  'typed array': () => new Uint8Array(3),
  'array buffer': () => new ArrayBuffer(3),
  'object without a prototype': () => Object.create(null) as unknown,
  'object with __proto__': () => JSON.parse('{"__proto__":{"cursor":"polluted"},"constructor":1}') as unknown,
  'object of another prototype': () => Object.create({ cursor: 'inherited' }) as unknown,
  'getter that throws': () =>
    Object.defineProperties(
      {},
      Object.fromEntries(
        ['cursor', 'keys', 'type', 'set', 'partitionKey', 'runKey', 'name', 'length', 'toJSON', 'x'].map(
          (name) => [name, { get: throwing, enumerable: true }],
        ),
      ),
    ),
  'toJSON that lies': () => ({ toJSON: () => ({ cursor: 'another' }) }),
  'toJSON that throws': () => ({ toJSON: throwing }),
  'fighting proxy': () => fighting({}),
  'fighting list': () => fighting([]),
  'revoked proxy': () => revoked({}),
  'revoked list': () => revoked([]),
  'lying list': () => liar(['a', 'b'], [Symbol('x'), 5]),
  'lying tags': () => liar({ by: 'me' }, { by: 5n }),
  'tags with a getter': () => {
    let looks = 0;
    return Object.defineProperty({}, 'by', {
      get: () => (++looks > 1 ? throwing() : 'me'),
      enumerable: true,
    });
  },
  'deeply nested': () => {
    let value: unknown = 'x';
    for (let depth = 0; depth < 5000; depth++) value = [value];
    return value;
  },
};

/** One of them, but for those that are left out. */
export function oddBut(...except: readonly string[]): fc.Arbitrary<{ readonly odd: string }> {
  const names = Object.keys(ODD).filter((name) => !except.includes(name));
  return fc.constantFrom(...names).map((name) => ({ odd: name }));
}

export const odd = oddBut();

/** Mostly what is meant. */
export function orOdd<T>(good: fc.Arbitrary<T>, other = odd): fc.Arbitrary<T | { readonly odd: string }> {
  return fc.oneof({ weight: 20, arbitrary: good }, { weight: 1, arbitrary: other });
}

/** The value that a plan stands for. */
export function built(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(built);
  if (typeof part !== 'object' || part === null) return part;
  const { odd: name } = part as { odd?: unknown };
  if (typeof name === 'string' && Object.hasOwn(ODD, name)) return ODD[name]!();
  const made: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(part))
    Object.defineProperty(made, field, {
      value: built(value),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return made;
}
