/** Tells by a webhook: JSON, or what Slack takes. */
import type { Notify } from '../definitions/notify.ts';
import { plainText, type Secret } from '../definitions/secret.ts';

/** Longer texts are cut: Slack takes no more than 40,000 characters. */
const SLACK_LIMIT = 30_000;

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
  return async ({ incidents, subject, text, signal }) => {
    const body = format === 'slack' ? { text: forSlack(text) } : { subject, text, incidents };
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization, ...Object.fromEntries(own) },
      body: JSON.stringify(body),
      signal,
    });
    // Without this the connection would be kept until the answer is read.
    await response.body?.cancel();
    if (!response.ok)
      throw new Error(`${address.host} answered ${response.status} ${response.statusText}`.trim());
  };
}

function addressIn(text: unknown): { readonly address: URL; readonly authorization: Record<string, string> } {
  const address = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  // What was given is not repeated: it may hold a token.
  if (address === null || !/^https?:$/.test(address.protocol))
    throw new TypeError('toWebhook takes an address such as https://example.org/hook');
  const { username, password } = address;
  if (username === '' && password === '') return { address, authorization: {} };
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  [address.username, address.password] = ['', ''];
  return { address, authorization: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}

/** Slack reads these three as its own. */
function forSlack(text: string): string {
  const shown = text.length <= SLACK_LIMIT ? text : `${text.slice(0, SLACK_LIMIT).toWellFormed()}\n…`;
  return shown.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
