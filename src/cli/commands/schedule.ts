/** `dynpart schedule`: the lines of a crontab, or the units of systemd, that tick this pipeline. */
import path from 'node:path';
import { fail } from '../../model/failure.ts';
import { AUTOMATION } from '../../model/run.ts';
import { isDangerous } from '../../model/text.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { GlobalOptions } from '../command-line/global-options.ts';
import type { Context } from '../context.ts';
import { cronWord, systemdPath, systemdWord } from '../schedule/quoting.ts';
import type { Scheduled } from '../json-results.ts';

export function scheduleCommand(program: Declaration): void {
  const schedule = program.command('schedule').description('what ticks this pipeline, to be pasted');
  schedule.command('cron').description('lines for crontab -e').action(cron);
  schedule.command('systemd').description('a service and a timer').action(systemd);
}

interface Ticking {
  readonly folder: string;
  readonly name: string;
  readonly words: readonly string[];
  /** Node.js and what user code may start. */
  readonly path: string;
  readonly minutes: number;
}

async function cron(context: Context): Promise<Scheduled> {
  const { folder, words, path: programs, minutes } = await ticking(context);
  const text = [
    `# ${folder}: paste this with crontab -e. Silent when nothing is new; what is printed is mailed to MAILTO.`,
    `PATH=${programs}`,
    `${minutes === 1 ? '*' : `*/${minutes}`} * * * * ${words.map(cronWord).join(' ')}`,
    '',
  ].join('\n');
  context.output.print(text);
  return { text };
}

async function systemd(context: Context): Promise<Scheduled> {
  const { folder, name, words, path: programs, minutes } = await ticking(context);
  const user = process.getBuiltinModule('node:os').userInfo().username;
  const text = [
    `# /etc/systemd/system/${name}.service`,
    '[Unit]',
    `Description=dynpart sensor tick of ${systemdPath(folder)}`,
    '',
    '[Service]',
    'Type=oneshot',
    `User=${user}`,
    `WorkingDirectory=${systemdPath(folder)}`,
    `Environment=${systemdWord(`PATH=${programs}`)}`,
    `ExecStart=${words.map(systemdWord).join(' ')}`,
    '',
    `# /etc/systemd/system/${name}.timer`,
    '[Unit]',
    `Description=dynpart sensor tick of ${systemdPath(folder)}`,
    '',
    '[Timer]',
    `OnCalendar=${minutes === 1 ? 'minutely' : `*:0/${minutes}`}`,
    'Persistent=true',
    '',
    '[Install]',
    'WantedBy=timers.target',
    '',
    `# then: systemctl daemon-reload && systemctl enable --now ${name}.timer`,
    '',
  ].join('\n');
  context.output.print(text);
  return { text };
}

async function ticking(context: Context): Promise<Ticking> {
  const { project, ownFolder, terminal, output } = context;
  const { file } = project;
  const known = await project.known(await project.store.read({}));
  if (known.sensors.length === 0)
    fail({
      reason: 'usage',
      message: 'the pipeline has no sensors: nothing has to be ticked',
      hint: 'queued runs are executed by: dynpart worker',
    });
  // What is built in follows the others.
  const sensors = known.sensors.filter(({ name }) => name !== AUTOMATION);
  const intervals = sensors.flatMap(({ minimumIntervalSeconds, cron }) =>
    cron === undefined ? [minimumIntervalSeconds] : [],
  );
  const hasTimes = intervals.length < sensors.length;
  const minutes = hasTimes ? 1 : everyMinutes(intervals);
  const said = (output.options as GlobalOptions).state ?? terminal.env['DYNPART_STATE'];
  const words = [
    process.execPath,
    path.join(ownFolder, '../bin/dynpart.cjs'),
    '-f',
    file,
    ...(said ? ['--state', project.stateFile] : []),
    'sensor',
    'tick',
    // Each sensor at its own interval or times.
    ...(hasTimes || Math.max(...intervals) > minutes * 60 ? ['--due'] : []),
  ];
  const odd = words.find((word) => isDangerous(word));
  if (odd !== undefined)
    fail({
      reason: 'usage',
      message: `${JSON.stringify(odd)} cannot be written into a line of a crontab or unit`,
      hint: 'give the folder or file a name without control characters',
    });
  if (Math.min(...intervals) < 60 && minutes === 1)
    output.chat('more often than once a minute: dynpart sensor watch, as a service of its own');
  const folder = path.dirname(file);
  return {
    folder,
    name: nameOf(file),
    words,
    path: [...new Set([path.dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'])].join(':'),
    minutes,
  };
}

/** As seldom as the sensors allow: one interval for all that divides an hour, else each minute. */
function everyMinutes(intervals: readonly number[]): number {
  const [first = 0] = intervals;
  const minutes = first / 60;
  const isOne = intervals.every((interval) => interval === first);
  return isOne && Number.isInteger(minutes) && minutes >= 1 && minutes < 60 && 60 % minutes === 0
    ? minutes
    : 1;
}

/** A name for units, after the folder and, where it is not the usual one, the file. */
function nameOf(file: string): string {
  const { dir, name } = path.parse(file);
  const words = ['dynpart', path.basename(dir), ...(name === 'pipeline' ? [] : [name])];
  return words.map((word) => word.replaceAll(/[^\w.-]+/g, '-')).join('-');
}
