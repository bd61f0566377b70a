/**
 * A PostgreSQL server of the tests' own, from the machine's binaries: on a port and in a folder of its own, so that it can be
 * killed and restarted. Where the machine has none, the tests that need it fail and say so.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** `initdb` and `postgres` refuse to run as root. */
const USER_OF_ROOT = 'postgres';

/**
 * @typedef {object} ClusterOptions
 * @property {boolean} [syncs] whether a commit waits for the disk; not in tests, where only the process is killed
 * @property {string} [network] such as 10.0.0.0/8: from there it may be reached, too
 * @property {{ certificate: string, key: string }} [tls] files, which it then asks the user `tls` to come with
 */

export class PostgresCluster {
  #bin;

  /**
   * @private
   * @param {string} folder
   * @param {number} port
   * @param {string} bin
   */
  constructor(folder, port, bin) {
    this.folder = folder;
    this.port = port;
    this.#bin = bin;
  }

  /** @param {ClusterOptions} [options] */
  static async start({ syncs = false, network, tls } = {}) {
    const bin = binaries();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-pg-'));
    if (process.getuid?.() === 0) execFileSync('chown', [USER_OF_ROOT, folder]);
    const cluster = new PostgresCluster(folder, await freePort(), bin);
    cluster.#fill();
    fs.appendFileSync(
      path.join(cluster.#data, 'postgresql.conf'),
      `\nlisten_addresses = '127.0.0.1'\nport = ${cluster.port}\nunix_socket_directories = ''\nmax_connections = 200\nfsync = ${syncs ? 'on' : 'off'}\n`,
    );
    if (network !== undefined) cluster.#open(network, tls);
    cluster.restart('start');
    return cluster;
  }

  /** With what `initdb` makes: that of the first cluster of these tests is copied, which takes a third of the time. */
  #fill() {
    const shared = process.env['DYNPART_TEST_CLUSTER'];
    if (shared === undefined) return this.#init(this.#data);
    const first = path.join(shared, 'data');
    if (!fs.existsSync(first)) {
      if (process.getuid?.() === 0) execFileSync('chown', [USER_OF_ROOT, shared]);
      const own = path.join(shared, path.basename(this.folder));
      this.#init(own);
      try {
        fs.renameSync(own, first);
      } catch (error) {
        // Another process was faster.
        if (!fs.existsSync(first)) throw error;
      }
    }
    this.#run('/bin/cp', ['-a', first, this.#data]);
  }

  /** @param {string} data */
  #init(data) {
    this.#run('initdb', ['-D', data, '-U', 'dynpart', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N']);
  }

  /**
   * @param {string} network
   * @param {ClusterOptions['tls']} tls
   */
  #open(network, tls) {
    let settings = `listen_addresses = '*'\n`;
    if (tls !== undefined) {
      for (const [name, file] of Object.entries(tls)) {
        const copy = path.join(this.#data, name);
        fs.copyFileSync(file, copy);
        fs.chmodSync(copy, 0o600);
        if (process.getuid?.() === 0) execFileSync('chown', [USER_OF_ROOT, copy]);
      }
      settings += `ssl = on\nssl_cert_file = 'certificate'\nssl_key_file = 'key'\n`;
    }
    fs.appendFileSync(path.join(this.#data, 'postgresql.conf'), settings);
    const users = `hostssl all tls ${network} trust\nhost all dynpart ${network} trust\n`;
    fs.appendFileSync(path.join(this.#data, 'pg_hba.conf'), users);
  }

  get server() {
    return `postgres://dynpart@127.0.0.1:${this.port}/postgres`;
  }

  /** @param {string} schema a state of its own */
  url(schema) {
    return `${this.server}?schema=${schema}`;
  }

  /**
   * `immediate` is a crash: nothing is written that was not.
   * @param {'fast' | 'immediate'} [mode]
   */
  stop(mode = 'immediate') {
    this.#run('pg_ctl', ['-D', this.#data, '-m', mode, '-w', 'stop']);
  }

  /** @param {'start' | 'restart'} [how] */
  restart(how = 'start') {
    this.#run('pg_ctl', [
      '-D',
      this.#data,
      '-l',
      path.join(this.folder, 'log'),
      '-w',
      '-m',
      'immediate',
      how,
    ]);
  }

  /** A server that follows this one and does not keep it waiting. */
  async follower() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-pg-'));
    if (process.getuid?.() === 0) execFileSync('chown', [USER_OF_ROOT, folder]);
    const follower = new PostgresCluster(folder, await freePort(), this.#bin);
    const from = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'dynpart'];
    this.#run('pg_basebackup', [...from, '-D', follower.#data, '-c', 'fast', '-R', '-N']);
    fs.appendFileSync(path.join(follower.#data, 'postgresql.conf'), `port = ${follower.port}\n`);
    follower.restart('start');
    return follower;
  }

  /** A server that has followed another one takes its place. */
  promote() {
    this.#run('pg_ctl', ['-D', this.#data, '-w', 'promote']);
  }

  [Symbol.dispose]() {
    try {
      if (fs.existsSync(path.join(this.#data, 'postmaster.pid'))) this.stop();
    } finally {
      fs.rmSync(this.folder, { recursive: true, force: true });
    }
  }

  get #data() {
    return path.join(this.folder, 'data');
  }

  /**
   * @param {string} program
   * @param {readonly string[]} args
   */
  #run(program, args) {
    const command = [path.resolve(this.#bin, program), ...args];
    const [file = '', ...rest] =
      process.getuid?.() === 0
        ? ['setpriv', `--reuid=${USER_OF_ROOT}`, `--regid=${USER_OF_ROOT}`, '--clear-groups', ...command]
        : command;
    const { status, stderr, stdout, error } = spawnSync(file, rest, {
      cwd: this.folder,
      encoding: 'utf8',
      // Not a pipe that the server would hold open for ever.
      stdio: ['ignore', program === 'pg_ctl' ? 'ignore' : 'pipe', program === 'pg_ctl' ? 'ignore' : 'pipe'],
    });
    if (status !== 0)
      throw new Error(
        `${program} ended with ${status}: ${error?.message ?? ''} ${stderr ?? ''}${stdout ?? ''}`,
      );
  }
}

function binaries() {
  const root = '/usr/lib/postgresql';
  const versions = fs.existsSync(root)
    ? fs.readdirSync(root).sort((one, other) => Number(other) - Number(one))
    : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(path.delimiter),
    ...versions.map((version) => path.join(root, version, 'bin')),
  ];
  const found = folders.find((folder) => fs.existsSync(path.join(folder, 'initdb')));
  if (found === undefined)
    throw new Error(
      'there is no initdb in PATH or /usr/lib/postgresql: install PostgreSQL to run these tests',
    );
  return path.dirname(fs.realpathSync(path.join(found, 'initdb')));
}

/** @returns {Promise<boolean>} */
function isFree(/** @type {number} */ port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server
      .on('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * Below those that the system gives to whoever asks for any, as each connection does: else another one may have it before the server
 * is there, or while that is down.
 * @returns {Promise<number>}
 */
async function freePort() {
  for (;;) {
    const port = 10_000 + crypto.randomInt(20_000);
    if (await isFree(port)) return port;
  }
}
