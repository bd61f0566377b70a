/** Tells by a webhook: JSON, or what Slack takes. */
import type { Notify } from '../definitions/notify.ts';
import { plainText, type Secret } from '../definitions/secret.ts';

/** The options of `toWebhook()`. */
export interface WebhookOptions {
  /** `'json'` (default): `{ "subject", "text", "incidents": [...] }`. `'slack'`: `{ "text" }`, which Mattermost and others take, too. */
  readonly format?: 'json' | 'slack';
  /** Sent besides; a value may be a `secret()`. */
  readonly headers?: Readonly<Record<string, string | Secret>>;
}

/**
 * For `send` of `notify`: a POST to an address. It has failed when the answer is none of 200 to 299. The address is never shown, only
 * its host: with many services it is the password.
 *
 * @param url may be a `secret()`; a user and password in it become a header
 * @example
 * notify: [{ on: ['run-failed', 'recovered'], send: toWebhook(process.env.SLACK_URL!, { format: 'slack' }) }]
 */
export function toWebhook(
  url: string | URL | Secret,
  { format = 'json', headers = {} }: WebhookOptions = {},
): Notify['send'] {
  const { address, authorization } = addressIn(url instanceof URL ? url.href : plainText(url));
  if (format !== 'json' && format !== 'slack')
    throw new TypeError("format of toWebhook must be 'json' or 'slack'");
  const own = Object.entries(headers).map(([name, value]) => [name, plainText(value)] as const);
  for (const [name, value] of own) checkHeader(name, value);
  return async (message) =>
    (await import('./post.ts')).post(address, message, {
      format,
      headers: { ...authorization, ...Object.fromEntries(own) },
    });
}

/** What cannot be sent is refused at once, and without the value: `fetch` would repeat it. */
function checkHeader(name: string, value: unknown): void {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    throw new TypeError(`headers of toWebhook has ${JSON.stringify(name)}, which is no name of a header`);
  // As fetch does, which drops blanks and line breaks around a value.
  if (typeof value !== 'string' || UNSENDABLE.test(value.trim()))
    throw new TypeError(
      `header ${JSON.stringify(name)} of toWebhook must be a text without line breaks or letters beyond Latin-1`,
    );
}

// oxlint-disable-next-line no-control-regex -- naming the control characters is the point
const UNSENDABLE = /[\u0000\n\r]|[^\u0000-\u00ff]/;

function addressIn(text: unknown): { readonly address: URL; readonly authorization: Record<string, string> } {
  const address = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  // What was given is not repeated: it may hold a token.
  if (address === null || !/^https?:$/.test(address.protocol))
    throw new TypeError('toWebhook takes an address such as https://example.org/hook');
  const { username, password } = address;
  if (username === '' && password === '') return { address, authorization: {} };
  const user = `${decoded(username)}:${decoded(password)}`;
  [address.username, address.password] = ['', ''];
  return { address, authorization: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}

/** A `%` that stands for itself is left as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
