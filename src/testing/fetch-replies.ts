/** Answers `fetch` for the user code of a test, and only while something of the test is under way. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Answers a request of user code, in place of the network. */
export type Reply = (request: Request) => Response | Promise<Response>;

const replies = new AsyncLocalStorage<Reply>();
let underWay = 0;
let original: typeof fetch;

/** Requests made by the work, and by what the work calls, are answered by the reply. All others go where they always go. */
export async function answering<T>(reply: Reply | undefined, work: () => Promise<T>): Promise<T> {
  if (reply === undefined) return work();
  if (underWay++ === 0) {
    original = globalThis.fetch;
    globalThis.fetch = answer;
  }
  try {
    return await replies.run(reply, work);
  } finally {
    // Who has put something else there meanwhile will take it away.
    if (--underWay === 0 && globalThis.fetch === answer) globalThis.fetch = original;
  }
}

const answer: typeof fetch = async (input, init) => {
  const reply = replies.getStore();
  if (reply === undefined) return original(input, init);
  const request = new Request(input, init);
  const response = await untilAborted(reply(request), request.signal);
  if (!(response instanceof Response))
    throw new TypeError(`fetch of testPipeline must return a Response for ${request.url}`);
  // One that is returned for several requests is read several times.
  return response.clone();
};

async function untilAborted<T>(answer: T | Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: settled.signal }),
  );
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    settled.abort();
  }
}
