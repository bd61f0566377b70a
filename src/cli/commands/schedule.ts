/** `dynpart schedule`: the lines of a crontab, or the units of systemd, that tick this pipeline. */
import path from 'node:path';
import { fail } from '../../model/failure.ts';
import { AUTOMATION } from '../../model/run.ts';
import { isDangerous } from '../../model/text.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { GlobalOptions } from '../command-line/global-options.ts';
import type { Context } from '../context.ts';
import { cronWord, systemdPath, systemdSetting, systemdWord } from '../schedule/quoting.ts';
import type { Scheduled } from '../json-results.ts';

export function scheduleCommand(program: Declaration): void {
  const schedule = program.command('schedule').description('what ticks this pipeline, to be pasted');
  schedule.command('cron').description('lines for crontab -e').action(cron);
  schedule
    .command('systemd')
    .description('a service and a timer, or a service that goes on')
    .option('--watch', 'of sensor watch, instead of a timer for sensor tick')
    .option('--worker', 'of worker, for runs that others have queued')
    .action(systemd);
}

interface Around {
  readonly folder: string;
  /** Of units. */
  readonly name: string;
  readonly words: readonly string[];
  /** Node.js and what user code may start. */
  readonly path: string;
}

interface Ticking extends Around {
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

interface Units {
  readonly watch?: boolean;
  readonly worker?: boolean;
}

async function systemd(context: Context, { watch = false, worker = false }: Units): Promise<Scheduled> {
  if (watch && worker)
    fail({
      reason: 'usage',
      message: '--watch and --worker are two services',
      hint: 'print them one after the other; sensor watch executes queued runs, too',
    });
  const doing = watch ? ['sensor', 'watch'] : worker ? ['worker'] : null;
  const text =
    doing === null ? timerUnits(await ticking(context)) : goingOnUnit(await around(context), doing);
  context.output.print(text);
  return { text };
}

function timerUnits({ folder, name, words, path: programs, minutes }: Ticking): string {
  return [
    `# /etc/systemd/system/${name}.service`,
    '[Unit]',
    `Description=dynpart sensor tick of ${systemdPath(folder)}`,
    '',
    '[Service]',
    'Type=oneshot',
    ...userAndPlace(folder, programs),
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
}

/** What runs may go on for so long when the service is stopped; what it started is ended within ten seconds more. */
const GRACE_S = 60;

function goingOnUnit({ folder, name, words, path: programs }: Around, doing: readonly string[]): string {
  const unit = `${name}-${doing.at(-1)}.service`;
  return [
    `# /etc/systemd/system/${unit}`,
    '[Unit]',
    `Description=dynpart ${doing.join(' ')} of ${systemdPath(folder)}`,
    '',
    '[Service]',
    // It says itself when it has begun, and that it is alive: one whose code keeps its thread for five to ten minutes is started anew.
    'Type=notify',
    'NotifyAccess=all',
    'WatchdogSec=10min',
    ...userAndPlace(folder, programs),
    `ExecStart=${[...words, ...doing, '--grace', `${GRACE_S}s`].map(systemdWord).join(' ')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    'KillMode=mixed',
    `TimeoutStopSec=${GRACE_S + 30}`,
    'Restart=on-failure',
    'RestartSec=10',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
    `# then: systemctl daemon-reload && systemctl enable --now ${unit}`,
    '',
  ].join('\n');
}

function userAndPlace(folder: string, programs: string): string[] {
  return [
    `User=${process.getBuiltinModule('node:os').userInfo().username}`,
    `WorkingDirectory=${systemdPath(folder)}`,
    `Environment=${systemdSetting(`PATH=${programs}`)}`,
  ];
}

async function ticking(context: Context): Promise<Ticking> {
  const { project, output } = context;
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
  // Each sensor at its own interval or times.
  const due = hasTimes || Math.max(...intervals) > minutes * 60 ? ['--due'] : [];
  const { words, ...others } = await around(context);
  if (Math.min(...intervals) < 60 && minutes === 1)
    output.chat('more often than once a minute: dynpart schedule systemd --watch');
  return { ...others, words: [...words, 'sensor', 'tick', ...due], minutes };
}

async function around({ project, ownFolder, terminal, output }: Context): Promise<Around> {
  const { file } = project;
  const said = (output.options as GlobalOptions).state ?? terminal.env['DYNPART_STATE'];
  const words = [
    process.execPath,
    path.join(ownFolder, '../bin/dynpart.cjs'),
    '-f',
    file,
    ...(said ? ['--state', project.stateFile] : []),
  ];
  const odd = words.find((word) => isDangerous(word));
  if (odd !== undefined)
    fail({
      reason: 'usage',
      message: `${JSON.stringify(odd)} cannot be written into a line of a crontab or unit`,
      hint: 'give the folder or file a name without control characters',
    });
  return {
    folder: path.dirname(file),
    name: nameOf(file),
    words,
    path: [...new Set([path.dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'])].join(':'),
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

/** systemd takes 255 characters, of which what follows the name may need twenty. */
const LONGEST_UNIT_NAME = 230;

/** A name for units, after the path and, where it is not the usual one, the file: all pipelines of a machine lie in one folder there. */
function nameOf(file: string): string {
  const { dir, name } = path.parse(file);
  const words = [...dir.split(path.sep), ...(name === 'pipeline' ? [] : [name])].filter(
    (word) => word !== '',
  );
  const ofPath = words.map((word) => word.replaceAll(/[^\w.-]+/g, '-')).join('-');
  return `dynpart-${ofPath.slice(-LONGEST_UNIT_NAME)}`;
}
