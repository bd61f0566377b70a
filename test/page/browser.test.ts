/** The page in a real browser: what a person with eyes, a keyboard, a screen reader, a phone or a printer has of it. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pageTemplate } from '../../src/cli/page/page-html.ts';
import { printable } from '../../src/model/text.ts';
import type { PageData } from '../../src/report/page-data.ts';
import { ATTACK_KEYS } from '../support/attack-keys.ts';
import { chromiumFile, startBrowser, WANTED } from '../support/browser.ts';
import { AT } from '../support/builders.ts';
import { largeData, pageAsset, pageData, pageRun, pageSet } from '../support/page-data.ts';
import { root } from '../support/project.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

if (chromiumFile === undefined) it.skip(`the page in a browser ${WANTED}`);

describe.skipIf(chromiumFile === undefined)('the page in a browser', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-page-'));
  const template = pageTemplate(path.join(root, 'dist'));
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    fs.rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    // Whatever it was shown: no error, and nothing asked of anybody.
    const its = complaints;
    await page.context().close();
    expect(its).toEqual([]);
  });

  async function open(data: PageData, options: BrowserContextOptions = {}): Promise<void> {
    const file = path.join(folder, 'page.html');
    fs.writeFileSync(file, template(data));
    page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })).newPage();
    page.setDefaultTimeout(60_000);
    complaints = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href) complaints.push(`asked for ${request.url()}`);
    });
    page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
    await page.goto(pathToFileURL(file).href);
    await page.getByRole('heading', { name: 'Sensors' }).waitFor();
  }

  /** The keys that there are elements of, from top to bottom. */
  const rows = (): Promise<string[]> =>
    page
      .locator('.rows > [role=row]:not([hidden])')
      .evaluateAll((all) =>
        all
          .toSorted((one, other) => Number(one.ariaRowIndex) - Number(other.ariaRowIndex))
          .map((row) => row.querySelector('.name')!.textContent),
      );

  /** What axe finds, in words. */
  async function faults(): Promise<string[]> {
    // By the driver: the page's own policy lets nobody add a script.
    await page.evaluate(fs.readFileSync(AXE, 'utf8'));
    return page.evaluate(async () => {
      const axe = (globalThis as unknown as { axe: { run: () => Promise<{ violations: Fault[] }> } }).axe;
      const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
  }

  it('names who executes runs, and says where nobody does', async () => {
    const workers = [
      {
        host: 'one<b>',
        pid: 4711,
        since: '2026-01-01T00:00:00.000Z',
        lastSeen: '2026-01-01T00:01:00.000Z',
        runs: 3,
      },
    ];
    await open(pageData({ workers }));
    const table = page.getByRole('region', { name: '1 process' });
    await table.getByText('one<b>').waitFor();
    await table.getByText('4711').waitFor();
    await open(pageData());
    await page.getByText('Nobody executes runs now.').waitFor();
    expect(complaints).toEqual([]);
  });

  it('filters by text and state, shows the failed first, and opens one with its error and how to mend it', async () => {
    await open(SMALL);
    expect(await rows()).toEqual(['b', 'd', 'c', 'a']);
    await page.getByLabel('Search').fill('C');
    expect(await rows()).toEqual(['c']);
    await page.getByLabel('Search').fill('');
    await page.getByRole('button', { name: /failed/ }).click();
    expect(await rows()).toEqual(['b']);
    expect(await page.locator('.said').innerText()).toBe('1 of 4 keys');
    await page.getByText('b', { exact: true }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: 'b', exact: true }).waitFor();
    const text = await dialog.innerText();
    expect(text).toContain('the server answered 503');
    expect(text).toContain('dynpart materialize sum --key b');
    expect(text).toContain('fetching b');
    expect(text).toContain('{\n "title": "B"\n}');
    await page.keyboard.press('Escape');
    expect(await dialog.isVisible()).toBe(false);
  });

  it('is worked with a keyboard alone', async () => {
    await open(SMALL);
    await page.getByRole('grid').focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('heading', { name: 'a', exact: true }).waitFor();
    await page.keyboard.press('Escape');
    // Back where it was.
    expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('grid');
    await page.keyboard.press('ArrowUp');
    const active = await page.getByRole('grid').getAttribute('aria-activedescendant');
    expect(await page.locator(`#${active} .name`).innerText()).toBe('c');
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 380],
    ['dark', 380],
  ] as const)(
    'has nothing that axe finds fault with, also with a key open: %s, %i wide',
    async (colorScheme, width) => {
      await open(SMALL, { colorScheme, viewport: { width, height: 800 } });
      expect(await faults()).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      await page.locator('.rows > [role=row]:visible').first().click();
      expect(await faults()).toEqual([]);
    },
  );

  it('shows hostile keys, names and errors as the text that they are', async () => {
    const words = `<img src=x onerror=alert(1)></script>\u202e${'e\u0301\u0489'.repeat(50)}`;
    const keys = [...ATTACK_KEYS, 'ü'.repeat(512), `<b>${'z'.repeat(1021)}`];
    await open(
      pageData({
        ...SMALL,
        place: words,
        attention: [{ what: words, commands: [{ what: words, command: words }], note: words }],
        sets: [
          {
            ...pageSet(keys, { sum: 'f'.repeat(keys.length) }),
            carried: { 0: { item: { [words]: words } } },
          },
        ],
        runs: [pageRun('r', { key: keys[0]!, status: 'FAILURE', error: words })],
        logs: { r: [{ at: AT, asset: words, attempt: 1, text: words }] },
      }),
      { viewport: { width: 380, height: 4000 } },
    );
    const shown = await rows();
    expect(shown.toSorted()).toEqual(keys.map(printable).toSorted());
    await page.locator('.rows > [role=row]:not([hidden])').nth(3).click();
    await page.getByRole('dialog').waitFor();
    expect(await page.locator('img, b').count()).toBe(0);
    expect(await page.evaluate(() => document.body.innerText)).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    // Nothing of it is wider than a phone.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(380);
    const dialog = page.getByRole('dialog');
    expect(await dialog.evaluate((its) => its.scrollWidth - its.clientWidth)).toBe(0);
  });

  it('is printed with its first keys and without what cannot be pressed on paper', async () => {
    await open(SMALL);
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    await page.emulateMedia({ media: 'print' });
    expect(await rows()).toEqual(['b', 'd', 'c', 'a']);
    expect(await page.getByLabel('Search').isVisible()).toBe(false);
    expect(await page.getByRole('button', { name: 'copy' }).first().isVisible()).toBe(false);
  });

  it('goes to the last of more keys than a browser can draw in one piece, and opens it', async () => {
    const keys = Array.from({ length: 900_000 }, (_, at) => `k${at}`);
    await open(pageData({ ...SMALL, runs: [], sets: [pageSet(keys, { sum: `${'m'.repeat(899_999)}f` })] }));
    const grid = page.getByRole('grid');
    expect(await rows()).toContain('k899999');
    await grid.focus();
    await page.keyboard.press('End');
    expect((await rows()).at(-1)).toBe('k0');
    expect(await page.locator('.rows .active .name').innerText()).toBe('k0');
    // It is seen, and not below the edge.
    const seen = await page.locator('.rows .active').evaluate((row) => {
      const [box, all] = [row.getBoundingClientRect(), row.closest('[role=grid]')!.getBoundingClientRect()];
      return box.top > all.top && box.bottom <= all.bottom;
    });
    expect(seen).toBe(true);
    await page.keyboard.press('PageUp');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const opened = await dialog.getByRole('heading').first().innerText();
    expect(Number(opened.slice(1))).toBeGreaterThan(5);
    await page.keyboard.press('Escape');
    // With a wheel as well.
    await grid.evaluate((its) => (its.scrollTop = its.scrollHeight));
    await page.waitForFunction(() => document.querySelector('.rows')!.textContent.includes('k0'));
    await grid.evaluate((its) => (its.scrollTop = its.scrollHeight / 2));
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.rows .name')].some(({ textContent }) =>
        /^k4[45]\d{4}$/.test(textContent),
      ),
    );
  });

  it('shows a hundred thousand keys of twenty assets, draws what is seen of them, and filters them', async () => {
    await open(largeData(1000, 20));
    const few = await leap(page);
    await open(largeData(100_000, 20));
    expect(await page.locator('.rows > [role=row]').count()).toBeLessThan(100);
    const many = await leap(page);
    // The figures of a quiet machine are in docs/performance.md.
    expect(many / few).toBeLessThan(10);
    // At the end of all.
    expect((await rows()).at(-1)).toBe('episode-000000');
    await page.getByLabel('Search').fill('episode-05432');
    expect(await page.locator('.said').innerText()).toBe('10 of 100,000 keys');
    expect(await rows()).toHaveLength(10);
    if (process.env['DYNPART_FIGURES'] !== undefined) {
      const drawn = await page.evaluate(() => performance.getEntriesByName('drawn')[0]!.startTime);
      console.log(`100,000 keys of 20 assets: first view ${drawn} ms, a leap of scrolling ${many} ms`);
    }
  });
});

/** How long a leap of scrolling takes, in ms: the middle of a hundred, in the best of five rounds, since what else the machine does only adds. */
async function leap(page: Page): Promise<number> {
  const rounds: number[] = [];
  while (rounds.length < 5) rounds.push(middle(await page.evaluate(scrollOverAll)));
  return Math.min(...rounds);
}

function middle(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)]!;
}

interface Fault {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** Goes through all rows in a hundred leaps, and says how many milliseconds of script each took. */
function scrollOverAll(): number[] {
  const grid = document.querySelector<HTMLElement>('[role=grid]')!;
  return Array.from({ length: 100 }, (_, at) => {
    grid.scrollTop = ((at + 1) / 100) * grid.scrollHeight;
    const before = performance.now();
    grid.dispatchEvent(new Event('scroll'));
    return performance.now() - before;
  });
}

const SMALL = pageData({
  assets: [
    pageAsset('raw', { total: 4, materialized: 4 }),
    pageAsset('sum', { total: 4, materialized: 1, failed: 1, missing: 1, skipped: 1, inputs: ['raw'] }),
  ],
  attention: [
    { what: 'sum for b failed', commands: [{ what: null, command: 'dynpart runs logs r-2' }], note: null },
  ],
  sensors: [
    {
      sensor: 'feed',
      status: 'RUNNING',
      ticks: ['FAILURE', 'SUCCESS', 'SKIPPED'].map((status) => ({
        startedAt: AT,
        finishedAt: AT,
        status,
        added: 1,
        removed: 0,
        runs: 1,
        said: 'nothing new',
      })),
    },
    { sensor: 'idle', status: 'STOPPED', ticks: [] },
  ],
  sets: [
    {
      ...pageSet(['a', 'b', 'c', 'd'], { raw: 'mmms', sum: 'mfk.' }),
      carried: { 1: { version: 'v1', item: { title: 'B' } } },
    },
  ],
  runs: [
    pageRun('r-2', {
      key: 'b',
      status: 'FAILURE',
      assets: [
        {
          asset: 'sum',
          status: 'FAILURE',
          attempts: 3,
          reason: 'missing',
          metadata: {},
          warnings: [],
          said: 'the server answered 503',
        },
      ],
    }),
    pageRun('r-1', {
      assets: [
        {
          asset: 'sum',
          status: 'SUCCESS',
          attempts: 1,
          reason: 'missing',
          said: null,
          metadata: { bytes: 12, source: { deep: ['x'] } },
          warnings: [['few words', 'only <b>3</b>\u0007']],
        },
      ],
    }),
  ],
  logs: { 'r-2': [{ at: AT, asset: 'sum', attempt: 3, text: 'fetching b' }] },
});
