/** What each command does, for the help that names them all: help alone loads it. */
export const SUMMARIES: Readonly<Record<string, string>> = {
  dynpart: 'Dynamic partitions: sensors discover keys, runs materialize assets for them, cron drives it.',
  init: 'a pipeline that runs as it is, and what it needs beside it',
  check: 'load the pipeline and say all that is wrong with it',
  partitions: 'list, add and remove partition keys',
  sensor: 'evaluate sensors and look after them',
  materialize: 'materialize assets for chosen keys',
  value: 'what was made for an asset and key, and the file that it is in',
  worker: 'take queued runs and execute them until SIGINT or SIGTERM',
  runs: 'runs, what they printed, retry and cancel',
  assets: 'list assets, mark keys by hand',
  status: 'what is materialized, failed, in progress and missing, per asset',
  state: 'check, copy and restore the state',
  doctor: 'what could go wrong on this machine, checked one by one',
  schedule: 'lines for cron and units for systemd that tick this pipeline',
  explain: 'an error code, at length',
  completion: 'a script that completes commands, flags, sets, keys, sensors and assets',
};
