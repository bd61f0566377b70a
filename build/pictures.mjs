/**
 * `npm run pictures`: makes the pictures of the page in docs/pictures, from a pipeline that really runs. Wants a Chromium, as the
 * tests of the page do.
 */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const root = path.join(import.meta.dirname, '..');
const into = process.argv[2] ?? path.join(root, 'docs/pictures');
const executablePath = process.env['DYNPART_CHROMIUM'] ?? '/usr/bin/chromium';

/** Four weeks of a podcast, with what happens in four weeks. */
const PIPELINE = `
import { asset, definePipeline, dynamicPartitions, sensor, skip } from 'dynpart';
import fs from 'node:fs';
import path from 'node:path';
const episodes = dynamicPartitions('episodes');
const at = (name) => path.join(import.meta.dirname, name);
const day = (key) => Number(key.slice(-2));
const audio = asset({ name: 'audio', partitions: episodes, materialize({ partitionKey, log, addMetadata }) {
  log.info('GET https://podcast.example/' + partitionKey + '.mp3');
  if (partitionKey === '2026-11-24' && !fs.existsSync(at('mended'))) {
    log.info('503 Service Unavailable, after 3 tries');
    throw new Error('the server answered 503 Service Unavailable');
  }
  addMetadata({ megabytes: 31 + (day(partitionKey) * 7) % 23, source: 'https://podcast.example/' + partitionKey + '.mp3?key=secret' });
  return { seconds: 1800 + day(partitionKey) * 31 };
} });
const transcript = asset({ name: 'transcript', partitions: episodes, inputs: { audio }, codeVersion: fs.existsSync(at('newer')) ? '2' : '1',
  materialize({ partitionKey, inputs, log, addMetadata }) {
    log.info('whisper large-v3, ' + inputs.audio.seconds + ' s');
    if (day(partitionKey) % 13 === 5) skip('there is music only');
    addMetadata({ words: inputs.audio.seconds * 2 });
    return 'words of ' + partitionKey;
  } });
const chapters = asset({ name: 'chapters', partitions: episodes, inputs: { transcript }, materialize: ({ partitionKey, addMetadata }) => {
  addMetadata({ chapters: 3 + day(partitionKey) % 6 });
  return ['intro'];
} });
const summary = asset({ name: 'summary', partitions: episodes, inputs: { transcript }, materialize({ partitionKey }) {
  if (partitionKey === '2026-11-16') throw new TypeError('the model answered no JSON: "I am sorry"');
  return 'short ' + partitionKey;
} });
const clip = asset({ name: 'clip', partitions: episodes, inputs: { audio, chapters }, materialize: () => 'clip' });
const feed = sensor({ name: 'podcast-feed', assets: [audio, transcript, chapters, summary], evaluate: async ({ partitions }) => {
  const keys = JSON.parse(fs.readFileSync(at('feed.json'), 'utf8'));
  const fresh = await partitions(episodes).missing(keys);
  return fresh.length === 0 ? { skipReason: 'nothing new, ' + keys.length + ' items' } : {
    dynamicPartitionsRequests: [episodes.buildAddRequest(fresh.map((key) => ({ key, version: 'etag-' + day(key), item: { title: 'Episode ' + day(key), minutes: 30 + day(key) } })))],
    runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })),
  };
} });
export default definePipeline({ assets: [audio, transcript, chapters, summary, clip], sensors: [feed] });
`;

/** A name that is short in a picture, where it is free. */
function ownFolder() {
  const short = path.join(os.tmpdir(), 'podcast');
  if (fs.existsSync(short)) return fs.mkdtempSync(`${short}-`);
  fs.mkdirSync(short);
  return short;
}

const folder = ownFolder();
const binary = path.join(root, 'bin/dynpart.cjs');

/** @param {readonly string[]} args */
function dynpart(...args) {
  try {
    execFileSync(process.execPath, [binary, ...args], { cwd: folder, stdio: 'ignore' });
  } catch {
    // A run that fails is a part of the picture.
  }
}

/** @param {number} last */
function feedUpTo(last) {
  const keys = Array.from({ length: last }, (_, at) => `2026-11-${String(at + 1).padStart(2, '0')}`);
  fs.writeFileSync(path.join(folder, 'feed.json'), JSON.stringify(keys));
}

fs.writeFileSync(path.join(folder, 'pipeline.ts'), PIPELINE);
for (const last of [9, 9, 14, 17, 17, 20, 22, 25, 25]) {
  feedUpTo(last);
  dynpart('sensor', 'tick');
}
fs.writeFileSync(path.join(folder, 'newer'), '');
dynpart(
  'materialize',
  'clip',
  ...['01', '02', '03', '07', '11', '12'].flatMap((day) => ['--key', `2026-11-${day}`]),
);
dynpart(
  'materialize',
  'transcript',
  'chapters',
  'summary',
  ...['23', '22', '21'].flatMap((day) => ['--key', `2026-11-${day}`]),
);
dynpart('sensor', 'tick');
dynpart('partitions', 'add', 'episodes', '2026-11-26', '2026-11-27');
dynpart('materialize', '--key', '2026-11-27', '--no-run');

const ui = spawn(process.execPath, [binary, 'ui', '--port', '0', '--json'], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const url = await new Promise((resolve) =>
    ui.stdout.once('data', (line) => resolve(JSON.parse(String(line)).url)),
  );
  await take(url);
} finally {
  ui.kill();
  fs.rmSync(folder, { recursive: true });
}

/** @param {string} url */
async function take(url) {
  fs.mkdirSync(into, { recursive: true });
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  const laptop = { viewport: { width: 1180, height: 860 }, deviceScaleFactor: 1.5 };
  const phone = {
    viewport: { width: 380, height: 760 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  };
  for (const colorScheme of /** @type {const} */ (['light', 'dark']))
    for (const [name, options] of Object.entries({ laptop, phone })) {
      const page = await (await browser.newContext({ ...options, colorScheme })).newPage();
      await page.goto(url);
      await page.getByRole('heading', { name: 'Sensors' }).waitFor();
      await keep(page, `${name}-${colorScheme}`);
      await page.locator('.keys').evaluate((its) => its.scrollIntoView());
      await page.waitForTimeout(100);
      await keep(page, `${name}-keys-${colorScheme}`);
      await page.locator('.rows .name', { hasText: '2026-11-24' }).click();
      await page.getByRole('dialog').waitFor();
      await keep(page, `${name}-key-${colorScheme}`);
      await page.context().close();
    }
  await browser.close();
}

/**
 * WebP is a third of PNG, and the driver's own pictures know only PNG and JPEG.
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
async function keep(page, name) {
  if (process.env['DYNPART_PNG'] !== undefined)
    return page.screenshot({ path: path.join(into, `${name}.png`) });
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
  fs.writeFileSync(path.join(into, `${name}.webp`), Buffer.from(data, 'base64'));
  return undefined;
}
