#!/usr/bin/env node
// Figures: each bench in a process of its own; a table for people, then one JSON document as the last line.
//   npm run bench            all of them
//   npm run bench -- NAME…   some
//   npm run bench -- scale-1000 --hosts 100   with fewer hosts
//   npm run bench -- ovn [--hosts 16]         against OVN on Open vSwitch (installs Debian's OVN)
//   npm run bench -- ovn --simulated          against OVN with more ports, on switches without a data plane
import { spawn } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { labObstacle } from '../setup/lab.js';
import { ensureOvn, ovnObstacle } from '../setup/ovn.js';
import { ROOT, SetupError } from '../setup/shell.js';

const PROGRAM = join(ROOT, 'dist', 'test', 'bench', 'main.js');
/** What waits for the log lives about as long as a round trip: the default of 16 MB would promote it all. */
const HEAP = '--max-semi-space-size=64';
const LONGEST_MS = 480_000;

/** Progress; standard output is for the figures. */
const say = (line) => process.stderr.write(`${line}\n`);

const { BENCHES } = await import(PROGRAM);
const { values: options, positionals } = parseArgs({
  options: { hosts: { type: 'string' }, simulated: { type: 'boolean' } },
  allowPositionals: true,
});
if (options.hosts !== undefined && !/^[1-9]\d{0,4}$/.test(options.hosts)) {
  say(`--hosts is a number of hosts, not ${options.hosts}`);
  process.exit(2);
}
const asked = positionals.map((name) => (options.simulated && name === 'ovn' ? 'ovn-simulated' : name));
if (options.simulated && !asked.includes('ovn-simulated')) {
  say('--simulated is for the bench ovn');
  process.exit(2);
}
const unknown = asked.find((name) => !(name in BENCHES));
if (unknown !== undefined) {
  say(`no bench ${unknown}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}

const size = options.hosts === undefined ? {} : { PORTOLAN_BENCH_HOSTS: options.hosts };

/** Runs one; resolves with its figures, or with why there are none. */
function bench(name) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [HEAP, PROGRAM, name], {
      cwd: ROOT,
      env: {
        ...process.env,
        ...size,
        PORTOLAN_NO_LAB: labObstacle() ?? '',
        PORTOLAN_NO_OVN: ovnObstacle() ?? '',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (data) => (out += data));
    const pass = (signal) => child.kill(signal);
    process.on('SIGINT', pass).on('SIGTERM', pass);
    const timer = setTimeout(() => child.kill('SIGTERM'), LONGEST_MS);
    child.once('close', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      clearTimeout(timer);
      try {
        resolve({ figures: JSON.parse(out) });
      } catch {
        resolve({ figures: [], failure: `${name} ended with ${signal ?? code} and without figures` });
      }
    });
  });
}

const COLUMNS = ['bench', 'what', 'unit', 'min', 'p50', 'p95', 'p99', 'max', 'n', 'target', ''];
const row = ({ bench: name, what, unit, spread: s, target }) => [
  name,
  what,
  unit,
  ...[s.min, s.p50, s.p95, s.p99, s.max, s.n].map(String),
  target?.text ?? '',
  target === undefined ? '' : target.met ? 'met' : 'MISSED',
];

function table(figures) {
  const rows = [COLUMNS, ...figures.map(row)];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  return rows
    .map((r) =>
      r
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

// Only who asks for the comparison gets somebody else's packages.
if (asked.some((name) => name.startsWith('ovn'))) {
  try {
    await ensureOvn();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`OVN could not be installed: ${error.message}`);
  }
}
const begun = Date.now();
const load = { before: loadavg()[0] };
const figures = [];
const failures = [];
for (const name of asked.length > 0 ? asked : Object.keys(BENCHES)) {
  say(`bench ${name}`);
  const result = await bench(name);
  figures.push(...result.figures);
  if (result.failure !== undefined) failures.push(result.failure);
}
const document = {
  figures,
  failures,
  machine: { cpus: cpus().length, node: process.version, load: { ...load, after: loadavg()[0] } },
  seconds: Math.round((Date.now() - begun) / 1000),
};
process.stdout.write(`${table(figures)}\n`);
for (const failure of failures) say(failure);
process.stdout.write(`\n${JSON.stringify(document)}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
