/** Posts a message to an address. */
import type { NotifyMessage } from '../definitions/notify.ts';

/** Longer texts are cut: Slack takes no more than 40,000 characters. */
const SLACK_LIMIT = 30_000;

export async function post(
  address: URL,
  { incidents, subject, text, signal }: NotifyMessage,
  {
    format,
    headers,
  }: { readonly format: 'json' | 'slack'; readonly headers: Readonly<Record<string, string>> },
): Promise<void> {
  const body = format === 'slack' ? { text: forSlack(text) } : { subject, text, incidents };
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  });
  // Without this the connection would be kept until the answer is read.
  await response.body?.cancel();
  if (!response.ok)
    throw new Error(`${address.host} answered ${response.status} ${response.statusText}`.trim());
}

/** Slack reads these three as its own. */
function forSlack(text: string): string {
  const shown = text.length <= SLACK_LIMIT ? text : `${text.slice(0, SLACK_LIMIT).toWellFormed()}\n…`;
  return shown.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
