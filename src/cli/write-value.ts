/** Writes a value to stdout as it is kept; on a terminal only what can be shown there. */
import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import { io, openIfThere } from '../files/durable-files.ts';
import { fail } from '../model/failure.ts';
import { clean, counted, isDangerous } from '../model/text.ts';
import type { FoundValue } from '../values/find-value.ts';
import type { OutStream } from './terminal.ts';

const CHUNK = 64 * 1024;

/** More than this nobody reads on a terminal. */
const MOST_SHOWN = 1024 * 1024;

/**
 * A value's file, piece by piece: it may be larger than the memory.
 * @param command what writes it, for a hint
 * @returns `false` where the file is not there any more: it has been put in its place meanwhile
 */
export function writeValueFile(stdout: OutStream, { file, kind }: FoundValue, command: string): boolean {
  if (kind === 'nothing') return true;
  const fd = io('read', file, () => openIfThere(file));
  if (fd === null) return false;
  try {
    if (stdout.isTerminal) {
      const { size } = fs.fstatSync(fd);
      if (size > MOST_SHOWN) refuse(size, 'too much for a terminal', command);
      const bytes = io('read', file, () => fs.readFileSync(fd));
      if (kind === 'json') stdout.write(clean(bytes.toString('utf8')));
      else writeBytes(stdout, bytes, command);
      return true;
    }
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const read = io('read', file, () => fs.readSync(fd, chunk));
      if (read === 0) return true;
      stdout.write(chunk.subarray(0, read));
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Bytes that are no text would disturb a terminal. */
export function writeBytes(stdout: OutStream, bytes: Uint8Array, command: string): void {
  if (!stdout.isTerminal) return stdout.write(bytes);
  const text = isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : null;
  if (text === null || isDangerous(text.replaceAll(/[\n\t]/g, '')))
    return refuse(bytes.length, 'no text', command);
  stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

function refuse(size: number, what: string, command: string): never {
  return fail({
    reason: 'usage',
    message: `the value is ${counted(size, 'byte')}, ${what}`,
    hint: `into a file: ${command} > FILE`,
  });
}
