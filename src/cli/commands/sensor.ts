/** `dynpart sensor …`: what there is. A tick is all that cron needs; the others are loaded on use. */
import type { Declaration } from '../command-line/declaration.ts';
import { wholeNumber } from '../command-line/options.ts';
import { tickCommand } from './sensor-tick.ts';

export function sensorCommand(program: Declaration): void {
  const sensor = program.command('sensor').description('evaluate sensors and look after them');
  sensor
    .command('list')
    .description('status, interval, last tick and cursor of each sensor')
    .action(async (context) => (await import('./sensor-upkeep.ts')).list(context));
  tickCommand(sensor);
  sensor
    .command('watch')
    .argument('[sensors...]', 'which; without it, all')
    .description('evaluate every sensor at its own interval and execute the runs, until SIGINT or SIGTERM')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .action(async (context, flags: { readonly concurrency?: number }, names: readonly string[]) =>
      (await import('./sensor-watch.ts')).watchSensors(context, flags, names),
    );
  sensor
    .command('start')
    .argument('<sensor>')
    .description('let it tick')
    .action(async (context, _: object, name: string) =>
      (await import('./sensor-upkeep.ts')).setStatus(context, name, 'RUNNING'),
    );
  sensor
    .command('stop')
    .argument('<sensor>')
    .description('no ticks until it is started')
    .action(async (context, _: object, name: string) =>
      (await import('./sensor-upkeep.ts')).setStatus(context, name, 'STOPPED'),
    );
  sensor
    .command('cursor')
    .argument('<sensor>')
    .description('show the cursor, or change it')
    .option('--set <value>', 'the next tick goes on from here')
    .option('--clear', 'the next tick begins anew')
    .action(async (context, flags: { readonly set?: string; readonly clear?: boolean }, name: string) =>
      (await import('./sensor-upkeep.ts')).cursor(context, flags, name),
    );
  sensor
    .command('history')
    .argument('<sensor>')
    .description('past ticks, newest first')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1), 20)
    .action(async (context, flags: { readonly limit: number }, name: string) =>
      (await import('./sensor-upkeep.ts')).history(context, flags, name),
    );
}
