/** A file name for any key or name: no file name leads out of its folder, and no two keys share a file name. */
import type { createHash as CreateHash } from 'node:crypto';

/** Most file systems allow 255 bytes; the rest is for endings. */
const LONGEST = 200;

/**
 * Lower-case letters, digits, `_`, `-` and inner dots stay; every other byte becomes `%XX`, in upper case.
 *
 * Capitals are encoded too, and only ASCII is left, because some file systems fold case or Unicode forms together.
 * A name that would be too long ends in a hash of the whole key instead; no other name holds a `~`.
 */
export function fileNameOf(key: string): string {
  const encoded = /^[a-z0-9_-][a-z0-9_.-]*$/.test(key) && !key.endsWith('.') ? key : encode(key);
  if (encoded.length <= LONGEST) return encoded;
  // Only long keys pay for loading crypto.
  const { createHash } = process.getBuiltinModule('node:crypto') as { createHash: typeof CreateHash };
  const hash = createHash('sha256').update(key).digest('hex');
  return `${encoded.slice(0, 80).replace(/%.?$/, '')}~${hash}`;
}

function encode(key: string): string {
  let name = '';
  for (const byte of Buffer.from(key, 'utf8')) {
    const char = String.fromCharCode(byte);
    const dot = char === '.' && name !== '';
    name += /[a-z0-9_-]/.test(char) || dot ? char : percent(byte);
  }
  return name.endsWith('.') ? `${name.slice(0, -1)}%2E` : name;
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** The name that a file name was made of; `null` where it holds a hash, or is none of ours. */
export function nameOfFile(file: string): string | null {
  if (file.includes('~')) return null;
  const bytes: number[] = [];
  for (const [part] of file.matchAll(/%[0-9A-F]{2}|[^]/g))
    bytes.push(part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0));
  const name = Buffer.from(bytes).toString('utf8');
  return fileNameOf(name) === file ? name : null;
}
