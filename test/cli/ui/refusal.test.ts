/** Who gets no answer from `dynpart ui`. */
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../src/cli/ui/refusal.ts';

const SECRET = 'abcdefghijklmnopqrstuv';

function statusOf(
  headers: Readonly<Record<string, string>>,
  { method = 'GET', token = SECRET }: { method?: string; token?: string } = {},
): number {
  return refusalOf({ method, token, headers: { host: '127.0.0.1:4747', ...headers } }, SECRET)?.status ?? 200;
}

describe('a request', () => {
  it.each(['127.0.0.1:4747', 'localhost:4747', 'LOCALHOST:1', '127.0.0.1', 'localhost:65535'])(
    'to this machine is answered, whatever the port of a tunnel: %s',
    (host) => expect(statusOf({ host })).toBe(200),
  );

  it.each([
    '',
    'evil.example',
    'evil.example:4747',
    '127.0.0.1.evil.example:4747',
    'localhost.evil.example',
    'evil.example#localhost',
    'localhost@evil.example',
    '127.0.0.2:4747',
    '192.168.1.2:4747',
    '[::1]:4747',
    '0.0.0.0:4747',
    'localhost:4747, evil.example',
    'localhost:4747\nevil',
    'localhost:',
  ])('to a name that is not this machine’s is refused: %j', (host) => expect(statusOf({ host })).toBe(403));

  it('says which name it was', () => {
    expect(
      refusalOf({ method: 'GET', token: SECRET, headers: { host: 'evil.example' } }, SECRET)?.words,
    ).toContain('evil.example');
  });

  it.each([
    'http://evil.example',
    'null',
    'https://127.0.0.1:4747',
    'http://127.0.0.1:1',
    'http://localhost:4747',
    '',
  ])('of another origin is refused: %j', (origin) => expect(statusOf({ origin })).toBe(403));

  it('of its own origin is answered', () => {
    expect(statusOf({ origin: 'http://127.0.0.1:4747' })).toBe(200);
    expect(statusOf({ host: 'localhost:8080', origin: 'http://localhost:8080' })).toBe(200);
  });

  it.each([
    ['same-origin', 'cors', 'empty', 200],
    ['none', 'navigate', 'document', 200],
    // A link in a terminal that is a web page.
    ['cross-site', 'navigate', 'document', 200],
    ['cross-site', 'navigate', 'iframe', 403],
    ['cross-site', 'no-cors', 'script', 403],
    ['cross-site', 'no-cors', 'image', 403],
    ['same-site', 'cors', 'empty', 403],
    ['same-site', 'no-cors', 'style', 403],
  ])('of a browser that says %s, %s, %s: %i', (site, mode, dest, status) =>
    expect(statusOf({ 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest })).toBe(status),
  );

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'get'])(
    'that is more than a look is refused: %s',
    (method) => expect(statusOf({}, { method })).toBe(405),
  );

  it.each(['', 'x', SECRET.slice(1), `${SECRET}x`, SECRET.toUpperCase(), 'ä'.repeat(11), 'data.json'])(
    'without the secret is refused: %j',
    (token) => expect(statusOf({}, { token })).toBe(403),
  );
});
