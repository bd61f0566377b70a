/** Tells by mail, through the `sendmail` of the machine. */
import type { Notify } from '../definitions/notify.ts';

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
  return async ({ subject, text, signal }) => {
    const [{ mailOf }, { runWith }] = await Promise.all([import('./mail-of.ts'), import('./run-with.ts')]);
    const input = mailOf({ to: addresses, from, subject, text });
    await runWith(sendmail, ['-i', ...sender, ...addresses], { input, signal });
  };
}

/** No blank and no control character, so that it is no header of its own, and no option of sendmail. */
function isAddress(address: unknown): boolean {
  return typeof address === 'string' && /^[^-]/.test(address) && !ODD.test(address);
}

// oxlint-disable-next-line no-control-regex -- naming the control characters is the point
const ODD = /[\s\u0000-\u001f\u007f,<>]/;
