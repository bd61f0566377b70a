/** `dynpart ui`: the status page, live. */
import { onThePage } from '../page/page-flags.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { wholeNumber } from '../command-line/options.ts';

export function uiCommand(program: Declaration): void {
  const command = program
    .command('ui')
    .description('the status page, live, on 127.0.0.1, for you alone')
    .option(
      '--port <n>',
      'the port; 0 takes any that is free; without it 4747, or where that is taken a free one',
      wholeNumber('--port', 0),
    );
  onThePage(command).actionIn(() => import('../ui/serve.ts'));
}
