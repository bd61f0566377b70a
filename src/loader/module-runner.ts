/**
 * Runs the compiled files of a pipeline: from the pack where it knows them, from the compiler where it does not.
 *
 * Both ways run the same code in the same way, so that a cache can only ever be quicker. A file is the body of an async
 * function of its own, under the user's path and with its lines kept, so that stack traces are right as they are.
 */
import path from 'node:path';
import { Script } from 'node:vm';
import type { Compiler } from './compiler.ts';
import { type Edge, type FreshPack, readSource } from './module-pack.ts';
import { loadRequired, type Namespace, ownModule, ownModuleNow } from './own-modules.ts';

/** A compiled file, with what `HEAD` says it is given. */
type Body = (...given: readonly unknown[]) => Promise<void>;

interface LoadedModule {
  readonly module: { exports: unknown };
  /** What it waits for now. */
  readonly waitsFor: Set<string>;
  readonly done: Promise<void>;
}

interface RunFile {
  readonly source: string;
  readonly code: string;
  readonly edges: Record<string, Edge>;
}

// What the compiler writes into the code.
const HEAD =
  '(async function (exports, require, module, __filename, __dirname, jitiImport, jitiESMResolve) { ';
const TAIL = '\n})';

const PACKAGES = `${path.sep}node_modules${path.sep}`;

export class ModuleRunner {
  /** Every local file that was run, as the pack keeps it. */
  readonly files = new Map<string, RunFile>();
  readonly #pack: FreshPack | null;
  readonly #compiler: Compiler;
  readonly #modules = new Map<string, LoadedModule>();
  #knowsMore = false;

  constructor(pack: FreshPack | null, compiler: Compiler) {
    this.#pack = pack;
    this.#compiler = compiler;
  }

  /** Whether something was compiled or found that the pack does not have. */
  get knowsMoreThanThePack(): boolean {
    return this.#knowsMore;
  }

  /** The user's own files, as far as this runner has seen them: packages are not among them. */
  ownFiles(): Set<string> {
    const found = new Set(this.files.keys());
    for (const { edges } of this.files.values()) {
      for (const edge of Object.values(edges))
        if ('file' in edge && path.isAbsolute(edge.file) && !edge.file.includes(PACKAGES))
          found.add(edge.file);
    }
    return found;
  }

  /** Runs a file, once, and what it imports before it. */
  run(file: string): Promise<Namespace> {
    return this.#import(file, null);
  }

  async #import(file: string, importer: string | null): Promise<Namespace> {
    const known = this.#modules.get(file);
    // In a circle the one that came first gives what it has so far, as everywhere in JavaScript.
    if (known !== undefined && importer !== null && this.#waits(file, importer))
      return asNamespace(known.module.exports);
    const loaded = known ?? this.#start(file);
    const waiting = importer === null ? undefined : this.#modules.get(importer)?.waitsFor;
    waiting?.add(file);
    try {
      await loaded.done;
    } finally {
      waiting?.delete(file);
    }
    return asNamespace(loaded.module.exports);
  }

  /** Whether one file waits, over whatever other files, for another; every file for itself. */
  #waits(file: string, other: string, seen: ReadonlySet<string> = new Set()): boolean {
    if (file === other) return true;
    if (seen.has(file)) return false;
    const further = new Set([...seen, file]);
    return [...(this.#modules.get(file)?.waitsFor ?? [])].some((next) => this.#waits(next, other, further));
  }

  #start(file: string): LoadedModule {
    const module: { exports: unknown } = { exports: {} };
    const loaded = { module, waitsFor: new Set<string>(), done: this.#evaluate(file, module) };
    this.#modules.set(file, loaded);
    return loaded;
  }

  async #evaluate(file: string, module: { exports: unknown }): Promise<void> {
    // The module must be known before its imports ask for it.
    await Promise.resolve();
    const { code, edges } = this.#fileOf(file);
    if (file.endsWith('.json')) {
      module.exports = jsonModule(file, code);
      return;
    }
    const body = new Script(HEAD + code + TAIL, {
      filename: file,
      columnOffset: -HEAD.length,
    }).runInThisContext() as Body;
    const edgeOf = (specifier: string): Edge => {
      if (!Object.hasOwn(edges, specifier)) {
        edges[specifier] = this.#packedEdge(file, specifier) ?? this.#compiler.resolve(specifier, file);
        this.#knowsMore = true;
      }
      return edges[specifier]!;
    };
    await loadRequired(code);
    const exports = module.exports;
    await body(
      exports,
      this.#requireFor(file),
      module,
      file,
      path.dirname(file),
      async (specifier: string) => this.#follow(edgeOf(specifier), file),
      (specifier: string) => resolvedUrl(specifier, file, edgeOf),
    );
    const wrong = (exports as Namespace)['__JITI_ERROR__'] as SyntaxProblem | undefined;
    if (wrong !== undefined) throw new PipelineSyntaxError(wrong);
  }

  /** `require` of a file: Node's own, but for what only this runner knows. Made on use: mostly nobody asks for it. */
  #requireFor(file: string): NodeJS.Require {
    let made: NodeJS.Require | undefined;
    const native = (): NodeJS.Require =>
      (made ??= process.getBuiltinModule('node:module').createRequire(file));
    const own = (name: string): unknown => {
      const ours = ownModuleNow(name);
      if (ours !== undefined) return ours;
      try {
        return native()(name);
      } catch (error) {
        if (this.#isTypeScript(name, file))
          throw new Error(`require('${name}') cannot load TypeScript: use import`, { cause: error });
        throw error;
      }
    };
    const fields = ['resolve', 'cache', 'extensions', 'main'] as const;
    for (const field of fields)
      Object.defineProperty(own, field, { get: () => native()[field], enumerable: true, configurable: true });
    return own as NodeJS.Require;
  }

  #isTypeScript(name: string, importer: string): boolean {
    if (!name.startsWith('.') && !path.isAbsolute(name)) return false;
    try {
      const edge = this.#compiler.resolve(name, importer);
      return edge.kind === 'local' && /\.[cm]?tsx?$/.test(edge.file);
    } catch {
      return false;
    }
  }

  #fileOf(file: string): RunFile {
    const packed = this.#pack?.get(file);
    const source = packed?.source ?? readSource(file);
    const known = packed?.code ?? null;
    if (known === null) this.#knowsMore = true;
    const code = known ?? (file.endsWith('.json') ? source : this.#compiler.compile(file, source));
    // What an edited file imports is only taken over as far as it is asked for again.
    const run = { source, code, edges: known === null ? {} : { ...packed?.edges } };
    this.files.set(file, run);
    return run;
  }

  #packedEdge(file: string, specifier: string): Edge | undefined {
    const edges = this.#pack?.get(file)?.edges ?? {};
    return Object.hasOwn(edges, specifier) ? edges[specifier] : undefined;
  }

  async #follow(edge: Edge, importer: string): Promise<Namespace> {
    switch (edge.kind) {
      case 'own':
        return ownModule(edge.name);
      case 'builtin':
        return builtin(edge.name);
      case 'local':
        return this.#import(edge.file, importer);
      case 'native':
        return (await import(urlOf(edge))) as Namespace;
    }
  }
}

/** A syntax error, as the compiler notes it in the code that it gives back. */
interface SyntaxProblem {
  readonly filename: string;
  readonly line: number;
  /** From 0. */
  readonly column: number;
  readonly message: string;
}

export class PipelineSyntaxError extends Error {
  readonly problem: SyntaxProblem;

  constructor(problem: SyntaxProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A module of Node as `import` sees it, without the cost of the loader for ES modules. Getters stay getters: some load a lot. */
function builtin(name: string): Namespace {
  const module = process.getBuiltinModule(name) as object;
  return Object.defineProperty(
    Object.create(null, Object.getOwnPropertyDescriptors(module)) as Namespace,
    'default',
    {
      value: module,
      enumerable: true,
      configurable: true,
    },
  );
}

/** A JSON file as `import` gives it: the value, and its names where it has some. */
function jsonModule(file: string, text: string): Namespace {
  try {
    const value = JSON.parse(text.replace(/^\ufeff/, '')) as unknown;
    return {
      __esModule: true,
      ...(typeof value === 'object' && !Array.isArray(value) ? value : {}),
      default: value,
    };
  } catch (error) {
    throw new Error(`${file} is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** What a CommonJS file left in `module.exports` is its default export, and its names are there, too. */
function asNamespace(exports: unknown): Namespace {
  if (typeof exports === 'function') return Object.assign({}, exports as object, { default: exports });
  if (typeof exports !== 'object' || exports === null) return { default: exports };
  const named = exports as Namespace;
  const isEsModule = 'default' in named || named['__esModule'] === true || Object.keys(named).length === 0;
  return isEsModule ? named : { ...named, default: named };
}

/** `import.meta.resolve`: a relative path is a URL whether or not there is a file. */
function resolvedUrl(specifier: string, importer: string, edgeOf: (specifier: string) => Edge): string {
  const isPath = /^\.{0,2}\//.test(specifier);
  return isPath
    ? new URL(specifier, urlOf({ kind: 'local', file: importer })).href
    : urlOf(edgeOf(specifier));
}

function urlOf(edge: Edge): string {
  if ('file' in edge) {
    return edge.file.includes('://') || edge.file.startsWith('data:')
      ? edge.file
      : `file://${edge.file.split(path.sep).map(encodeURIComponent).join('/')}`;
  }
  return edge.name;
}
