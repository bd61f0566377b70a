/** (g) Looking: the page of 100,000 keys × 20 assets in a real Chromium, as one file and live, while others commit. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { demand, dynpart, env, figureRow, folderWith, run } from './harness.mjs';

/**
 * @import { Page } from 'playwright-core'
 * @import { Options } from './harness.mjs'
 * @import { Row } from './table.mjs'
 */

const KEYS = 100_000;
const ASSETS = 20;

/** What a person takes for at once, and what a screen takes for smooth. */
const AIMS = { firstViewMs: 1000, frameMs: 16 };

const pipeline = `
import { asset, definePipeline, dynamicPartitions } from 'dynpart';

const items = dynamicPartitions('items');
const assets = [];
for (let at = 0; at < ${ASSETS}; at++)
  assets.push(asset({ name: \`asset-\${at + 1}\`, partitions: items, ...(at > 0 && { deps: [assets[at >> 1]] }), materialize: () => at }));
export default definePipeline({ assets });
`;

export const name = 'looking';
export const title = `The page of ${KEYS.toLocaleString('en')} keys × ${ASSETS} assets in headless Chromium`;

/**
 * @param {Options} options
 * @returns {Promise<Row[]>}
 */
export async function measure({ quick }) {
  const rounds = quick ? 3 : 7;
  const executablePath = process.env['DYNPART_CHROMIUM'] ?? '/usr/bin/chromium';
  if (!fs.existsSync(executablePath))
    return [{ id: 'looking.file', what: 'the page', skipped: 'no Chromium: apt-get install chromium' }];
  const folder = folderWith('looking', { 'pipeline.ts': pipeline });
  const keys = Array.from({ length: KEYS }, (_, at) => `episode-${String(at).padStart(6, '0')}\n`);
  fs.writeFileSync(path.join(folder, 'keys.txt'), keys.join(''));
  fs.writeFileSync(path.join(folder, 'made.txt'), keys.filter((_, at) => at % 50 !== 7).join(''));
  run(dynpart(['partitions', 'add', 'items', '--from', 'keys.txt', '-q'], folder));
  for (let at = 1; at <= ASSETS; at++)
    run(
      dynpart(
        ['assets', 'mark', `asset-${at}`, '--as', 'materialized', '--keys-from', 'made.txt', '-q'],
        folder,
      ),
    );
  run(dynpart(['status', '--html', 'page.html'], folder));
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  try {
    const file = pathToFileURL(path.join(folder, 'page.html')).href;
    const asFile = await seen(rounds, () => opened(browser, file));
    const ui = spawn(process.execPath, [dynpart([], folder).args[0] ?? '', 'ui', '--port', '0', '--json'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise((resolve) =>
      ui.stdout.once('data', (line) => resolve(JSON.parse(String(line)).url)),
    );
    const live = await seen(rounds, () => opened(browser, url));
    const commits = await whileOthersCommit(await opened(browser, url), rounds, folder);
    ui.kill();
    return [
      figureRow({
        id: 'looking.file',
        what: 'one file: opened until its keys are drawn',
        unit: 'ms',
        aim: AIMS.firstViewMs,
        values: asFile.first,
      }),
      figureRow({
        id: 'looking.scroll',
        what: 'script of a frame, while all keys scroll by',
        unit: 'ms',
        aim: AIMS.frameMs,
        values: asFile.frames,
      }),
      figureRow({
        id: 'looking.live',
        what: '`ui`: opened until its keys are drawn',
        unit: 'ms',
        aim: AIMS.firstViewMs,
        values: live.first,
      }),
      figureRow({
        id: 'looking.live-scroll',
        what: '`ui`: script of a frame, while all keys scroll by',
        unit: 'ms',
        aim: AIMS.frameMs,
        values: live.frames,
      }),
      figureRow({
        id: 'looking.commit',
        what: '`ui`: from a commit of another process until it is seen',
        unit: 'ms',
        values: commits.until,
      }),
      figureRow({
        id: 'looking.redraw',
        what: '`ui`: longest task of the page for it',
        unit: 'ms',
        values: commits.tasks,
      }),
    ];
  } finally {
    await browser.close();
  }
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 */
async function opened(browser, url) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(url);
  await page.getByRole('heading', { name: 'Sensors' }).waitFor();
  return page;
}

/**
 * @param {number} rounds
 * @param {() => Promise<Page>} open
 */
async function seen(rounds, open) {
  const first = [];
  const frames = [];
  for (let round = 0; round < rounds; round++) {
    const page = await open();
    demand((await page.locator('.said').innerText()) === '100,000 keys', 'all keys are on the page');
    first.push(await page.evaluate(() => performance.getEntriesByName('drawn')[0]?.startTime ?? Infinity));
    frames.push(...(await page.evaluate(SCROLL_OVER_ALL)));
    await page.context().close();
  }
  return { first, frames };
}

/** Goes through all rows, a leap a frame, and says how many milliseconds of script each took. In the browser. */
const SCROLL_OVER_ALL = `(async () => {
  const grid = document.querySelector('[role=grid]');
  const times = [];
  for (let at = 1; at <= 100; at++) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    grid.scrollTop = (at / 100) * grid.scrollHeight;
    const before = performance.now();
    grid.dispatchEvent(new Event('scroll'));
    times.push(performance.now() - before);
  }
  return times;
})()`;

/** From here on the longest time between two turns of the page's event loop is known. In the browser. */
const WATCH_TURNS = `
  globalThis.longest = 0;
  const channel = new MessageChannel();
  let last = performance.now();
  channel.port1.onmessage = () => {
    const now = performance.now();
    globalThis.longest = Math.max(globalThis.longest, now - last);
    last = now;
    setTimeout(() => { last = performance.now(); channel.port2.postMessage(0); });
  };
  channel.port2.postMessage(0);
`;

/**
 * @param {Page} page
 * @param {number} rounds
 * @param {string} folder
 */
async function whileOthersCommit(page, rounds, folder) {
  const until = [];
  const tasks = [];
  await page.evaluate(WATCH_TURNS);
  for (let round = 1; round <= rounds; round++) {
    await page.waitForTimeout(1500);
    await page.evaluate('globalThis.longest = 0');
    const words = `${(KEYS + round).toLocaleString('en')} keys`;
    execFileSync(
      process.execPath,
      [dynpart([], folder).args[0] ?? '', 'partitions', 'add', 'items', `late-${round}`, '-q'],
      { cwd: folder, env },
    );
    const committed = performance.now();
    await page.getByText(words, { exact: true }).waitFor();
    until.push(performance.now() - committed);
    await page.waitForTimeout(300);
    tasks.push(Number(await page.evaluate('globalThis.longest')));
  }
  await page.context().close();
  return { until, tasks };
}
