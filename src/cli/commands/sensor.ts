/** `dynpart sensor …`: what there is for sensors, each command in a file of its own, which is loaded on use. */
import type { Declaration } from '../command-line/declaration.ts';
import { age, oneOf, seconds, wholeNumber } from '../command-line/options.ts';

export function sensorCommand(program: Declaration): void {
  const sensor = program.command('sensor').description('evaluate sensors and look after them');
  sensor
    .command('list')
    .description('status, interval, last tick and cursor of each sensor')
    .actionIn(() => import('./sensor-list.ts'));
  sensor
    .command('tick')
    .argument('[sensors...]', 'which; without it, all that are running')
    .description('evaluate sensors now, commit, execute the runs they requested')
    .option('--due', 'only those whose interval is over')
    .option('--dry-run', 'only say which keys, runs and cursor it would commit')
    .option('--no-run', 'leave the runs queued for a worker')
    .option(
      '--for <duration>',
      'no run begins after so long (10m); the rest stays queued',
      age('--for', '10m'),
    )
    .option(
      '--if-busy <what>',
      'when another process evaluates the sensor: skip, wait or fail',
      oneOf('--if-busy', ['skip', 'wait', 'fail']),
      'skip',
    )
    .option('--wait-timeout <s>', 'with --if-busy wait: for so long at most', seconds('--wait-timeout'))
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .actionIn(() => import('./sensor-tick.ts'));
  sensor
    .command('watch')
    .argument('[sensors...]', 'which; without it, all')
    .description('evaluate every sensor at its own interval and execute the runs, until SIGINT or SIGTERM')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .option(
      '--grace <duration>',
      'told to end, what runs may go on for so long (60s); without it, it is aborted at once',
      age('--grace', '60s'),
    )
    .actionIn(() => import('./sensor-watch.ts'));
  sensor
    .command('start')
    .argument('<sensor>')
    .description('let it tick')
    .action(async (context, _: object, name: string) =>
      (await import('./sensor-switch.ts')).setStatus(context, name, 'RUNNING'),
    );
  sensor
    .command('stop')
    .argument('<sensor>')
    .description('no ticks until it is started')
    .action(async (context, _: object, name: string) =>
      (await import('./sensor-switch.ts')).setStatus(context, name, 'STOPPED'),
    );
  sensor
    .command('cursor')
    .argument('<sensor>')
    .description('show the cursor, or change it')
    .option('--set <value>', 'the next tick goes on from here')
    .option('--clear', 'the next tick begins anew')
    .actionIn(() => import('./sensor-cursor.ts'));
  sensor
    .command('history')
    .argument('<sensor>')
    .description('past ticks, newest first')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1), 20)
    .actionIn(() => import('./sensor-history.ts'));
}
