/** The path aliases of a tsconfig.json by itself: for where the one that it extends is not there, over which tsc goes on as well. */
import path from 'node:path';

/** As jiti takes them: a name and all below it, or a name alone, and the place that is meant. */
export function ownAliases(file: string, text: string): Record<string, string> {
  const { baseUrl = '.', paths = {} } = compilerOptionsIn(text);
  const base = path.resolve(path.dirname(file), baseUrl);
  const aliases: Record<string, string> = {};
  for (const [name, places] of Object.entries(paths)) {
    const [first] = Array.isArray(places) ? (places as unknown[]) : [];
    if (typeof first !== 'string' || name === '*') continue;
    const [from, to] = [name, first].map((one) => one.replace(/\/\*$/, ''));
    if (!`${from}${to}`.includes('*')) aliases[from!] = path.resolve(base, to!);
  }
  return aliases;
}

interface CompilerOptions {
  readonly baseUrl?: string;
  readonly paths?: object;
}

function compilerOptionsIn(text: string): CompilerOptions {
  try {
    return (JSON.parse(asJson(text)) as { compilerOptions?: CompilerOptions }).compilerOptions ?? {};
  } catch {
    return {};
  }
}

const kept = (all: string): string => (all.startsWith('"') ? all : '');

/** Without what tsc lets stand in it: comments, and commas at an end. */
function asJson(text: string): string {
  const STRING = String.raw`"(?:[^"\\]|\\.)*"`;
  return text
    .replace(/^\ufeff/, '')
    .replace(new RegExp(String.raw`${STRING}|//[^\n]*|/\*[^]*?\*/`, 'g'), kept)
    .replace(new RegExp(String.raw`${STRING}|,(?=\s*[}\]])`, 'g'), kept);
}
