/** jiti, asked for two things only: to compile a file and to find what an import means. Loaded where the pack does not know. */
import path from 'node:path';
import type { Jiti, JitiOptions, TransformOptions } from 'jiti';
import type * as JitiModule from 'jiti';
import { type Edge, readText } from './module-pack.ts';
import { aliasesOf } from './own-aliases.ts';
import { isOwn } from './own-modules.ts';
import { refusingPlugin } from './refused-syntax.ts';

/** An import that leads nowhere, with the code and the words of Node's own error: people's guards look at them. */
export class MissingImport extends Error {
  readonly code: string;
  readonly specifier: string;
  readonly importer: string;

  constructor(specifier: string, importer: string, { code, message, cause }: WhyMissing = {}) {
    const isPath = /^(?:\.{1,2}\/|\/|file:)/.test(specifier);
    const what = isPath ? path.resolve(path.dirname(importer), asPath(specifier)) : specifier;
    super(
      message ?? `Cannot find ${isPath ? 'module' : 'package'} '${what}' imported from ${importer}`,
      cause === undefined ? {} : { cause },
    );
    this.code = code ?? 'ERR_MODULE_NOT_FOUND';
    this.specifier = specifier;
    this.importer = importer;
  }
}

interface WhyMissing {
  /** Node's code where it is another one, such as that of a path which a package does not export. */
  readonly code?: string;
  readonly message?: string;
  readonly cause?: unknown;
}

export class Compiler {
  readonly #requireOwn: (name: string) => unknown;
  readonly #root: string;
  #jiti: Jiti | undefined;
  #jitiOfOwnAliases: Jiti | undefined;
  #transformer: ((options: TransformOptions) => string) | undefined;

  /** @param root the pipeline file */
  constructor(root: string, requireOwn: (name: string) => unknown) {
    this.#root = root;
    this.#requireOwn = requireOwn;
  }

  /** The file as the body of an async function; see `ModuleRunner` for what it expects around it. */
  compile(file: string, source: string): string {
    const plugin = refusingPlugin(source);
    const options = {
      source,
      filename: file,
      ts: /\.[cm]?tsx?$/.test(file),
      babel: { plugins: plugin === null ? [] : [plugin] },
      jsx: file.endsWith('x'),
      async: true,
      interopDefault: false,
      retainLines: true,
    };
    const code = this.#transform(options);
    return code.startsWith('#!') ? `// ${code}` : code;
  }

  /** @throws MissingImport */
  resolve(specifier: string, importer: string): Edge {
    if (isOwn(specifier)) return { kind: 'own', name: specifier };
    if (process.getBuiltinModule('node:module').isBuiltin(specifier))
      return { kind: 'builtin', name: specifier };
    if (specifier.startsWith('data:')) return { kind: 'native', file: specifier };
    const file = this.#find(specifier, importer);
    const compiled =
      /\.(?:[cm]?tsx?|jsx?|mjs)$/.test(file) && !file.includes(`${path.sep}node_modules${path.sep}`);
    return { kind: compiled || file.endsWith('.json') ? 'local' : 'native', file };
  }

  /**
   * After an edit of a file whose imports are known, jiti has nothing to resolve, and loading all of it takes as long as
   * compiling. So the half of it that compiles is asked for by its place, and jiti itself where that is another one.
   */
  #transform(options: TransformOptions): string {
    this.#transformer ??= this.#half() ?? ((given) => this.#loaded.transform(given));
    return this.#transformer(options);
  }

  #half(): ((options: TransformOptions) => string) | null {
    let transform: (options: TransformOptions) => { readonly code: string };
    try {
      transform = this.#requireOwn('jiti/dist/babel.cjs') as typeof transform;
    } catch {
      return null;
    }
    return (options) => transform(options).code;
  }

  #find(specifier: string, importer: string): string {
    const find = (jiti: Jiti): string => asPath(jiti.esmResolve(specifier, pathToUrl(importer)));
    const refused = whyRefused(specifier);
    if (refused !== null) throw new MissingImport(specifier, importer, refused);
    try {
      return find(this.#loaded);
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      // What is about something else is about a tsconfig.json, such as that its base is not there: tsc looks for files all the same.
      if (!/MODULE|PACKAGE|IMPORT|BUILTIN/.test(code))
        return this.#findByOwnAliases(find, specifier, importer, error);
      throw code === 'MODULE_NOT_FOUND'
        ? new MissingImport(specifier, importer, whyNotDefined(specifier, importer))
        : new MissingImport(specifier, importer, { code, message });
    }
  }

  #findByOwnAliases(
    find: (jiti: Jiti) => string,
    specifier: string,
    importer: string,
    cause: unknown,
  ): string {
    try {
      return find((this.#jitiOfOwnAliases ??= this.#makeJiti({ alias: this.#ownAliases() })));
    } catch {
      throw new MissingImport(specifier, importer, { cause });
    }
  }

  get #loaded(): Jiti {
    return (this.#jiti ??= this.#makeJiti({ tsconfigPaths: this.#tsconfig() !== undefined }));
  }

  /** The nearest tsconfig.json, and what it says. */
  #tsconfig(): [file: string, text: string] | undefined {
    const [nearest] = Object.entries(tsconfigsAbove(this.#root)).filter(([, text]) => text !== null);
    return nearest as [string, string] | undefined;
  }

  #ownAliases(): Record<string, string> {
    const nearest = this.#tsconfig();
    return nearest === undefined ? {} : aliasesOf(...nearest);
  }

  #makeJiti(options: JitiOptions): Jiti {
    const { createJiti } = this.#requireOwn('jiti') as typeof JitiModule;
    return createJiti(this.#root, { fsCache: false, interopDefault: false, ...options });
  }
}

/** What Node refuses by the name alone, with its code and words. */
function whyRefused(specifier: string): WhyMissing | null {
  if (specifier.startsWith('node:'))
    return { code: 'ERR_UNKNOWN_BUILTIN_MODULE', message: `No such built-in module: ${specifier}` };
  // One letter is a drive of Windows.
  const scheme = /^([a-z][a-z0-9+.-]+:)/i.exec(specifier)?.[1];
  return scheme === undefined || scheme === 'file:'
    ? null
    : {
        code: 'ERR_UNSUPPORTED_ESM_URL_SCHEME',
        message: `Only URLs with a scheme in: file, data, and node are supported by the default ESM loader. Received protocol '${scheme}'`,
      };
}

/** A name that begins so stands in `imports` of a package.json, or nowhere. */
function whyNotDefined(specifier: string, importer: string): WhyMissing | undefined {
  if (!specifier.startsWith('#')) return undefined;
  return {
    code: 'ERR_PACKAGE_IMPORT_NOT_DEFINED',
    message: `Package import specifier "${specifier}" is not defined imported from ${importer}`,
  };
}

function asPath(specifier: string): string {
  return specifier.startsWith('file:') ? decodeURIComponent(new URL(specifier).pathname) : specifier;
}

function pathToUrl(file: string): string {
  return `file://${file.split(path.sep).map(encodeURIComponent).join('/')}`;
}

/** Path aliases come from the tsconfig.json of a folder above: which there are, and what they say. */
export function tsconfigsAbove(file: string): Record<string, string | null> {
  const found: Record<string, string | null> = {};
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const tsconfig = path.join(folder, 'tsconfig.json');
    found[tsconfig] = readText(tsconfig);
    if (folder === path.dirname(folder)) return found;
  }
}
