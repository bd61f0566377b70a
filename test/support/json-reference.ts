/** The reference of what `--json` prints, read. */
import fs from 'node:fs';
import path from 'node:path';
import { root } from './project.ts';
import type { Field, Shape } from './shape.ts';

/** The shape of each entry's result, by the words in front of it. */
export function readReference(text = page()): ReadonlyMap<string, Shape> {
  const block = /^## JSON$[^]*?^```text\n([^]*?)^```/m.exec(text)![1]!;
  const entries = block.split(/\n(?=\S)/).map((entry): [string, string] => {
    const [, words, rest] = /^(\S(?: ?\S)*) {2,}([^]*)$/.exec(entry)!;
    return [words!, rest!];
  });
  const named = new Map(entries.filter(([words]) => /^(?:[A-Z]+|error)$/.test(words)));
  return new Map(
    entries
      .filter(([words]) => !named.has(words))
      .map(([words, shape]) => [words, new Reader(shape, named).read()]),
  );
}

function page(): string {
  return fs.readFileSync(path.join(root, 'docs/reference.md'), 'utf8');
}

/** Reads one shape. What stands behind it, or behind two blanks at the end of a line, is said to people. */
class Reader {
  readonly #text: string;
  readonly #named: ReadonlyMap<string, string>;
  #at = 0;

  constructor(text: string, named: ReadonlyMap<string, string>) {
    this.#text = text;
    this.#named = named;
  }

  read(): Shape {
    const shapes = [this.#one()];
    while (this.#takes(' or ')) shapes.push(this.#one());
    const isNullable = shapes.includes(null);
    const present = shapes.filter((shape) => shape !== null);
    if (present.length > 1) return { oneOf: present };
    return isNullable ? nullable(present[0]!) : present[0]!;
  }

  #one(): Shape | null {
    if (this.#takes('{')) return this.#object();
    if (this.#takes('[')) {
      if (this.#takes(']')) return { list: 'value' };
      const list = this.#one()!;
      this.#expect(']');
      return { list };
    }
    const name = this.#word(/[A-Za-z]+/y);
    if (name === 'null') return null;
    const meant = this.#named.get(name);
    return this.#orNull(meant === undefined ? 'value' : new Reader(meant, this.#named).read());
  }

  #object(): Shape {
    const fields = new Map<string, Field>();
    if (this.#takes('}')) return 'map';
    do {
      this.#skipRemark();
      const name = this.#word(/"[^"]+"/y).slice(1, -1);
      const isOptional = this.#takes('?');
      const shape = this.#takes(':') ? this.#one()! : this.#leaf(name);
      fields.set(name, { shape, isOptional });
    } while (this.#takes(','));
    this.#expect('}');
    return this.#orNull({ fields, isNullable: false });
  }

  /** `error` is of one kind, wherever it stands. */
  #leaf(name: string): Shape {
    const meant = name === 'error' ? this.#named.get('error') : undefined;
    return meant === undefined ? 'value' : new Reader(meant, this.#named).read();
  }

  #orNull(shape: Shape): Shape {
    return this.#takes('|null') ? nullable(shape) : shape;
  }

  #skipRemark(): void {
    this.#word(/(?: {2,}[^\s"][^\n]*)?\s*/y);
  }

  #takes(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw new Error(`${text} is missing before: ${this.#text.slice(this.#at)}`);
  }

  #word(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const word = pattern.exec(this.#text)?.[0];
    if (word === undefined) throw new Error(`this cannot be read: ${this.#text.slice(this.#at)}`);
    this.#at += word.length;
    return word;
  }
}

/** Of what is no object it is not written everywhere. */
function nullable(shape: Shape): Shape {
  return typeof shape === 'object' && 'fields' in shape ? { ...shape, isNullable: true } : shape;
}
