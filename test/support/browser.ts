/** A real Chromium for tests, where the machine has one. */
import fs from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [
  process.env['DYNPART_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Its program; `undefined`: there is none. */
export const chromiumFile = PLACES.find((file) => file !== undefined && file !== '' && fs.existsSync(file));

/** What is said where there is none. */
export const WANTED = 'wants a Chromium: apt-get install chromium, or DYNPART_CHROMIUM=/path/to/it';

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumFile!,
    timeout: 120_000,
    // Its own walls need rights that a container does not give, and what it is shown here is ours.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}
