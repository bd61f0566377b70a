/** The page of `status --html` as a file: whatever is in keys and names is data in it, and nothing else. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { isStatusHtml, pageTemplate } from '../../src/cli/page/page-html.ts';
import type { PageData } from '../../src/report/page-data.ts';
import { anyKey } from '../support/arbitraries.ts';
import { ATTACK_KEYS, HARMFUL } from '../support/attack-keys.ts';
import { pageAsset, pageData, pageRun, pageSet } from '../support/page-data.ts';
import { root } from '../support/project.ts';

const page = pageTemplate(path.join(root, 'dist'));

/** A page on which these stand wherever words from outside may stand. */
function pageOf(keys: readonly string[], words: string): string {
  return page(
    pageData({
      place: words,
      assets: [pageAsset(words)],
      attention: [{ what: words, commands: [{ what: words, command: words }], note: words }],
      sensors: [{ sensor: words, status: 'RUNNING', ticks: [] }],
      sets: [
        {
          ...pageSet(keys, { [words]: 'f'.repeat(keys.length) }),
          carried: { 0: { item: { [words]: words } } },
        },
      ],
      runs: [pageRun('r-1', { error: words })],
      logs: { 'r-1': [{ at: words, asset: words, attempt: 1, text: words }] },
    }),
  );
}

function dataIn(html: string): PageData {
  const [, json] = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(html)!;
  return JSON.parse(json!) as PageData;
}

function tags(html: string): string[] {
  return html.match(/<[^>]*>|<!--/g) ?? [];
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

describe('the page', () => {
  it('has every key and word, each as itself', () => {
    const keys = fc.array(fc.oneof(anyKey, fc.constantFrom(...ATTACK_KEYS)), { minLength: 1 });
    fc.assert(
      fc.property(keys, fc.oneof(anyKey, fc.string({ unit: 'binary' })), (its, words) => {
        const { sets, runs, place } = dataIn(pageOf(its, words));
        expect([sets[0]!.keys, runs[0]!.error, place]).toEqual([its, words, words]);
      }),
    );
  });

  it('has the same tags whatever the keys and words are', () => {
    const harmless = tags(pageOf(['a'], 'a'));
    fc.assert(
      fc.property(
        fc.oneof(anyKey, fc.constantFrom(...ATTACK_KEYS, '</script><!--<script>', '$&$1@DATA@')),
        anyKey,
        (key, words) => {
          expect(tags(pageOf([key], `${words}${key}`))).toEqual(harmless);
        },
      ),
    );
  });

  it('has no character that turns the reading direction or moves a cursor', () => {
    expect(pageOf(ATTACK_KEYS, '\u202ename\u009b31m')).not.toMatch(HARMFUL);
  });

  it('allows its own style and script by their hashes, and nothing else', () => {
    const html = pageOf(['a'], 'a');
    const [, style] = /<style>([\s\S]*?)<\/style>/.exec(html)!;
    const [, script] = /<script>([\s\S]*?)<\/script>/.exec(html)!;
    const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
    expect(policy!.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hash(script!)}`,
      `style-src ${hash(style!)}`,
      "connect-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
    // Before the style, or it would not hold for it.
    expect(html.indexOf(policy!)).toBeLessThan(html.indexOf('<style>'));
    expect(html.replace(script!, '')).not.toMatch(/\son\w+=|\sstyle=|\ssrc=|\shref=|url\(|@import/i);
    expect(script).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|eval\(/);
    expect(page(pageData({ isLive: true }))).toContain("connect-src 'self'");
  });

  it('is known as one of dynpart by how it begins', () => {
    expect(isStatusHtml(pageOf(['a'], 'a').slice(0, 4096))).toBe(true);
    expect(isStatusHtml('<!DOCTYPE html>\n<p>mine</p>')).toBe(false);
  });

  it('has its data as JSON that can be read, an asset and a run a line', () => {
    const html = page(pageData({ assets: [pageAsset('one'), pageAsset('two')], runs: [pageRun('r-1')] }));
    expect(html).toMatch(/^\{"asset":"two",.*\}$/m);
    expect(html).toMatch(/^\{"id":"r-1",.*\}$/m);
  });
});
