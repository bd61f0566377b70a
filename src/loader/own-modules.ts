/** The modules that dynpart itself answers with, wherever a pipeline file lies: `dynpart`, `dynpart/sources` and `dynpart/testing`. */
import * as library from '../index.ts';
import { nearest } from '../model/nearest.ts';

export type Namespace = Record<string, unknown>;

/** What each is loaded with, on use. */
const MODULES: Readonly<Record<string, () => Namespace | Promise<Namespace>>> = {
  dynpart: () => library,
  'dynpart/sources': () => import('../sources/index.ts'),
  'dynpart/testing': () => import('../testing/index.ts'),
};

export function isOwn(specifier: string): boolean {
  return Object.hasOwn(MODULES, specifier);
}

/** What was loaded so far, for `require`, which cannot wait. */
const loaded = new Map<string, Namespace>([['dynpart', strict('dynpart', library)]]);

/** For `import`. */
export async function ownModule(name: string): Promise<Namespace> {
  const known = loaded.get(name) ?? strict(name, await MODULES[name]!());
  loaded.set(name, known);
  return known;
}

/** For `require`: what `loadRequired` has loaded, and `dynpart` itself. */
export function ownModuleNow(name: string): Namespace | undefined {
  return loaded.get(name);
}

/** Before code runs: what it requires by name. */
export async function loadRequired(code: string): Promise<void> {
  for (const [, name = ''] of code.matchAll(/\brequire\(\s*['"`](dynpart\/\w+)['"`]\s*\)/g))
    if (isOwn(name)) await ownModule(name);
}

/**
 * A namespace that says which export is not there. Compiled code asks for names when it uses them, and `undefined` would
 * become «Asset is not a function» in the user's line, where Node says that there is no such export.
 */
function strict(name: string, namespace: Namespace): Namespace {
  return new Proxy(namespace, {
    get: (target, asked, receiver) => {
      if (typeof asked === 'string' && !(asked in target) && !NOT_EXPORTS.has(asked)) {
        const names = Object.keys(target).join(', ');
        if (asked === 'default')
          throw new SyntaxError(
            `'${name}' has no default export; name what you need in braces: it has ${names}`,
          );
        const [near] = nearest(asked, Object.keys(target));
        const meant = near === undefined ? `it has ${names}` : `did you mean ${near}?`;
        throw new SyntaxError(`'${name}' has no export ${asked}; ${meant}`);
      }
      return Reflect.get(target, asked, receiver) as unknown;
    },
  });
}

/** What the language, the compiler's helpers and inspection ask every object for. */
const NOT_EXPORTS: ReadonlySet<string> = new Set(['then', '__esModule', 'toJSON', 'constructor']);
