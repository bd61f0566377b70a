/** Colours, used with restraint: they repeat what the words say. */
import type { OutStream, Terminal } from '../terminal.ts';

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
}

const plain = (text: string): string => text;

/** No colours. */
export const noPaint: Paint = { good: plain, bad: plain, warn: plain, dim: plain, strong: plain };

/** Colours for a stream, or none: not without a terminal, nor where somebody asked for none. */
export async function paintFor(stream: OutStream, { env }: Terminal, color: boolean): Promise<Paint> {
  const wanted = color && stream.isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  if (!wanted) return noPaint;
  // Loaded for a terminal only. chalk knows nothing of NO_COLOR: its level is set here, once.
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return { good: chalk.green, bad: chalk.red, warn: chalk.yellow, dim: chalk.dim, strong: chalk.bold };
}
