/** The page of `status --html`: whatever is in keys and names is text on it, and nothing else. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { statusHtml } from '../../src/cli/render/html.ts';
import type { StatusPage } from '../../src/report/status-page.ts';
import { printable } from '../../src/model/text.ts';
import { anyKey } from '../support/arbitraries.ts';
import { ATTACK_KEYS, HARMFUL } from '../support/attack-keys.ts';

const AT = '2026-06-01T00:00:00.000Z';

function page(keys: readonly string[], name = 'items', said = ''): string {
  const parts: StatusPage = {
    at: AT,
    version: '1',
    file: name,
    serial: 3,
    assets: [
      {
        asset: name,
        set: name,
        total: keys.length,
        materialized: 0,
        failed: 1,
        inProgress: 0,
        skipped: 0,
        missing: 0,
        stale: 0,
        backlog: 0,
        retryAt: null,
        overdue: false,
      },
    ],
    sets: [
      {
        set: name,
        total: keys.length,
        assets: [name],
        keys: keys.map((key) => ({ key, addedAt: AT, statuses: ['failed'] })),
      },
    ],
    sensors: [{ sensor: name, status: 'RUNNING', lastTickAt: AT, outcome: 'FAILURE', said }],
  };
  return statusHtml(parts);
}

/** Tags and texts, as far simpler than a browser as the page is simpler than the web. */
function parse(html: string): { readonly tags: string[]; readonly rows: string[] } {
  const tags = html.match(/<[^>]*>/g) ?? [];
  const rows = [...html.matchAll(/<th scope="row"><bdi>([^<]*)<\/bdi><\/th>/g)].map(([, raw]) =>
    raw!.replace(
      /&(amp|lt|gt|quot|#39);/g,
      (_, entity: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[entity]!,
    ),
  );
  return { tags, rows };
}

/** A key as it stands on the page, back. */
const keyOf = (shown: string): string => (shown.startsWith('"') ? (JSON.parse(shown) as string) : shown);

describe('the page', () => {
  it('has every key, each as itself', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(anyKey, fc.constantFrom(...ATTACK_KEYS)), { minLength: 1 }),
        (keys) => {
          const { rows } = parse(page(keys));
          expect(rows.slice(1, -1).map(keyOf)).toEqual(keys);
        },
      ),
    );
  });

  it('has the same tags whatever the keys, names and messages are', () => {
    const harmless = parse(page(['a'])).tags;
    fc.assert(
      fc.property(fc.oneof(anyKey, fc.constantFrom(...ATTACK_KEYS)), anyKey, (key, other) => {
        expect(parse(page([key], other, `${other}\n${key}`)).tags).toEqual(harmless);
      }),
    );
  });

  it('is well-formed, and a parser of XML finds the same text', () => {
    const keys = ATTACK_KEYS;
    const texts: string[] = [];
    const parser = new SaxesParser();
    parser.on('error', (error) => {
      throw error;
    });
    let row = false;
    parser.on('opentag', ({ name, attributes }) => {
      if (name === 'th') row = attributes['scope'] === 'row';
    });
    parser.on('text', (text) => {
      if (row && text.trim() !== '') texts.push(text);
    });
    parser.on('closetag', ({ name }) => {
      if (name === 'th') row = false;
    });
    parser.write(page(keys)).close();
    expect(texts.slice(1, -1)).toEqual(keys.map(printable));
  });

  it('shows no character that turns the reading direction or moves a cursor', () => {
    expect(page(ATTACK_KEYS, '\u202ename', '\u009b31m')).not.toMatch(HARMFUL);
  });

  it('allows nothing to be loaded or run, and its one style by its hash', () => {
    const html = page(['a']);
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)![1]!;
    const hash = createHash('sha256').update(style).digest('base64');
    expect(html).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'" />`,
    );
    expect(html).not.toMatch(/<script|\son\w+=|\sstyle=|\ssrc=|\shref=|url\(|@import/i);
    // Before the style, or it would not hold for it.
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style>'));
  });

  it('is usable without seeing it: a language, a title, headings in order, headed tables with captions', () => {
    const html = page(['a']);
    expect(html).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
    expect(html).toContain('<title>dynpart status</title>');
    expect(html.match(/<h\d/g)).toEqual(['<h1', '<h2', '<h2', '<h3', '<h2']);
    expect(html.match(/<table>/g)).toHaveLength(3);
    expect(html.match(/<caption>/g)).toHaveLength(3);
    expect(html.match(/<tr><(?!th)/g)).toBeNull();
  });
});
