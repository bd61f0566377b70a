/** `dynpart sensor …`: what there is. Each is loaded on use. */
import type { Declaration } from '../command-line/declaration.ts';
import { oneOf, seconds, wholeNumber } from '../command-line/options.ts';
import type { tick } from './sensor-tick.ts';
import type { cursor, history } from './sensor-upkeep.ts';
import type { watchSensors } from './sensor-watch.ts';

export function sensorCommand(program: Declaration): void {
  const sensor = program.command('sensor').description('evaluate sensors and look after them');
  sensor
    .command('list')
    .description('status, interval, last tick and cursor of each sensor')
    .action(async (context) => (await import('./sensor-upkeep.ts')).list(context));
  sensor
    .command('tick')
    .argument('[sensors...]', 'which; without it, all that are running')
    .description('evaluate sensors now, commit, execute the runs they requested')
    .option('--due', 'only those whose interval is over')
    .option('--dry-run', 'only say which keys, runs and cursor it would commit')
    .option('--no-run', 'leave the runs queued for a worker')
    .option(
      '--if-busy <what>',
      'when another process evaluates the sensor: skip, wait or fail',
      oneOf('--if-busy', ['skip', 'wait', 'fail']),
      'skip',
    )
    .option('--wait-timeout <s>', 'with --if-busy wait: for so long at most', seconds('--wait-timeout'))
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .action(async (...given: Parameters<typeof tick>) => (await import('./sensor-tick.ts')).tick(...given));
  sensor
    .command('watch')
    .argument('[sensors...]', 'which; without it, all')
    .description('evaluate every sensor at its own interval and execute the runs, until SIGINT or SIGTERM')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .action(async (...given: Parameters<typeof watchSensors>) =>
      (await import('./sensor-watch.ts')).watchSensors(...given),
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
    .action(async (...given: Parameters<typeof cursor>) =>
      (await import('./sensor-upkeep.ts')).cursor(...given),
    );
  sensor
    .command('history')
    .argument('<sensor>')
    .description('past ticks, newest first')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1), 20)
    .action(async (...given: Parameters<typeof history>) =>
      (await import('./sensor-upkeep.ts')).history(...given),
    );
}
