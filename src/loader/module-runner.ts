/**
 * Runs the compiled files of a pipeline: from the pack where it knows them, from the compiler where it does not.
 *
 * Both ways run the same code in the same way, so that a cache can only ever be quicker. A file is the body of an async
 * function of its own, under the user's path and with its lines kept, so that stack traces are right as they are.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';
import * as library from '../index.ts';
import { type Compiler, MissingImport } from './compiler.ts';
import { type Edge, type ModulePack, type PackedFile, readText } from './module-pack.ts';

type Namespace = Record<string, unknown>;

/** A compiled file, with what `HEAD` says it is given. */
type Body = (...given: readonly unknown[]) => Promise<void>;

interface LoadedModule {
  readonly module: { exports: Namespace };
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

export class ModuleRunner {
  /** Every local file that was run, as the pack keeps it. */
  readonly files = new Map<string, RunFile>();
  readonly #pack: ModulePack | null;
  readonly #compiler: Compiler;
  readonly #modules = new Map<string, LoadedModule>();
  #knowsMore = false;

  constructor(pack: ModulePack | null, compiler: Compiler) {
    this.#pack = pack;
    this.#compiler = compiler;
  }

  /** Whether something was compiled or found that the pack does not have. */
  get knowsMoreThanThePack(): boolean {
    return this.#knowsMore;
  }

  /** Runs a file, once, and what it imports before it. */
  run(file: string): Promise<Namespace> {
    return this.#import(file, new Set());
  }

  async #import(file: string, importers: ReadonlySet<string>): Promise<Namespace> {
    const known = this.#modules.get(file);
    // In a circle the one that came first gives what it has so far, as everywhere in JavaScript.
    if (known !== undefined && importers.has(file)) return known.module.exports;
    const loaded = known ?? this.#start(file, new Set([...importers, file]));
    await loaded.done;
    return asNamespace(loaded.module.exports);
  }

  #start(file: string, importers: ReadonlySet<string>): LoadedModule {
    const module = { exports: {} as Namespace };
    const loaded = { module, done: this.#evaluate(file, module, importers) };
    this.#modules.set(file, loaded);
    return loaded;
  }

  async #evaluate(
    file: string,
    module: { exports: Namespace },
    importers: ReadonlySet<string>,
  ): Promise<void> {
    // The module must be known before its imports ask for it.
    await Promise.resolve();
    const { code, edges } = this.#fileOf(file);
    if (file.endsWith('.json')) {
      module.exports = asNamespace(JSON.parse(code) as Namespace);
      return;
    }
    const body = new Script(HEAD + code + TAIL, {
      filename: file,
      columnOffset: -HEAD.length,
    }).runInThisContext() as Body;
    const edgeOf = (specifier: string): Edge => {
      if (!Object.hasOwn(edges, specifier)) {
        edges[specifier] = this.#compiler.resolve(specifier, file);
        this.#knowsMore = true;
      }
      return edges[specifier]!;
    };
    await body(
      module.exports,
      createRequire(file),
      module,
      file,
      path.dirname(file),
      async (specifier: string) => this.#follow(edgeOf(specifier), importers),
      (specifier: string) => urlOf(edgeOf(specifier)),
    );
    const wrong = module.exports['__JITI_ERROR__'] as SyntaxProblem | undefined;
    if (wrong !== undefined) throw new PipelineSyntaxError(wrong);
  }

  #fileOf(file: string): RunFile {
    const packed = this.#packed(file);
    const source = packed?.source ?? readText(file);
    if (source === null) throw new MissingImport(file, file);
    if (packed === undefined) this.#knowsMore = true;
    const code = packed?.code ?? (file.endsWith('.json') ? source : this.#compiler.compile(file, source));
    const run = { source, code, edges: { ...packed?.edges } };
    this.files.set(file, run);
    return run;
  }

  #packed(file: string): PackedFile | undefined {
    return this.#pack !== null && Object.hasOwn(this.#pack.files, file) ? this.#pack.files[file] : undefined;
  }

  async #follow(edge: Edge, importers: ReadonlySet<string>): Promise<Namespace> {
    switch (edge.kind) {
      case 'dynpart':
        return library;
      case 'builtin':
        return builtin(edge.name);
      case 'local':
        return this.#import(edge.file, importers);
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

/** What a CommonJS file left in `module.exports` has it as its default export, too. */
function asNamespace(exports: Namespace): Namespace {
  if (typeof exports !== 'object' || exports === null) return { default: exports };
  const isEsModule =
    'default' in exports || exports['__esModule'] === true || Object.keys(exports).length === 0;
  return isEsModule ? exports : { ...exports, default: exports };
}

function urlOf(edge: Edge): string {
  if (edge.kind === 'local' || edge.kind === 'native') {
    return edge.file.includes('://')
      ? edge.file
      : `file://${edge.file.split(path.sep).map(encodeURIComponent).join('/')}`;
  }
  return edge.kind === 'builtin' ? edge.name : 'dynpart';
}
