/** Tells apart why a pipeline file did not load. */
import fs from 'node:fs';
import type { Failure } from '../definitions/failure.ts';
import { PipelineError } from '../definitions/pipeline.ts';
import { placeInFrame } from '../definitions/place.ts';
import { describeThrown } from '../definitions/user-code.ts';

/** A failure for what was thrown while a pipeline file was imported. */
export function failureOfLoading(error: unknown, file: string): Failure {
  const problems = PipelineError.problemsOf(error);
  if (problems !== undefined) return { reason: 'pipeline-invalid', file, problems };
  return (
    syntaxFailure(error, file) ??
    missingImport(error, file) ?? { reason: 'pipeline-threw', file, ...describeThrown(error) }
  );
}

/** jiti's parser says what, and on a line of its own where; V8 says it in the first line of the stack. */
function syntaxFailure(error: unknown, file: string): Failure | undefined {
  if (!(error instanceof Error) || !/ParseError|SyntaxError/.test(`${error.name} ${error.message}`))
    return undefined;
  const text = `${error.message}\n${error.stack ?? ''}`;
  const match = /^\s*(?:at .*\()?((?:\/|[A-Za-z]:[\\/])[^\n:]*):(\d+)(?::(\d+))?\)?\s*$/m.exec(text);
  if (match === null) return undefined;
  const [, where = file, line = '1'] = match;
  // The parser counts columns from 0.
  const column = match[3] === undefined ? 1 : Number(match[3]) + 1;
  if (where.includes('/node_modules/')) return undefined;
  const message = error.message
    .split('\n')[0]!
    .replace(/^(ParseError|SyntaxError): /, '')
    .trim();
  return {
    reason: 'pipeline-syntax',
    file,
    place: `${where}:${line}:${column}`,
    message,
    excerpt: excerptOf(where, Number(line), column),
  };
}

function missingImport(error: unknown, file: string): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const specifier = /Cannot find (?:module|package) '([^']+)'/.exec(error.message)?.[1];
  if (specifier === undefined) return undefined;
  return { reason: 'pipeline-import-missing', file, ...placeOfImport(error, specifier, file) };
}

/** The line of the user's file that imports it: the nearest file on the error's own list that names it. */
function placeOfImport(
  error: Error,
  specifier: string,
  file: string,
): { place: string | null; specifier: string } {
  const named = [...error.message.matchAll(/(?:imported from |^- )(\/[^\n']+)/gm)].map(([, name]) => name!);
  const frames = (error.stack ?? '')
    .split('\n')
    .map(placeInFrame)
    .filter((place) => place !== null)
    .map((place) => place.replace(/:\d+:\d+$/, ''));
  for (const candidate of [...named, ...frames, file]) {
    const text = readQuietly(candidate);
    if (text === null || candidate.includes('/node_modules/jiti/')) continue;
    for (const [at, line] of text.split('\n').entries()) {
      const written = /(?:from|import|require\()\s*\(?\s*(['"])(.+?)\1/.exec(line);
      if (written === null || !isMeant(written[2]!, specifier)) continue;
      return { place: `${candidate}:${at + 1}:${line.indexOf(written[2]!) + 1}`, specifier: written[2]! };
    }
  }
  return { place: null, specifier };
}

/** The error may name the whole path of what the user wrote as `./x`. */
function isMeant(written: string, specifier: string): boolean {
  if (written === specifier) return true;
  return (
    specifier.startsWith('/') &&
    written.startsWith('.') &&
    specifier.endsWith(written.replace(/^(\.\.?\/)+/, '/'))
  );
}

function excerptOf(file: string, line: number, column: number): string {
  const text = readQuietly(file)?.split('\n')[line - 1];
  if (text === undefined) return '';
  const number = String(line);
  return `  ${number} | ${text.slice(0, 160)}\n  ${' '.repeat(number.length)} | ${' '.repeat(Math.max(0, column - 1))}^`;
}

function readQuietly(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
