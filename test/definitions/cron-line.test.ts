/** What is wrong with a cron line, in words; what is right is what croner reads in the same way. */
import { Cron } from 'croner';
import { describe, expect, it } from 'vitest';
import { problemInCronLine } from '../../src/definitions/cron-line.ts';

describe('a cron line', () => {
  it.each([
    '0 7 * * *',
    '*/15 * * * *',
    '0,30 8-18/2 1,15 * mon-fri',
    '0 0 29 feb *',
    '5-55/10 * * JAN,dec 7',
    '0 12 31 2 5',
    '  0 7  * * 0 ',
  ])('%s is read, by croner too, and comes', (line) => {
    expect(problemInCronLine(line)).toBeNull();
    expect(new Cron(line.trim().replaceAll(/\s+/g, ' '), { paused: true }).nextRun()).not.toBeNull();
  });

  it.each([
    ['', 'it has 0 fields and not five'],
    ['@daily', 'it has 1 fields'],
    ['0 0 7 * * *', 'it has 6 fields'],
    ['60 * * * *', "its minute is '60': *, or 0 to 59"],
    ['* 24 * * *', "its hour is '24'"],
    ['* * 0 * *', "its day of the month is '0'"],
    ['* * * 13 *', "its month is '13'"],
    ['* * * * 8', "its day of the week is '8'"],
    ['* * * * monday', "its day of the week is 'monday'"],
    ['*/0 * * * *', "its minute is '*/0'"],
    ['5/10 * * * *', "its minute is '5/10'"],
    ['30-10 * * * *', "its minute is '30-10'"],
    ['1,,2 * * * *', "its minute is '1,,2'"],
    ['-1 * * * *', "its minute is '-1'"],
    ['1-2-3 * * * *', "its minute is '1-2-3'"],
    ['0 0 31 2,4 *', 'none of these months has such a day'],
    [7, 'it is no text'],
  ])('%j is not, and it is said why', (line, why) => {
    expect(problemInCronLine(line)).toContain(why);
  });
});
