/** Certificates that are not as they should be, and redirects away from a safe connection, against real servers and by the real binary. */
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AnsweringServer } from '../support/answering-server.ts';
import { Project, root } from '../support/project.ts';

const PIPELINE = `import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { feed, http } from 'dynpart/sources';
const things = dynamicPartitions('things');
const evaluate = process.env['SOURCE'] === 'feed'
  ? feed(things as never, process.env['URL']!, { headers: { 'x-api-key': 'secret' } })
  : http(things, { url: process.env['URL']!, items: (page: string[]) => page, key: (id) => id, headers: { 'x-api-key': 'secret' } });
export default definePipeline({ partitions: [things], sensors: [sensor({ name: 'find', evaluate })] });
`;

const folder = path.join(root, 'test/fixtures/tls');
const FEED = '<rss><channel><item><guid>a</guid></item></channel></rss>';
const TRUSTED =
  'if that is right, start dynpart with NODE_EXTRA_CA_CERTS=FILE, a file that has the certificate to be trusted as PEM';

/** @returns its port */
async function served(
  certificate: string,
  answer: https.RequestOptions['headers'] | null = null,
): Promise<number> {
  const pem = fs.readFileSync(path.join(folder, `${certificate}.pem`));
  const server = https.createServer({ key: pem, cert: pem }, (_, response) => {
    if (answer === null) response.end(FEED);
    else response.writeHead(302, answer as Record<string, string>).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function tick(
  url: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stderr: string }> {
  await using project = new Project({ 'pipeline.ts': PIPELINE });
  const { code, stderr } = await project.dynpart(['sensor', 'tick'], {
    env: { URL: url, SOURCE: 'feed', ...more },
  });
  return { code, stderr: stderr.split('\n')[0]! };
}

const AUTHORITY = { NODE_EXTRA_CA_CERTS: path.join(folder, 'authority.pem') };

test.each([
  {
    certificate: 'expired',
    env: AUTHORITY,
    why: (host: string) =>
      `the certificate of ${host} has expired: who runs it must renew it (or the clock of this machine is wrong) (CERT_HAS_EXPIRED)`,
  },
  {
    certificate: 'itself',
    env: {},
    why: (host: string) =>
      `the certificate of ${host} is signed by itself; ${TRUSTED} (DEPTH_ZERO_SELF_SIGNED_CERT)`,
  },
  {
    certificate: 'good',
    env: {},
    why: (host: string) =>
      `the certificate of ${host} is signed by somebody that node does not know; ${TRUSTED} (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
  },
  {
    certificate: 'elsewhere',
    env: AUTHORITY,
    why: (host: string) =>
      `the certificate that answers is not for ${host}; write the name that it is for, or have it issued for this one (ERR_TLS_CERT_ALTNAME_INVALID: DNS:other.example)`,
  },
])(
  'a certificate ($certificate) that cannot be trusted is a failure that says what to do',
  async ({ certificate, env, why }) => {
    const host = `localhost:${await served(certificate)}`;
    const url = `https://${host}/feed`;
    expect(await tick(url, env)).toEqual({
      code: 3,
      stderr: `error: sensor 'find' threw: cannot read the feed ${url}: ${why(host)}`,
    });
    const api = await tick(url, { ...env, SOURCE: 'http' });
    expect(api).toEqual({ code: 3, stderr: `error: sensor 'find' threw: cannot read ${url}: ${why(host)}` });
  },
);

test('what is said to be the way on is one', async () => {
  const itself = { NODE_EXTRA_CA_CERTS: path.join(folder, 'itself.pem') };
  expect((await tick(`https://localhost:${await served('itself')}/feed`, itself)).code).toBe(0);
  expect((await tick(`https://localhost:${await served('good')}/feed`, AUTHORITY)).code).toBe(0);
});

test('a redirect from https to http is followed nowhere, and one to another host takes no secret along', async () => {
  const plain = await AnsweringServer.answering((_, response) => response.end(FEED));
  const port = await served('good', { location: `${plain.url}/feed?token=1` });
  const { code, stderr } = await tick(`https://localhost:${port}/feed`, AUTHORITY);
  expect([code, stderr, plain.asked]).toEqual([
    3,
    `error: sensor 'find' threw: cannot read the feed https://localhost:${port}/feed: it leads from https to ${plain.url}/feed, where anybody on the way can read and change it; if that is right, write that address as url`,
    [],
  ]);
  const first = await AnsweringServer.answering((_, response) =>
    response.writeHead(301, { location: `${plain.url}/feed` }).end(),
  );
  const user = first.url.replace('//', '//me:password@');
  expect((await tick(user)).code).toBe(0);
  expect(first.asked[0]!.headers).toMatchObject({ 'x-api-key': 'secret', authorization: expect.anything() });
  const { authorization, 'x-api-key': key, 'user-agent': agent } = plain.asked[0]!.headers;
  expect([authorization, key, agent]).toEqual([undefined, undefined, 'dynpart']);
});
