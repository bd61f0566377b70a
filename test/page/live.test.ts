/** `dynpart ui` in a real browser: a commit that appears, a run that is followed, a server that goes, and another site that asks. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ATTACK_KEYS } from '../support/attack-keys.ts';
import { chromiumFile, startBrowser, WANTED } from '../support/browser.ts';
import { LivePage } from '../support/live-page.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
const at = (name) => path.join(import.meta.dirname, name);
const items = dynamicPartitions('items');
const fetched = asset({ name: 'fetched', partitions: items, async materialize({ partitionKey, log }) {
  log.info('fetching ' + partitionKey);
  if (partitionKey === 'slow') {
    while (!fs.existsSync(at('more'))) await sleep(20);
    log.info('half of it is there');
    while (!fs.existsSync(at('enough'))) await sleep(20);
  }
  if (partitionKey === 'bad') throw new Error('the server answered 503');
  return partitionKey;
} });
export default definePipeline({ assets: [fetched] });
`;

if (chromiumFile === undefined) it.skip(`the live page in a browser ${WANTED}`);

describe.skipIf(chromiumFile === undefined)('the live page in a browser', () => {
  let browser: Browser;
  let project: Project;
  let live: LivePage;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    project = new Project({ 'pipeline.ts': PIPELINE });
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b']);
    live = await LivePage.start(project);
    page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    page.setDefaultTimeout(60_000);
    complaints = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  });
  afterEach(async () => {
    const its = complaints;
    await page.context().close();
    await project[Symbol.asyncDispose]();
    expect(its).toEqual([]);
  });

  const open = async (): Promise<void> => {
    await page.goto(live.url);
    await page.getByText('Live: what is committed appears here.').waitFor();
  };
  const keys = (): Promise<string[]> =>
    page.locator('.rows > [role=row]:not([hidden]) .name').allInnerTexts();

  it('shows a commit as it happens, and leaves what is filtered, and where the reader is, as it was', async () => {
    await open();
    await page.getByLabel('Search').fill('b');
    expect(await keys()).toEqual(['b']);
    await project.dynpart(['partitions', 'add', 'items', 'bad', 'c', '--materialize']);
    await page.getByText('2 of 4 keys').waitFor();
    expect((await keys()).toSorted()).toEqual(['b', 'bad']);
    expect(await page.getByLabel('Search').inputValue()).toBe('b');
    // What failed wants somebody, and says what it was and how it is mended.
    await page.getByText(/fetched for bad failed: the server answered 503/).waitFor();
    await page.locator('.rows .name', { hasText: 'bad' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('dynpart materialize fetched --key bad').waitFor();
    expect(await dialog.innerText()).toContain('fetching bad');
    // It is removed while it is open.
    await project.dynpart(['partitions', 'remove', 'items', 'bad']);
    await page.getByText('1 of 3 keys').waitFor();
    expect(await dialog.innerText()).toContain('the server answered 503');
  });

  it('follows a run: what it writes, and how it ends', async () => {
    await open();
    const running = project.start(['partitions', 'add', 'items', 'slow', '--materialize']);
    await page.locator('.rows .name', { hasText: 'slow' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('fetching slow').waitFor();
    // What is written is read behind the state.
    await dialog.getByText('STARTED').first().waitFor();
    project.write({ more: '' });
    await dialog.getByText('half of it is there').waitFor();
    await dialog.getByText('in progress').waitFor();
    project.write({ enough: '' });
    await dialog.getByText('SUCCESS').first().waitFor();
    await dialog.getByText('materialized').waitFor();
    expect((await running.done).code).toBe(0);
  });

  it('says that the state is damaged and that the server is gone, and shows what was known', async () => {
    await open();
    const state = project.read('.dynpart', 'state.json');
    project.write({ '.dynpart/state.json': 'no state' });
    await page.getByText(/What you see is old, the state cannot be read now/).waitFor();
    expect(await keys()).toEqual(['b', 'a']);
    project.write({ '.dynpart/state.json': state });
    await page.getByText('Live: what is committed appears here.').waitFor();
    await live.end();
    await page.getByText(/The connection is lost/).waitFor();
    expect(await keys()).toEqual(['b', 'a']);
    // The browser says so, too.
    complaints = complaints.filter(
      (text) => !/net::ERR_(?:CONNECTION|INCOMPLETE_CHUNKED|EMPTY_RESPONSE|SOCKET)/.test(text),
    );
  });

  it('shows hostile keys that come while it is open as the text that they are', async () => {
    await open();
    const input = ATTACK_KEYS.map((key) => `${JSON.stringify(key)}\n`).join('');
    await project.dynpart(['partitions', 'add', 'items', '--from', '-', '--json-lines'], { input });
    await page.getByText(`${ATTACK_KEYS.length + 2} keys`, { exact: true }).waitFor();
    for (const at of [0, 5, 10]) {
      await page.locator('.rows > [role=row]:not([hidden])').nth(at).click();
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
    }
    expect(await page.locator('img, b, script:not(#data):not(:last-of-type)').count()).toBe(0);
    expect(await page.evaluate(() => document.body.innerText)).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  });

  it('gives another site nothing: no answer, no script, no frame', async () => {
    const site = http.createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html').end('<!DOCTYPE html><title>another site</title>');
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const { port } = site.address() as AddressInfo;
    // By another name than the page's: another site to the browser.
    await page.goto(`http://localhost:${port}/`);
    const got = await page.evaluate(async (url) => {
      const asked = (path: string, mode: RequestMode): Promise<string> =>
        fetch(url + path, { mode }).then(
          (response) => `${response.type} ${response.status}`,
          () => 'refused',
        );
      // oxlint-disable-next-line unicorn/consistent-function-scoping -- the browser has nothing else of this file
      const loads = (tag: 'script' | 'iframe', src: string): Promise<string> =>
        new Promise((resolve) => {
          const element = document.createElement(tag);
          element.addEventListener('load', () => resolve('loaded'));
          element.addEventListener('error', () => resolve('refused'));
          element.src = src;
          document.body.append(element);
        });
      const told = new Promise<string>((resolve) => {
        const events = new EventSource(`${url}events`);
        events.addEventListener('open', () => resolve('open'));
        events.addEventListener('error', () => resolve('refused'));
      });
      return {
        data: await asked('data.json', 'cors'),
        page: await asked('', 'cors'),
        // What is opaque: nothing of it can be read.
        blind: await asked('data.json', 'no-cors'),
        script: await loads('script', `${url}data.json`),
        events: await told,
      };
    }, live.url);
    expect(got).toEqual({
      data: 'refused',
      page: 'refused',
      blind: 'refused',
      script: 'refused',
      events: 'refused',
    });
    const frame = await page.evaluate(async (url) => {
      const element = document.createElement('iframe');
      element.src = url;
      document.body.append(element);
      await new Promise((resolve) => element.addEventListener('load', resolve));
      return element.contentDocument === null ? 'closed' : element.contentDocument.title;
    }, live.url);
    expect(frame).toBe('closed');
    expect(await page.frames().at(-1)!.locator('#page').count()).toBe(0);
    // Opened by a link it is there.
    await page.evaluate((url) => (location.href = url), live.url);
    await page.getByText('Live: what is committed appears here.').waitFor();
    complaints = complaints.filter(
      (text) => !/CORS|403|ERR_FAILED|frame-ancestors|ERR_BLOCKED|Refused to|MIME type/.test(text),
    );
    site.close();
    site.closeAllConnections();
  });
});
