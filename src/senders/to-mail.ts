/** Tells by mail, through the `sendmail` of the machine. */
import type { Notify } from '../definitions/notify.ts';
import { runWith } from './to-command.ts';

/** The options of `toMail()`. */
export interface MailOptions {
  /** Default: whatever sendmail says, mostly the user at this machine. */
  readonly from?: string;
  /** The program that sends. Default `/usr/sbin/sendmail`, which Postfix, Exim, msmtp and others bring with them. */
  readonly sendmail?: string;
}

/**
 * For `send` of `notify`: a mail with the text of the message.
 *
 * @param to one address, or several
 * @example
 * notify: [{ on: ['run-failed', 'sensor-failed', 'recovered'], remindEvery: '1d', send: toMail('data@example.org') }]
 */
export function toMail(
  to: string | readonly string[],
  { from, sendmail = '/usr/sbin/sendmail' }: MailOptions = {},
): Notify['send'] {
  const addresses = typeof to === 'string' ? [to] : [...to];
  for (const address of [...addresses, ...(from === undefined ? [] : [from])])
    if (!isAddress(address))
      throw new TypeError(
        `toMail takes addresses such as 'data@example.org', not ${JSON.stringify(address)}`,
      );
  if (addresses.length === 0) throw new TypeError('toMail takes an address');
  const sender = from === undefined ? [] : ['-f', from];
  return ({ subject, text, signal }) =>
    runWith(sendmail, ['-i', ...sender, ...addresses], {
      input: mail({ to: addresses, from, subject, text }),
      signal,
    });
}

/** No blank and no control character, so that it is no header of its own, and no option of sendmail. */
function isAddress(address: unknown): boolean {
  return typeof address === 'string' && /^[^-]/.test(address) && !ODD.test(address);
}

// oxlint-disable-next-line no-control-regex -- naming the control characters is the point
const ODD = /[\s\u0000-\u001f\u007f,<>]/;

function mail({
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
