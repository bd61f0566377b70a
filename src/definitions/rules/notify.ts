/** The rules for hooks that are told when something goes wrong. */
import { didYouMean } from '../../model/nearest.ts';
import { nameOfType } from '../../model/partition-key.ts';
import { checkDuration, checkKnown } from './options.ts';
import { isRecord, problem, type Problems, said } from './problem.ts';

const OPTIONS = ['name', 'on', 'remindEvery', 'send'];
const ON = ['run-failed', 'sensor-failed', 'stuck', 'overdue', 'recovered'];

export function* checkNotify(notify: unknown): Problems {
  if (notify === undefined) return;
  if (!Array.isArray(notify))
    return yield problem(
      null,
      'invalid-option',
      `notify of the pipeline must be a list such as [{ on: ['run-failed'], send }], not ${nameOfType(notify)}`,
    );
  const names = new Set<string>();
  for (const [at, hook] of notify.entries()) {
    const name = `notify[${at}] of the pipeline`;
    if (!isRecord(hook)) {
      yield problem(
        null,
        'invalid-option',
        `${name} must be an object with on and send, not ${nameOfType(hook)}`,
      );
      continue;
    }
    yield* checkHook(name, hook as Readonly<Record<string, unknown>>);
    const own = (hook as { readonly name?: unknown }).name ?? String(at + 1);
    if (typeof own !== 'string' || !/^(?!__proto__$)[\w.-]{1,200}$/.test(own))
      yield problem(
        null,
        'invalid-option',
        `name of ${name} must be 1 to 200 letters, digits, dots, _ and -`,
      );
    else if (names.has(own))
      yield problem(null, 'invalid-option', `two hooks of notify have the name ${said(own)}`);
    else names.add(own);
  }
}

function* checkHook(name: string, hook: Readonly<Record<string, unknown>>): Problems {
  const owner = { definition: null, name };
  yield* checkKnown(owner, hook, OPTIONS);
  yield* checkDuration(owner, 'remindEvery', hook['remindEvery']);
  if (typeof hook['send'] !== 'function')
    yield problem(
      null,
      'invalid-option',
      `send of ${name} must be a function, such as what toCommand, toWebhook or toMail returns, not ${nameOfType(hook['send'])}`,
    );
  const { on } = hook;
  if (!Array.isArray(on))
    return yield problem(null, 'invalid-option', `on of ${name} must be a list of ${ON.join(', ')}`);
  for (const word of on as readonly unknown[]) {
    if (ON.includes(word as string)) continue;
    const what = typeof word === 'string' ? `${said(word)}${didYouMean(word, ON)}` : nameOfType(word);
    yield problem(
      null,
      'invalid-option',
      `on of ${name} must be a list of ${ON.join(', ')}, without ${what}`,
    );
  }
  if (!on.some((word) => ON.includes(word as string) && word !== 'recovered'))
    yield problem(
      null,
      'invalid-option',
      `on of ${name} would never tell anything: name what it is told of, such as 'run-failed'`,
    );
}
