/** Tells apart why a pipeline file did not load. */
import path from 'node:path';
import type { Failure } from '../model/failure.ts';
import { PipelineError } from '../definitions/pipeline.ts';
import { describeThrown } from '../model/thrown.ts';
import { MissingImport } from './compiler.ts';
import { readText, UnreadableFile } from './module-pack.ts';
import { causeOf } from '../files/durable-files.ts';
import { PipelineSyntaxError } from './module-runner.ts';
import { wordsForSyntax } from './refused-syntax.ts';
import { whatKeepsFrom } from './what-keeps-from.ts';

/** A failure for what was thrown while a pipeline file was imported. */
export function failureOfLoading(error: unknown, file: string): Failure {
  const problems = PipelineError.problemsOf(error);
  if (problems !== undefined) return { reason: 'pipeline-invalid', file, problems };
  if (error instanceof UnreadableFile)
    return { reason: 'pipeline-unreadable', file: error.file, cause: causeOf(error.cause) };
  return (
    syntaxFailure(error, file) ??
    missingImport(error, file) ?? { reason: 'pipeline-threw', file, ...describeThrown(error) }
  );
}

function syntaxFailure(error: unknown, file: string): Failure | undefined {
  if (error instanceof PipelineSyntaxError) {
    const { filename, line, column, message } = error.problem;
    return syntaxAt(file, { where: filename, line, column: column + 1 }, wordsForSyntax(message));
  }
  if (!(error instanceof SyntaxError)) return undefined;
  // V8 puts the place before everything else; an error that code threw itself, as JSON.parse does, begins with its name.
  const match = /^(\/[^\n:]*):(\d+)\n/.exec(error.stack ?? '');
  if (match === null) return undefined;
  return syntaxAt(file, { where: match[1]!, line: Number(match[2]), column: 1 }, error.message);
}

function syntaxAt(
  file: string,
  { where, line, column }: { readonly where: string; readonly line: number; readonly column: number },
  message: string,
): Failure {
  // Some problems have no place of their own.
  const place = line === 0 ? where : `${where}:${line}:${column}`;
  return { reason: 'pipeline-syntax', file, place, message, excerpt: excerptOf(where, line, column) };
}

function missingImport(error: unknown, file: string): Failure | undefined {
  if (error instanceof MissingImport) {
    const { specifier, importer } = error;
    const imported = path.resolve(path.dirname(importer), specifier);
    const cause = /^[./]/.test(specifier) ? whatKeepsFrom(imported) : null;
    if (cause !== null) return { reason: 'pipeline-unreadable', file: imported, cause };
    return { reason: 'pipeline-import-missing', file, place: placeOfImport(specifier, importer), specifier };
  }
  if (!(error instanceof Error)) return undefined;
  // `require` in the file itself, or a package that was found and misses something of its own.
  const { code, message, requireStack } = error as NodeJS.ErrnoException & {
    readonly requireStack?: readonly string[];
  };
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const specifier = /Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
  const importer = requireStack?.[0];
  if (specifier === undefined) return undefined;
  return {
    reason: 'pipeline-import-missing',
    file,
    place: importer === undefined ? null : placeOfImport(specifier, importer),
    specifier,
  };
}

/** The line of the importing file that names it. */
function placeOfImport(specifier: string, importer: string): string | null {
  for (const [at, line] of (readText(importer) ?? '').split('\n').entries()) {
    const column = [`'${specifier}'`, `"${specifier}"`]
      .map((written) => line.indexOf(written))
      .find((found) => found !== -1);
    if (column !== undefined && /import|require|from/.test(line))
      return `${importer}:${at + 1}:${column + 1}`;
  }
  return importer;
}

function excerptOf(file: string, line: number, column: number): string {
  const text = readText(file)?.split('\n')[line - 1];
  if (text === undefined) return '';
  const number = String(line);
  return `  ${number} | ${text.slice(0, 160)}\n  ${' '.repeat(number.length)} | ${' '.repeat(Math.max(0, column - 1))}^`;
}
