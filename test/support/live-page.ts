/** `dynpart ui` as a process of its own, and what it answers. */
import http from 'node:http';
import type { PageData } from '../../src/report/page-data.ts';
import type { Project, Running, RunOptions } from './project.ts';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export class LivePage {
  readonly running: Running;
  /** With a slash at its end. */
  readonly url: string;
  readonly port: number;

  private constructor(running: Running, { url, port }: { readonly url: string; readonly port: number }) {
    this.running = running;
    this.url = url;
    this.port = port;
  }

  static async start(
    project: Project,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<LivePage> {
    const running = project.start(['ui', '--port', '0', '--json', ...args], options);
    let text = '';
    running.process.stdout!.on('data', (chunk: string) => (text += chunk));
    await running.saw('}\n');
    return new LivePage(running, JSON.parse(text) as { readonly url: string; readonly port: number });
  }

  /** @param path behind the secret; with a slash in front: behind the port */
  get(path = '', headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
    const { pathname } = new URL(this.url);
    const asked = { host: '127.0.0.1', port: this.port, path: path.startsWith('/') ? path : pathname + path };
    return new Promise((resolve, reject) => {
      http
        .request({ ...asked, method, headers, agent: false }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode!, headers: response.headers, text }),
          );
        })
        .on('error', reject)
        .end();
    });
  }

  async data(): Promise<PageData> {
    return JSON.parse((await this.get('data.json')).text) as PageData;
  }

  /** The marks that it tells, as they come. */
  async *events(): AsyncGenerator<string> {
    const response = await fetch(`${this.url}events`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        text += value;
        const parts = text.split('\n\n');
        text = parts.pop()!;
        for (const part of parts) {
          const [, type, mark] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
          if (type !== undefined) yield `${type} ${mark}`;
        }
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  /** Told to end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ readonly code: number | null }> {
    this.running.process.kill(signal);
    return this.running.done;
  }
}
