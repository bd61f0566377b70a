/** docs/coming-from-dagster.md: its 54 cases are the tests that carry their numbers. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../support/project.ts';

const page = fs.readFileSync(path.join(root, 'docs/coming-from-dagster.md'), 'utf8');
const cases = [...page.matchAll(/^\| (\d+) \| .* \| ([a-z ]+) \| .*\|$/gm)].map(([, number, verdict]) => ({
  number: Number(number),
  verdict: verdict!,
}));

const folder = path.join(root, 'test/dagster');
const tested = new Set(
  fs
    .readdirSync(folder)
    .flatMap((name) => [
      ...fs.readFileSync(path.join(folder, name), 'utf8').matchAll(/Dagster (\d+)(?: and (\d+))?[:,]/g),
    ])
    .flatMap(([, one, two]) => [Number(one), ...(two === undefined ? [] : [Number(two)])]),
);

it('the table has each of the 54 cases once, with one of four verdicts', () => {
  expect(cases.map(({ number }) => number)).toEqual(Array.from({ length: 54 }, (_, index) => index + 1));
  expect(new Set(cases.map(({ verdict }) => verdict))).toEqual(
    new Set(['the same', 'differs', 'not there', 'makes no sense here']),
  );
});

it('those that are the same or differ have a test, and no others', () => {
  const here = cases.filter(({ verdict }) => verdict === 'the same' || verdict === 'differs');
  expect([...tested].toSorted((one, other) => one - other)).toEqual(here.map(({ number }) => number));
});
