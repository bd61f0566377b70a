/** The line that `schedule cron` prints, run by a real cron. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Project, root } from '../support/project.ts';

const canBeAlone = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0;
const why = !fs.existsSync('/usr/sbin/cron')
  ? 'there is no cron (apt-get install cron)'
  : canBeAlone
    ? null
    : 'only root may give cron a room of its own (unshare)';

const name = 'the printed line ticks when its minute comes, and what the tick says is mailed';

// A minute is the least that cron waits.
it.skipIf(why !== null)(why === null ? name : `SKIPPED, ${why}: ${name}`, { timeout: 300_000 }, async () => {
  // cron says what it does by way of syslog and mail. Not in /tmp: that folder may be open to all, which dynpart warns of.
  await using project = new Project({
    'an odd 100% folder/pipeline.ts': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
      const items = dynamicPartitions('items');
      const made = asset({ name: 'made', partitions: items, automate: 'missing', materialize: ({ exec }) => exec('node', ['--version']).then(({ stdout }) => stdout) });
      const found = sensor({ name: 'found', minimumIntervalSeconds: 60, evaluate: () => ({ dynamicPartitionsRequests: [items.buildAddRequest(['a'])] }) });
      export default definePipeline({ assets: [made], sensors: [found] });`,
  });
  const folder = project.path('an odd 100% folder');
  const { document } = await project.json(['schedule', 'cron'], { cwd: folder });
  const mailer = project.path('mailer');
  const mail = project.path('mail');
  project.write({ crontab: document.text, mailer: `#!/bin/sh\ncat >> '${mail}'\n` });
  fs.chmodSync(mailer, 0o755);
  const cron = spawn(
    'unshare',
    [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      path.join(root, 'test/support/cron-alone.sh'),
      project.path('crontab'),
      mailer,
    ],
    { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  cron.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    const isMailed = (): boolean =>
      !fs.existsSync('/usr/sbin/sendmail') ||
      (fs.existsSync(mail) && fs.readFileSync(mail, 'utf8').includes('run'));
    const value = path.join(folder, '.dynpart', 'values', 'made', 'a.json');
    while (!fs.existsSync(value) || !isMailed()) {
      if (cron.exitCode !== null) throw new Error(`cron ended: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // The user code, too, found a program by its name.
    expect(JSON.parse(fs.readFileSync(value, 'utf8'))).toBe(process.version);
    if (fs.existsSync(mail)) {
      const letter = fs.readFileSync(mail, 'utf8');
      expect(letter).toContain(`To: ${os.userInfo().username}\n`);
      expect(letter.slice(letter.indexOf('\n\n'))).toMatch(
        /^\s+found: 1 key added; automation: 1 run queued; 1 run succeeded in [\d.]+ s\s*$/,
      );
    }
  } finally {
    cron.kill('SIGKILL');
  }
});
