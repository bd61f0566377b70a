/** What the system answers instead of doing what it was asked, in words: a code alone helps nobody. */
import type { Refusal } from '../model/failures/phrases.ts';

const CAUSES: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it would be larger than a file may be',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  ENOMEM: 'no memory left',
  EIO: 'the disk reported an error',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENOENT: 'there is no such file or folder',
  EEXIST: 'the name is taken',
  ENOTEMPTY: 'the folder is not empty',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'it is a symbolic link that is not followed',
  EBUSY: 'it is in use, or a mount of its own',
  EXDEV: 'it is on another file system',
  EMLINK: 'it has too many names',
  ETXTBSY: 'it is a program that is running',
  ENXIO: 'there is no device behind it',
  ENODEV: 'there is no device behind it',
  EINVAL: 'the file system cannot do this',
  ENOSYS: 'the system cannot do this',
  ENOTSUP: 'the file system cannot do this',
  EOPNOTSUPP: 'the file system cannot do this',
  ESTALE: 'it is gone from the file server',
  ENOLCK: 'the file server has no locks left',
  ETIMEDOUT: 'the file server does not answer',
  EHOSTDOWN: 'the file server does not answer',
  EAGAIN: 'nothing can be read or written at the moment',
  EPIPE: 'nobody reads it any more',
  ERR_STRING_TOO_LONG: 'it is larger than the 512 MiB that can be read as one text',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than the 2 GiB that can be read at once',
};

/**
 * What file systems without hard links answer to link(2); Linux itself says the first, others all of these. The last one is the
 * kernel's own ENOTSUPP, which some drivers let through and for which nobody outside has a name.
 */
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EINVAL',
  'ENOTTY',
  'Unknown system error -524',
]);

/** The code of a failed system call, such as `ENOENT`; `undefined` for any other error. */
export function errno(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** A failed system call in words, with its code. */
export function causeOf(error: unknown): string {
  return refusalOf(error).cause;
}

/** … and with its kind, for a failure that says what to do then. */
export function refusalOf(error: unknown): Refusal {
  const code = errno(error);
  if (code === undefined) return { cause: error instanceof Error ? error.message : String(error) };
  if ((error as NodeJS.ErrnoException).syscall === 'link' && NO_LINKS.has(code))
    return { cause: `the file system has no hard links (${numbered(code)})`, kind: 'no-hard-links' };
  if (code.startsWith(UNKNOWN))
    return { cause: `the system gave an error that has no name (${numbered(code)})` };
  const words = CAUSES[code] ?? wordsIn((error as Error).message);
  const cause = words.includes(code) ? words : `${words} (${code})`;
  if (code === 'EISDIR') return { cause, kind: 'no-file' };
  return /_TOO_(?:LARGE|LONG)$/.test(code) ? { cause, kind: 'too-large' } : { cause };
}

/** What node makes of a number for which it knows no code. */
const UNKNOWN = 'Unknown system error ';

function numbered(code: string): string {
  return code.startsWith(UNKNOWN) ? `error ${code.slice(UNKNOWN.length).replace('-', '')}` : code;
}

/** Node's own words, without the call and the path that it puts behind them: `ECODE: words, open '/…'`. */
function wordsIn(message: string): string {
  return /^[A-Z]\w+: ([^,]+),/.exec(message)?.[1] ?? message;
}
