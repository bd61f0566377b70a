/** Syntax that would be compiled to something else than it says: refused with its place, before any of the file runs. */

const NO_DECORATORS =
  'decorators are not supported in a pipeline file and what it imports: call the function yourself, as in const make = logged(…)';

const NO_USING =
  'using at the top level of a file is not supported, since what the file exports would be lost: put it into a function';

/** What is asked of Babel, as far as it is asked for. */
interface Node {
  readonly kind?: string;
  readonly loc?: { readonly start: { readonly line: number; readonly column: number } };
}

interface ProgramPath {
  readonly node: { readonly body: readonly Node[] };
  traverse(visitor: { readonly Decorator: (path: { readonly node: Node }) => void }): void;
}

/** A plugin for Babel. `null` for most files: to look at each of their nodes would take time. */
export function refusingPlugin(source: string): (() => object) | null {
  if (!/@|\busing\b/.test(source)) return null;
  return () => ({
    // Before all other plugins, some of which change what they find.
    pre: ({ path }: { readonly path: ProgramPath }): void => {
      for (const node of path.node.body) if (node.kind?.endsWith('using')) refuse(node, NO_USING);
      path.traverse({ Decorator: ({ node }) => refuse(node, NO_DECORATORS) });
    },
  });
}

function refuse({ loc }: Node, message: string): never {
  throw Object.assign(new SyntaxError(message), { loc: loc?.start });
}

/** What the compiler says of syntax that it does not know, without its advice to those who set it up. */
export function wordsForSyntax(message: string): string {
  const name = /^Support for the experimental syntax '(\w+)'/.exec(message)?.[1];
  if (name === undefined) return message.trim();
  return name === 'decorators' ? NO_DECORATORS : `syntax that is not supported here (${name})`;
}
