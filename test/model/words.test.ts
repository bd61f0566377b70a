/** All that dynpart says is of one voice: `npm run words` prints it on one page, to be read aloud. */
import { describe, expect, it } from 'vitest';
import { allWords, type Words } from '../../build/words.mjs';

const words = allWords();
const failures = words.filter(({ by }) => by === 'failure');

const shown = ({ file, message }: Words): string => `${file}: ${message}`;

it('all of it is found: failures with their hints, problems of a pipeline, warnings, and what is told', () => {
  expect(failures.length).toBeGreaterThan(100);
  for (const by of ['warn', 'chat', 'problem', 'report'])
    expect(words.filter((one) => one.by === by).length, by).toBeGreaterThan(4);
  expect(words.map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      'no command was given',
      "asset '‹asset›' was skipped because asset '‹upstream›' did not succeed",
      '‹name› has no materialize function',
    ]),
  );
});

describe('a message', () => {
  it('begins in the middle of a sentence, and ends without a full stop', () => {
    const texts = words.flatMap(({ file, message, hint }) =>
      [message, ...(hint === null ? [] : [hint])].map((message) => ({ file, by: '', message, hint: null })),
    );
    // What begins with a place, a name, a flag or a quotation begins with that; `To …` follows a question.
    expect(texts.filter(({ message }) => /^\p{Lu}\p{Ll}/u.test(message)).map(shown)).toEqual([]);
    expect(texts.filter(({ message }) => /[^.…]\.$/.test(message)).map(shown)).toEqual([]);
  });

  it('begs nobody, shouts at nobody, and blames nobody', () => {
    const rude =
      /\b(?:please|sorry|oops|invalid|illegal|unexpected|fatal|successfully|unable to|failed to)\b|!(?= |$)/i;
    const said = words.filter(({ message, hint }) =>
      rude.test(`${message} ${hint ?? ''}`.replaceAll(/‹[^›]*›/g, '')),
    );
    // A bug of dynpart is the one thing that somebody is asked to report.
    expect(said.map(shown)).toEqual(
      ['cli/main.ts: ‹message›'].filter((one) => said.map(shown).includes(one)),
    );
  });

  it('of a failure says what to do now', () => {
    // What these are printed with says it: `to see what it printed … to try again …`, and for canceled runs the command that canceled them.
    const without = failures.filter(({ file, hint }) => hint === null && !file.startsWith('loader/'));
    expect(without.map(shown)).toEqual([
      "model/failures/run.ts: asset '‹asset›'‹forKey(key)› threw: ‹withFrames(withAgain(message, again), frames)›",
    ]);
  });
});
