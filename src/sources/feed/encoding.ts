/** The bytes of a feed → its text, in whichever encoding it is, and whatever server and first line say of it. */

/**
 * In the order of RFC 7303 and XML 1.0, appendix F: the byte order mark, units of two or four bytes, the server, the first
 * line, UTF-8. Where server and first line disagree and the bytes are UTF-8, that is what they are: servers say
 * `iso-8859-1` of everything. What nobody names and is no UTF-8 is read as windows-1252, as browsers do.
 */
export function decodeText(bytes: Uint8Array, contentType: string | null = null): string {
  const start = Buffer.from(bytes.subarray(0, 1024));
  const shown = shownBy(start);
  if (shown === 'utf-32be' || shown === 'utf-32le') return decodeUtf32(bytes, shown === 'utf-32le');
  if (shown !== null) return new TextDecoder(shown).decode(bytes);
  const declared = /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([^"'>]+)/.exec(start.toString('latin1'))?.[1];
  const served = /;\s*charset\s*=\s*"?\s*([\w.:-]+)/i.exec(contentType ?? '')?.[1];
  const named = [served, declared].flatMap((label) => known(label) ?? []);
  // UTF-16 without a sign of it is not UTF-16: its first line could not be read otherwise.
  const [first = null] = named.filter((label) => !label.startsWith('utf-16'));
  if (first === null || named.includes('utf-8'))
    return asUtf8(bytes) ?? decodeAs(first ?? 'windows-1252', bytes);
  return decodeAs(first, bytes);
}

function decodeAs(label: string, bytes: Uint8Array): string {
  if (label === 'windows-1252') {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    return text.replace(/[\x80-\x9f]/g, (sign) => WINDOWS_1252[sign.charCodeAt(0) - 0x80]!);
  }
  return new TextDecoder(label).decode(bytes);
}

/** 0x80 to 0x9f, which Node 20 to 22 take for control characters (nodejs/node#56542). */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

function asUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The encoding by the name that Node has for it; `null` for names that nobody knows. */
function known(label: string | undefined): string | null {
  try {
    return label === undefined ? null : new TextDecoder(label.trim()).encoding;
  } catch {
    return null;
  }
}

/** A byte order mark, or `<` in units of two or four bytes. */
function shownBy(start: Buffer): string | null {
  const first = start.toString('hex', 0, 4);
  if (/^(?:0000feff|0000003c)/.test(first)) return 'utf-32be';
  if (/^(?:fffe0000|3c000000)/.test(first)) return 'utf-32le';
  if (/^(?:feff|003c00)/.test(first)) return 'utf-16be';
  if (/^(?:fffe|3c00)/.test(first)) return 'utf-16le';
  return first.startsWith('efbbbf') ? 'utf-8' : null;
}

/** The one that XML allows and Node does not know. */
function decodeUtf32(bytes: Uint8Array, isLittleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength - (bytes.byteLength % 4));
  const parts: string[] = [];
  for (let at = 0; at < view.byteLength; at += 4) {
    const code = view.getUint32(at, isLittleEndian);
    parts.push(code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code));
  }
  return parts
    .join('')
    .toWellFormed()
    .replace(/^\ufeff/, '');
}
