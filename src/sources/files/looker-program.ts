/**
 * The program that looks at files for `files()`. It may be killed at any moment, and must be when a call of the system does not come back:
 * a thread in one would keep the process of the command line from ending.
 */
import fs from 'node:fs';
import { lookAgain } from './look-again.ts';
import type { Question, Tell, Told } from './questions.ts';
import { walk } from './walk.ts';

const STILL_THERE_EVERY_MS = 1000;
const [QUESTIONS, ANSWERS] = [0, 1];

/** Letters that are told at once, where nothing has to be told sooner. */
const PORTION = 64 * 1024;

let lastTold = 0;
let lines = '';

function say(told: Told): void {
  lines += `${JSON.stringify(told)}\n`;
  if (lines.length > PORTION) send();
}

function send(): void {
  lastTold = performance.now();
  const bytes = Buffer.from(lines);
  lines = '';
  for (let written = 0; written < bytes.length;) written += fs.writeSync(ANSWERS, bytes, written);
}

const tell: Tell = {
  at: (place, kind) => {
    say(['at', place, kind]);
    send();
  },
  file: (file) => say(['file', file]),
  whole: (at, hash) => say(['whole', at, hash]),
  unseen: (name, error) => say(['unseen', name, error]),
  failed: (folder, error) => say(['failed', folder, error]),
  alive: () => {
    if (performance.now() - lastTold < STILL_THERE_EVERY_MS) return;
    say(['alive']);
    send();
  },
};

/** A line each; nothing more when who asks has ended. */
function* questions(): Generator<Question> {
  const part = Buffer.allocUnsafe(1024 * 1024);
  let rest: Buffer[] = [];
  for (;;) {
    const read = fs.readSync(QUESTIONS, part, 0, part.length, null);
    if (read === 0) return;
    let from = 0;
    for (let end = part.indexOf(10); end !== -1 && end < read; end = part.indexOf(10, from)) {
      const line = Buffer.concat([...rest, part.subarray(from, end)]);
      rest = [];
      from = end + 1;
      yield JSON.parse(line.toString()) as Question;
    }
    rest.push(Buffer.from(part.subarray(from, read)));
  }
}

// Ctrl-C reaches all processes of a terminal. Who asks decides what becomes of it, and of this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

try {
  for (const question of questions()) {
    if (question.ask === 'walk') walk(question, tell);
    else lookAgain(question, tell);
    say(['end']);
    send();
  }
} catch (error) {
  // Nobody listens any more.
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
}
// Not by itself: the handlers of signals would keep it.
process.exit();
