/** Why a server could not be asked, by what node and undici throw. */
import { expect, it } from 'vitest';
import { isPassing, networkWords } from '../../src/model/network-words.ts';

const coded = (code: string, more: object = {}): Error =>
  Object.assign(new Error('no words'), { code, ...more });

it.each<[unknown, string, boolean]>([
  [coded('ECONNREFUSED'), 'db refuses the connection (ECONNREFUSED)', true],
  [
    new TypeError('fetch failed', { cause: coded('UND_ERR_SOCKET') }),
    'db broke off the connection (UND_ERR_SOCKET)',
    true,
  ],
  // One for each address of the host.
  [
    new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')]),
    'db cannot be reached (ENETUNREACH)',
    true,
  ],
  [
    coded('ERR_TLS_CERT_ALTNAME_INVALID', { cert: { subjectaltname: 'DNS:other' } }),
    'the certificate that answers is not for db; write the name that it is for, or have it issued for this one (ERR_TLS_CERT_ALTNAME_INVALID: DNS:other)',
    false,
  ],
  [coded('ERR_SSL_ODD'), 'the connection to db is not safe: no words (ERR_SSL_ODD)', false],
  [
    coded('UND_ERR_HEADERS_OVERFLOW'),
    'db sends more headers than can be read (UND_ERR_HEADERS_OVERFLOW)',
    false,
  ],
  [
    new TypeError('fetch failed', { cause: new Error('bad port') }),
    'no program asks db for a page: its port is kept for something else',
    false,
  ],
  [new Error('something else'), 'something else', false],
  ['thrown', 'thrown', false],
])('%s: %s', (error, words, passes) => {
  expect([networkWords(error, 'db'), isPassing(error)]).toEqual([words, passes]);
});
