/** Node.js, dynpart itself, the pipeline file, and what of it all cron would find. */
import fs from 'node:fs';
import path from 'node:path';
import { FailureError } from '../../model/failure.ts';
import { describe } from '../../model/describe-failure.ts';
import { counted, shellQuoted } from '../../model/text.ts';
import type { GlobalOptions } from '../command-line/global-options.ts';
import type { Context } from '../context.ts';
import { type Check, failure, ok, warning } from './check.ts';

/** As `engines` of the package says. */
const LEAST_NODE = [20, 19];

export function nodeCheck(): Check {
  const { version, execPath } = process;
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  const isOld = major < leastMajor! || (major === leastMajor! && minor < leastMinor!);
  const message = `Node.js ${version} (${execPath})`;
  return isOld
    ? failure(
        'node',
        `${message} is older than ${LEAST_NODE.join('.')}`,
        'install a newer Node.js: https://nodejs.org',
      )
    : ok('node', message);
}

/** A project may have a dynpart of its own, and be run by another one. */
export function packageCheck({ version, ownFolder, terminal, project }: Context): Check {
  const own = fs.realpathSync(path.join(ownFolder, '..'));
  const message = `dynpart ${version} (${own})`;
  const installed = installedFrom(project.hasFile ? path.dirname(project.file) : terminal.cwd);
  if (installed === null || fs.realpathSync(installed.folder) === own) return ok('dynpart', message);
  if (installed.version === version)
    return ok('dynpart', `${message}; the same version is in ${installed.folder}`);
  return warning(
    'dynpart',
    `${message} runs a project that has installed dynpart ${installed.version}`,
    'run that one: npx dynpart; or bring both to one version: npm install dynpart@latest',
  );
}

function installedFrom(folder: string): { readonly folder: string; readonly version: string } | null {
  const found = path.join(folder, 'node_modules', 'dynpart');
  try {
    const { version } = JSON.parse(fs.readFileSync(path.join(found, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { folder: found, version };
  } catch {
    const above = path.dirname(folder);
    return above === folder ? null : installedFrom(above);
  }
}

export async function pipelineCheck(context: Context): Promise<Check> {
  try {
    const { assets, sensors, sets } = await context.project.pipeline();
    return ok(
      'pipeline',
      `${context.project.file} (${FROM[originsOf(context).file]}): ${counted(assets.size, 'asset')}, ${counted(sensors.size, 'sensor')}, ${counted(sets.length, 'set')}`,
    );
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { message, hint } = describe(error.failure);
    return failure('pipeline', message, hint);
  }
}

export const FROM = {
  flag: 'named on the command line',
  environment: 'from the environment',
  usual: 'the usual place',
} as const;

/** Who said where the pipeline file and the state are. */
export function originsOf({
  output,
  terminal,
}: Context): Readonly<Record<'file' | 'state', keyof typeof FROM>> {
  const said = output.options as GlobalOptions;
  const of = (flag: string | undefined, variable: string): keyof typeof FROM =>
    flag !== undefined ? 'flag' : terminal.env[variable] ? 'environment' : 'usual';
  return { file: of(said.file, 'DYNPART_FILE'), state: of(said.state, 'DYNPART_STATE') };
}

/** Where cron and systemd look for programs. */
const CRON_PATH = ['/usr/bin', '/bin'];

/** cron starts commands without the user's environment and in another folder. */
export function cronCheck(context: Context): Check {
  const { terminal } = context;
  const hint = 'lines that name everything: dynpart schedule cron';
  const folder = path.dirname(process.execPath);
  const isFound = CRON_PATH.some((dir) => fs.existsSync(path.join(dir, 'node')));
  const lacks = [
    ...(isFound ? [] : [`finds no node in ${CRON_PATH.join(':')} (it is in ${folder})`]),
    ...(['DYNPART_FILE', 'DYNPART_STATE'] as const)
      .filter((name) => terminal.env[name])
      .map((name) => `does not have ${name}=${shellQuoted(terminal.env[name]!, '…')}`),
    ...(originsOf(context).file === 'usual' ? ['starts in your home folder: name the pipeline with -f'] : []),
  ];
  if (lacks.length === 0) return ok('cron', 'nothing of this environment is needed');
  const [only] = lacks;
  // A folder to name is what every crontab needs.
  if (lacks.length === 1 && originsOf(context).file === 'usual')
    return { ...ok('cron', `cron ${only}`), hint };
  return warning('cron', `cron ${lacks.join('; ')}`, hint);
}
