/** Serves the page until SIGINT or SIGTERM. */
import { randomBytes } from 'node:crypto';
import { clean } from '../../model/text.ts';
import { pageTemplate } from '../page/page-html.ts';
import { type ShowFlags, showsOf } from '../page/page-flags.ts';
import type { Context } from '../context.ts';
import { LivePage } from './live-page.ts';
import { listen } from './listen.ts';
import { PageServer } from './page-server.ts';

export async function run(context: Context, flags: ShowFlags & { readonly port?: number }): Promise<null> {
  const { output, interrupts, ownFolder, project } = context;
  interrupts.listen();
  const live = new LivePage(context, showsOf(flags));
  // What keeps the state from being read is said here, and not on a page.
  await live.latest();
  project.sayIfNowhere();
  // Whoever else works on this machine can reach the port, but does not know this.
  const token = randomBytes(16).toString('base64url');
  const server = new PageServer(live, pageTemplate(ownFolder), token);
  const { port, isUsual } = await listen(server.http, flags.port);
  const url = `http://127.0.0.1:${port}/${token}/`;
  try {
    if (output.options.json) output.printLine({ url, port });
    else output.print(`${url}\n`);
    if (!isUsual) output.chat('the usual port is taken; this one was free');
    output.chat(`the page of ${clean(project.place)}, live, for whoever has this address; end with Ctrl-C`);
    await aborted(interrupts.signal);
  } finally {
    live.end();
    server.end();
  }
  output.drained();
  return null;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
