/** A mail as text: headers that every server takes, whatever stands in them. */

export function mailOf({
  to,
  from,
  subject,
  text,
}: {
  readonly to: readonly string[];
  readonly from: string | undefined;
  readonly subject: string;
  readonly text: string;
}): string {
  // In lines that every server takes, whatever stands in the text.
  const body = Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\n');
  return [
    ...(from === undefined ? [] : [`From: ${from}`]),
    `To: ${to.join(', ')}`,
    `Subject: ${encodedWords(`dynpart: ${subject}`)}`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    body,
    '',
  ].join('\n');
}

/** A header as RFC 2047 has it, where it is not plain: words of at most 75 characters, none of which cuts a letter. */
function encodedWords(text: string): string {
  if (/^[\x20-\x7e]{1,200}$/.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let part = '';
  for (const char of text) {
    if (Buffer.byteLength(part + char) > 42) {
      words.push(part);
      part = '';
    }
    part += char;
  }
  return [...words, part].map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\n ');
}
