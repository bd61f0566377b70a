/** A real HTTP server of a test, which answers as the test says and remembers what it was asked. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly at: number;
}

type Answering = (request: http.IncomingMessage, response: http.ServerResponse) => unknown;

export class AnsweringServer {
  readonly asked: Asked[] = [];
  url = '';
  answer: Answering;

  private constructor(answer: Answering) {
    this.answer = answer;
  }

  static async answering(answer: Answering): Promise<AnsweringServer> {
    const server = new AnsweringServer(answer);
    const real = http.createServer((request, response) => {
      server.asked.push({ url: request.url ?? '', headers: request.headers, at: performance.now() });
      void server.answer(request, response);
    });
    real.listen(0, '127.0.0.1');
    await once(real, 'listening');
    server.url = `http://127.0.0.1:${(real.address() as AddressInfo).port}`;
    onTestFinished(() => {
      real.closeAllConnections();
      real.close();
    });
    return server;
  }
}
