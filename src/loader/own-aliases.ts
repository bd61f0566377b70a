/** The path aliases of a tsconfig.json, over bases that are not there: tsc goes on over them as well. */
import path from 'node:path';
import { readText } from './module-pack.ts';

/** As jiti takes them: a name and all below it, or a name alone, and the place that is meant. */
export function aliasesOf(file: string, text: string): Record<string, string> {
  const { baseUrl, folder, paths = {} } = mappingOf(file, text, new Set());
  const base = baseUrl ?? folder ?? path.dirname(file);
  const aliases: Record<string, string> = {};
  for (const [name, places] of Object.entries(paths)) {
    const [first] = Array.isArray(places) ? (places as unknown[]) : [];
    if (typeof first !== 'string' || name === '*') continue;
    const [from, to] = [name, first].map((one) => one.replace(/\/\*$/, ''));
    if (!`${from}${to}`.includes('*')) aliases[from!] = path.resolve(base, to!);
  }
  return aliases;
}

/** What a file and those that it extends say together: of each field the last word. */
interface Mapping {
  readonly baseUrl?: string;
  readonly paths?: object;
  /** Of the file in which `paths` stand. */
  readonly folder?: string;
}

interface Tsconfig {
  readonly extends?: unknown;
  readonly compilerOptions?: { readonly baseUrl?: unknown; readonly paths?: unknown };
}

/** @param above the files that extend this one */
function mappingOf(file: string, text: string, above: ReadonlySet<string>): Mapping {
  const config = parsed(text);
  const { baseUrl, paths } = config.compilerOptions ?? {};
  const folder = path.dirname(file);
  let mapping: Mapping = {};
  for (const name of [config.extends].flat()) {
    const base = typeof name === 'string' ? baseIn(folder, name) : null;
    if (base === null || base.file === file || above.has(base.file)) continue;
    mapping = { ...mapping, ...mappingOf(base.file, base.text, new Set([...above, file])) };
  }
  return {
    ...mapping,
    ...(typeof baseUrl === 'string' && { baseUrl: path.resolve(folder, baseUrl) }),
    ...(typeof paths === 'object' && paths !== null && { paths, folder }),
  };
}

/** The file that is extended, where it is there. */
function baseIn(folder: string, name: string): { readonly file: string; readonly text: string } | null {
  const isPath = /^\.{0,2}\//.test(name);
  const places = isPath ? [path.resolve(folder, name)] : packagePlaces(folder, name);
  for (const place of places.flatMap((one) => [one, `${one}.json`, path.join(one, 'tsconfig.json')])) {
    const text = readText(place);
    if (text !== null) return { file: place, text };
  }
  return null;
}

function packagePlaces(folder: string, name: string): string[] {
  const place = path.join(folder, 'node_modules', name);
  const above = path.dirname(folder);
  return above === folder ? [place] : [place, ...packagePlaces(above, name)];
}

function parsed(text: string): Tsconfig {
  try {
    return (JSON.parse(asJson(text)) as Tsconfig | null) ?? {};
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
