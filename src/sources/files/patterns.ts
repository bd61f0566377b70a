/** Which paths are meant. */
import picomatch from 'picomatch';

/** What browsers, editors and those who copy give to files that are not whole yet. */
const BEING_WRITTEN = /(?:\.(?:part|partial|filepart|crdownload|download|tmp|temp|swp|swx|lock)|~)$/i;

export interface Patterns {
  /** The folders, relative, below which all that is meant lies; `''` is the whole. */
  readonly bases: readonly string[];
  matches(file: string): boolean;
  /** Whether something below this folder may be meant. */
  mayHold(folder: string): boolean;
}

export function patternsFrom(patterns: readonly string[], ignore: readonly string[]): Patterns {
  const bases = patterns.map((pattern) => {
    const { base, isGlob } = picomatch.scan(pattern);
    return isGlob ? base : pattern.split('/').slice(0, -1).join('/');
  });
  const wanted = picomatch([...patterns]);
  const isIgnored = ignore.length === 0 ? () => false : picomatch([...ignore], { dot: true });
  // Somebody who asks for `*.tmp` means it.
  const isAsked = patterns.some((pattern) => BEING_WRITTEN.test(pattern));
  const isDeep = patterns.some((pattern) => pattern.includes('**') || /[({!]/.test(pattern));
  const depth = Math.max(...patterns.map((pattern) => pattern.split('/').length));
  return {
    bases: bases.filter(
      (base, at) => !bases.some((other, where) => covers(other, base) && (other !== base || where < at)),
    ),
    matches: (file) => {
      // The pattern is typed on a keyboard; the name may be of a system that takes letters apart.
      const name = file.normalize('NFC');
      return wanted(name) && !isIgnored(name) && (isAsked || !BEING_WRITTEN.test(name));
    },
    mayHold: (folder) => {
      const name = folder.slice(folder.lastIndexOf('/') + 1);
      if (name === 'node_modules' || isIgnored(folder) || isIgnored(`${folder}/`)) return false;
      if (name.startsWith('.') && !patterns.some((pattern) => pattern.includes(name))) return false;
      return isDeep || folder.split('/').length < depth;
    },
  };
}

function covers(outer: string, inner: string): boolean {
  return outer === '' || outer === inner || inner.startsWith(`${outer}/`);
}
