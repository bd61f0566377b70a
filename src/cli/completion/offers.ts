/** What may come next on a command line: commands, flags, and the user's own names, from the state and without their code. */
import type { Command, Option } from 'commander';
import type { StateView } from '../../state/state-view.ts';
import type { StateStore } from '../../state/store.ts';
import path from 'node:path';
import { readPages } from '../explain/pages.ts';
import { TEMPLATES } from '../init/templates.ts';

/** The shell's own business: files. Or these words. */
export type Offers = { readonly files: true } | { readonly files: false; readonly words: readonly string[] };

/** More would only be scrolled past, and typing one more letter is quicker. */
const MOST_OFFERS = 200;

/** The state may be gone, damaged or another one than was typed: then only its names are missing. */
export type OpenState = (flags: { readonly file?: string; readonly state?: string }) => Promise<StateStore>;

const NONE: Offers = { files: false, words: [] };

export async function offersFor(
  program: Command,
  words: readonly string[],
  current: string,
  open: OpenState,
): Promise<Offers> {
  const place = placeOf(program, words);
  const given = /^(--[^=]+)=(.*)$/s.exec(current);
  const dashes = !place.behindDashes && current.startsWith('-');
  const flag =
    place.waiting ?? (dashes && given !== null ? optionNamed(place.command, given[1]!) : undefined);
  if (flag !== undefined) {
    const inOne = place.waiting === undefined ? `${given![1]}=` : '';
    return valuesOfFlag(flag, { place, prefix: current.slice(inOne.length), inOne, open });
  }
  if (dashes) return among(optionsOf(place.command), current);
  if (place.command.commands.length > 0) {
    const commands = place.command.createHelp().visibleCommands(place.command);
    return among(
      commands.map((command) => command.name()),
      current,
    );
  }
  const argument = argumentAt(place);
  const offers = await namesOf(argument, { place, prefix: current, open });
  if (offers.files) return offers;
  const typed = new Set(place.positionals);
  // A key that begins with a dash would be read as a flag.
  return {
    files: false,
    words: offers.words.filter((word) => !typed.has(word) && (place.behindDashes || !word.startsWith('-'))),
  };
}

interface Place {
  readonly command: Command;
  readonly positionals: readonly string[];
  /** A flag that still waits for its value. */
  readonly waiting: Option | undefined;
  readonly behindDashes: boolean;
  readonly flags: { file?: string; state?: string };
}

/** Follows the words down to the command that they name. */
function placeOf(program: Command, words: readonly string[]): Place {
  let command = program;
  let waiting: Option | undefined;
  let behindDashes = false;
  const positionals: string[] = [];
  const flags: { file?: string; state?: string } = {};
  const note = (option: Option, value: string): void => {
    if (option.long === '--file') flags.file = value;
    if (option.long === '--state') flags.state = value;
  };
  for (const word of words) {
    if (waiting !== undefined) {
      note(waiting, word);
      waiting = undefined;
    } else if (behindDashes) positionals.push(word);
    else if (word === '--') behindDashes = true;
    else if (word.startsWith('-') && word !== '-') {
      const [, name = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
      const option = optionNamed(command, name);
      if (option !== undefined && value !== undefined) note(option, value);
      else if (option !== undefined && (option.required || option.optional)) waiting = option;
    } else if (command.commands.length > 0) {
      command = command.commands.find((one) => one.name() === word) ?? command;
    } else positionals.push(word);
  }
  return { command, positionals, waiting, behindDashes, flags };
}

function optionNamed(command: Command, name: string): Option | undefined {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    const found = at.options.find(({ long, short }) => long === name || short === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function optionsOf(command: Command): string[] {
  const own = command.options.flatMap(({ long, hidden }) => (long == null || hidden ? [] : [long]));
  return [...new Set([...own, '--help'])];
}

function argumentAt({ command, positionals }: Place): string {
  const all = command.registeredArguments;
  const found = all[positionals.length] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined);
  return found?.name() ?? '';
}

interface Asked {
  readonly place: Place;
  readonly prefix: string;
  readonly open: OpenState;
}

async function valuesOfFlag(
  { long, flags }: Option,
  asked: Asked & { readonly inOne: string },
): Promise<Offers> {
  const command = asked.place.command.name();
  const parent = asked.place.command.parent?.name();
  const offers = await (async (): Promise<Offers> => {
    switch (long) {
      case '--key':
      case '--prefix':
        return namesOf('keys', asked);
      case '--after':
        return namesOf(parent === 'runs' ? 'id' : 'keys', asked);
      case '--asset':
        return namesOf('asset', asked);
      case '--sensor':
        return namesOf('sensor', asked);
      case '--status':
        if (parent === 'partitions')
          return among(['missing', 'failed', 'stale', 'skipped', 'materialized', 'backlog'], asked.prefix);
        return among(['QUEUED', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELED'], asked.prefix);
      case '--as':
        return among(['materialized', 'missing', 'skipped'], asked.prefix);
      case '--if-busy':
        return among(['skip', 'wait', 'fail'], asked.prefix);
      case '--template':
        return among(TEMPLATES, asked.prefix);
      case '--order':
        return among(['newest', 'oldest'], asked.prefix);
      case '--set':
        return command === 'cursor' ? NONE : namesOf('set', asked);
      default:
        return /<(file|dir)>/i.test(flags) ? { files: true } : NONE;
    }
  })();
  if (offers.files || asked.inOne === '') return offers;
  return { files: false, words: offers.words.map((word) => `${asked.inOne}${word}`) };
}

/** The user's own names, by what the command calls its argument. */
async function namesOf(argument: string, { place, prefix, open }: Asked): Promise<Offers> {
  if (/^(file|dir)$/.test(argument)) return { files: true };
  if (argument === 'shell') return among(['bash', 'zsh', 'fish'], prefix);
  if (argument === 'code') {
    const page = path.join(import.meta.dirname, '../docs/when-something-went-wrong.md');
    return among(readPages(page).keys(), prefix);
  }
  if (argument === '') return NONE;
  try {
    const store = await open(place.flags);
    const view = await store.read({ sets: true, sensors: 'all' });
    switch (argument) {
      case 'set':
        return among([...(view.pipeline?.sets ?? []), ...view.setNames()], prefix);
      case 'key':
      case 'keys':
        return await keysOf(store, view, place, prefix);
      case 'sensor':
      case 'sensors':
        return among(
          [...(view.pipeline?.sensors.map(({ name }) => name) ?? []), ...view.sensorNames()],
          prefix,
        );
      case 'asset':
      case 'assets':
        return among(view.pipeline?.assets.map(({ name }) => name) ?? [], prefix);
      case 'id':
      case 'ids': {
        const { runs } = await store.runs({ limit: MOST_OFFERS });
        return among(
          runs.map(({ id }) => id),
          prefix,
        );
      }
      default:
        return NONE;
    }
  } catch {
    return NONE;
  }
}

/** Of the set that was named, or of the sets of the assets that were; else of all. Keys that are to be added are new ones. */
async function keysOf(
  store: StateStore,
  view: StateView,
  { command, positionals }: Place,
  prefix: string,
): Promise<Offers> {
  if (command.name() === 'add') return NONE;
  const hasSet = command.registeredArguments[0]?.name() === 'set';
  const assets = view.pipeline?.assets.filter(({ name }) => positionals.includes(name)) ?? [];
  const sets = hasSet
    ? positionals.slice(0, 1)
    : assets.length > 0
      ? assets.flatMap(({ set }) => (set === null ? [] : [set]))
      : view.setNames();
  const limit = MOST_OFFERS + positionals.length;
  const pages = [...new Set(sets)].map((set) => ({ set, prefix, limit }));
  const shown = await store.read({ pages });
  return among(new Set(pages.flatMap((page) => shown.page(page).keys.map(({ key }) => key))), prefix);
}

function among(words: Iterable<string>, prefix: string): Offers {
  const fitting = new Set<string>();
  for (const word of words) {
    if (fitting.size >= MOST_OFFERS) break;
    if (word.startsWith(prefix)) fitting.add(word);
  }
  return { files: false, words: [...fitting] };
}
