/** Which requests are not answered: whoever has not been given the address, other sites, and names that lead here by a trick. Pure. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface Refusal {
  readonly status: 403 | 405;
  readonly words: string;
}

export interface Asked {
  readonly method: string;
  /** The first part of the path. */
  readonly token: string;
  readonly headers: IncomingHttpHeaders;
}

/** `null`: it is answered. */
export function refusalOf({ method, token, headers }: Asked, expected: string): Refusal | null {
  const { host = '', origin } = headers;
  // A name of somebody else's that was made to mean 127.0.0.1. The port may be another one: that of a tunnel.
  if (!/^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/i.test(host))
    return refused(
      `asked for as ${host === '' ? 'nobody' : host}: this page answers as 127.0.0.1 and localhost only`,
    );
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, words: 'this page is only for reading: GET and HEAD' };
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return refused('another site asked: this page answers its own questions only');
  if (isOfAnotherSite(headers))
    return refused('another site asked: this page answers its own questions only');
  if (!isSame(token, expected))
    return refused(
      'this is not the address that dynpart ui has printed: open that one, with all that is behind the port',
    );
  return null;
}

/** What a browser says of who asks. To be opened by a link, as from a terminal in a browser, is no question of another site's. */
function isOfAnotherSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document';
}

function isSame(token: string, expected: string): boolean {
  const [one, other] = [Buffer.from(token), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function refused(words: string): Refusal {
  return { status: 403, words };
}
