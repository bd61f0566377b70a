/** What is ready-made for `send`: a program, a webhook and mail, each against a real one. */
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { secret, toCommand, toMail, toWebhook, type Incident, type NotifyMessage } from '../../src/index.ts';

const incident: Incident = {
  kind: 'run-failed',
  occasion: 'opened',
  asset: 'copy',
  sensor: null,
  code: 'asset-threw',
  message: 'a < b & c',
  since: '2026-03-02T07:00:00.000Z',
  overSince: null,
  keys: ['é-1'],
  keyCount: 1,
  run: 'g-1',
  command: 'dynpart runs logs g-1',
  text: 'copy failed for 1 key: a < b & c\n  é-1',
};
const message = (signal = new AbortController().signal): NotifyMessage => ({
  incidents: [incident],
  subject: 'copy failed for “é-1”',
  text: `${incident.text}\n/srv/pipeline.ts on vm\n`,
  signal,
});

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-senders-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

describe('toCommand', () => {
  it('gives the text to a program on its standard input, and its arguments as they are', async () => {
    const file = path.join(folder, 'it; is $HOME');
    await toCommand('tee', [file])(message());
    expect(fs.readFileSync(file, 'utf8')).toBe(message().text);
  });

  it('has failed when the program has, and says what that said', async () => {
    await expect(toCommand('sh', ['-c', 'echo no such channel >&2; exit 3'])(message())).rejects.toThrow(
      'sh ended with exit code 3: no such channel',
    );
    await expect(toCommand(path.join(folder, 'nowhere'))(message())).rejects.toThrow(
      /nowhere could not be started \(ENOENT\)/,
    );
  });

  it('takes a program that reads nothing', async () => {
    const long = { ...message(), text: 'x'.repeat(2_000_000) };
    await toCommand('true')(long);
  });

  it('takes a program that says much, and one that sends in the background: both have taken the message', async () => {
    await toCommand('sh', ['-c', 'yes | head -c 1000000 >&2'])(message());
    const file = path.join(folder, 'sent');
    await toCommand('sh', ['-c', `(sleep 1.5; : > ${file}) & echo ok >&2`])(message());
    expect(fs.existsSync(file)).toBe(false);
    await vi.waitFor(() => expect(fs.existsSync(file)).toBe(true), { timeout: 60_000 });
  });

  it('says the end of what a program said that failed while others hold its pipe', async () => {
    await expect(
      toCommand('sh', ['-c', 'yes é | head -c 100001 >&2; sleep 5 & echo no such channel >&2; exit 3'])(
        message(),
      ),
    ).rejects.toThrow(/^sh ended with exit code 3: [\né�]+no such channel$/);
  });

  it('ends a program that takes too long', async () => {
    const cut = new AbortController();
    const pid = path.join(folder, 'pid');
    const sent = toCommand('sh', ['-c', `echo $$ > ${pid}; exec sleep 60`])(
      message(cut.signal),
    ) as Promise<void>;
    while (!fs.existsSync(pid) || fs.readFileSync(pid, 'utf8') === '')
      await new Promise((done) => setTimeout(done, 5));
    cut.abort();
    await expect(sent).rejects.toThrow('sh was ended by SIGTERM');
    expect(() => process.kill(Number(fs.readFileSync(pid, 'utf8')), 0)).toThrow('ESRCH');
  });

  it('says what it takes', () => {
    expect(() => toCommand('')).toThrow('toCommand takes the name of a program');
    expect(() => toCommand('sh', '-c' as never)).toThrow('a list of texts');
  });
});

describe('toWebhook', () => {
  let server: http.Server;
  let seen: { readonly headers: http.IncomingHttpHeaders; readonly url: string; readonly body: string }[];
  let answer: number;
  beforeEach(async () => {
    [seen, answer] = [[], 200];
    server = http.createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        seen.push({ headers: request.headers, url: request.url!, body });
        response.writeHead(answer).end('ok');
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = (user = ''): string => {
    const { port } = server.address() as { readonly port: number };
    return `http://${user}127.0.0.1:${port}/hooks?token=t0ken`;
  };

  it('posts JSON', async () => {
    await toWebhook(address())(message());
    expect(seen[0]!.headers['content-type']).toBe('application/json');
    const { signal: _, ...said } = message();
    expect(JSON.parse(seen[0]!.body)).toEqual(said);
    expect(seen[0]!.url).toBe('/hooks?token=t0ken');
  });

  it('posts what Slack takes', async () => {
    await toWebhook(address(), { format: 'slack' })(message());
    expect(JSON.parse(seen[0]!.body)).toEqual({
      text: 'copy failed for 1 key: a &lt; b &amp; c\n  é-1\n/srv/pipeline.ts on vm\n',
    });
  });

  it('sends a user and password as a header, and headers of its own, and takes secrets', async () => {
    await toWebhook(secret(address('me:p%40ss@')), { headers: { 'x-key': secret('k3y') } })(message());
    const { authorization, 'x-key': key } = seen[0]!.headers;
    expect(Buffer.from(authorization!.split(' ')[1]!, 'base64').toString()).toBe('me:p@ss');
    expect(key).toBe('k3y');
  });

  it('has failed where the answer says so, and names no more than the host', async () => {
    answer = 500;
    const { port } = server.address() as { readonly port: number };
    await expect(toWebhook(address('me:pass@'))(message())).rejects.toThrow(
      new Error(`127.0.0.1:${port} answered 500 Internal Server Error`),
    );
  });

  it('refuses at once, and does not repeat, a header that cannot be sent', async () => {
    for (const value of ['t0p\ns3cret', 't0p\0s3cret', 't0p…s3cret'])
      expect(() => toWebhook(address(), { headers: { authorization: secret(value) } })).toThrow(
        /^header "authorization" of toWebhook must be a text without line breaks or letters beyond Latin-1$/,
      );
    expect(() => toWebhook(address(), { headers: { authorization: undefined as never } })).toThrow(
      'must be a text',
    );
    expect(() => toWebhook(address(), { headers: { 'a b': 'x' } })).toThrow(
      '"a b", which is no name of a header',
    );
    // As a file that was read has it.
    await toWebhook(address('m%e:p%@'), { headers: { 'x-key': secret('k3y\n') } })(message());
    expect(seen[0]!.headers['x-key']).toBe('k3y');
    expect(Buffer.from(seen[0]!.headers.authorization!.split(' ')[1]!, 'base64').toString()).toBe('m%e:p%');
  });

  it('does not repeat an address that is none', () => {
    for (const wrong of ['hooks.example.org/T0KEN', 'ftp://example.org/T0KEN', undefined])
      expect(() => toWebhook(wrong as never)).toThrow(
        new TypeError('toWebhook takes an address such as https://example.org/hook'),
      );
  });
});

/** Keeps what it is given. */
function sendmail(): string {
  const file = path.join(folder, 'sendmail');
  fs.writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$@" > "$0.args"\ncat > "$0.mail"\n`, { mode: 0o755 });
  return file;
}

describe('toMail', () => {
  it('sends a mail that any server takes', async () => {
    const program = sendmail();
    await toMail(['a@example.org', 'b@example.org'], { from: 'me@example.org', sendmail: program })(
      message(),
    );
    expect(fs.readFileSync(`${program}.args`, 'utf8').split('\n').slice(0, -1)).toEqual([
      '-i',
      '-f',
      'me@example.org',
      'a@example.org',
      'b@example.org',
    ]);
    const mail = fs.readFileSync(`${program}.mail`, 'utf8');
    const end = mail.indexOf('\n\n');
    const headers = mail.slice(0, end).replaceAll('\n ', ' ').split('\n');
    expect(headers.slice(0, 2)).toEqual(['From: me@example.org', 'To: a@example.org, b@example.org']);
    const words = [...headers[2]!.matchAll(/=\?UTF-8\?B\?([^?]*)\?=/g)];
    expect(words.map(([, word]) => Buffer.from(word!, 'base64').toString()).join('')).toBe(
      'dynpart: copy failed for “é-1”',
    );
    expect(Buffer.from(mail.slice(end), 'base64').toString()).toBe(message().text);
    for (const line of mail.split('\n')) expect(line.length).toBeLessThan(100);
  });

  it('refuses what would be a header or an option of its own', () => {
    for (const wrong of ['a@b\nBcc: c@d', '-Xlog', '', 'a b@c', 'a,b@c'])
      expect(() => toMail(wrong)).toThrow(TypeError);
    expect(() => toMail([])).toThrow('toMail takes an address');
  });
});
