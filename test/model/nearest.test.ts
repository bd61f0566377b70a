/** «Did you mean»: near names first, few of them, and none that is far. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/model/nearest.ts';

describe('the nearest names', () => {
  it.each([
    ['audoi', ['audio', 'video', 'report'], ['audio']],
    ['AUDIO', ['audio'], ['audio']],
    ['transcripts', ['transcript', 'transcribe'], ['transcript', 'transcribe']],
    ['a', ['b', 'ab'], ['b', 'ab']],
    ['partitonKey', ['partitionKey', 'runKey'], ['partitionKey']],
    ['x', [], []],
    ['elephant', ['mouse', 'cat'], []],
    ['', ['a'], ['a']],
  ])('of %j among %j are %j', (name, names, expected) => {
    expect(nearest(name, names)).toEqual(expected);
  });

  it('are three at most, the nearest first, equals in the order given', () => {
    expect(nearest('abcdef', ['abcxyf', 'abcdez', 'abcdey', 'abcdef', 'abcdex'])).toEqual([
      'abcdef',
      'abcdez',
      'abcdey',
    ]);
  });

  it('count letters put in, left out, changed or swapped, up to a third of the name', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z]{3,12}$/),
        fc.nat(),
        fc.constantFrom('in', 'out', 'change', 'swap'),
        (name, seed, edit) => {
          const at = seed % (name.length - 1);
          const edited = {
            in: `${name.slice(0, at)}x${name.slice(at)}`,
            out: name.slice(0, at) + name.slice(at + 1),
            change: `${name.slice(0, at)}x${name.slice(at + 1)}`,
            swap: name.slice(0, at) + name[at + 1]! + name[at]! + name.slice(at + 2),
          }[edit];
          expect(nearest(name, [edited])).toEqual([edited]);
          expect(nearest(name, [`${name}${'q'.repeat(name.length)}`])).toEqual([]);
        },
      ),
    );
  });
});

describe('what is meant by a name', () => {
  it.each([
    ['audoi', ['audio'], "; did you mean 'audio'?"],
    ['auto', ['name', 'automate'], "; did you mean 'automate'?"],
    ['timeout', ['timeoutMs', 'retry'], "; did you mean 'timeoutMs'?"],
    ['interval', ['name', 'minimumIntervalSeconds'], "; did you mean 'minimumIntervalSeconds'?"],
    ['retries', ['name', 'retry'], "; did you mean 'retry'?"],
    // Too short to tell.
    ['a', ['automate'], ''],
    ['elephant', ['mouse'], ''],
  ])('%s, of %j: %s', (name, names, said) => {
    expect(didYouMean(name, names)).toBe(said);
  });
});
