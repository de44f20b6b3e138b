#!/usr/bin/env node
// Figures: each bench in a process of its own; a table for people, then one JSON document as the last line. `--help`.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureGuest } from '../setup/guest.js';
import { labObstacle } from '../setup/lab.js';
import { ensureLibvirt } from '../setup/libvirt.js';
import { ensureOvn, ovnObstacle } from '../setup/ovn.js';
import { ROOT, SetupError } from '../setup/shell.js';

const USAGE = `npm run bench            all of them
npm run bench -- NAME…   some
npm run bench -- ovn [--hosts 16]         against OVN on Open vSwitch (installs Debian's OVN)
npm run bench -- ovn --simulated          against OVN with more ports, on switches without a data plane
npm run bench -- scale --hosts 2000 --ports 100000 --groups 10000   of a size, in all
npm run bench -- scale --hosts 2000 --growth   at an eighth, a quarter, half and all of it
npm run bench -- scale --steps changes,moves --minutes 10   parts of it; none is begun after so long
npm run bench -- migration --moves 30          so many of each way; --steps network,qemu,libvirt,hosts   parts of it
npm run bench -- reconnect --hosts 2000   connections with nothing behind them
npm run bench -- cold-start --commits 1000000 --ports 10000
npm run bench -- NAME… --json FILE   the document into a file, too
npm run bench -- NAME… --short   the newer ones in their smallest size: that they work, no figures
npm run bench -- NAME… --keep   leaves the cluster's directory with its logs, and says where`;
const PROGRAM = join(ROOT, 'dist', 'test', 'bench', 'main.js');
/** What waits for the log lives about as long as a round trip: the default of 16 MB would promote it all. */
const HEAP = '--max-semi-space-size=64';
const LONGEST_MS = 480_000;
/** Thousands of hosts on few cores take their time to come up, as do OVN's ports and a million commits; many turns, too. */
const LONGEST_OF = {
  forbidden: 1_500_000,
  restart: 1_500_000,
  migration: 3_000_000,
  bind: 900_000,
  scale: 3_600_000,
  'ovn-simulated': 1_200_000,
  'cold-start': 1_800_000,
};
/** How long a bench that was told to end may take to put everything away. */
const END_MS = 30_000;
/** What has OVN beside it. */
const COMPARES = new Set(['ovn', 'ovn-simulated', 'forbidden', 'bind', 'restart', 'migration', 'idle']);

/** Progress; standard output is for the figures. */
const say = (line) => process.stderr.write(`${line}\n`);

const { BENCHES } = await import(PROGRAM);
const { values: options, positionals } = read({
  options: {
    help: { type: 'boolean' },
    hosts: { type: 'string' },
    ports: { type: 'string' },
    groups: { type: 'string' },
    commits: { type: 'string' },
    growth: { type: 'boolean' },
    minutes: { type: 'string' },
    moves: { type: 'string' },
    steps: { type: 'string' },
    keep: { type: 'boolean' },
    json: { type: 'string' },
    simulated: { type: 'boolean' },
    short: { type: 'boolean' },
  },
  allowPositionals: true,
});
if (options.help) {
  say(`${USAGE}\n\nNAME: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(0);
}
/** What the benches are told by their environment. */
const size = {};
for (const [option, most] of [
  ['hosts', 5_000],
  ['ports', 500_000],
  ['groups', 50_000],
  ['commits', 5_000_000],
  ['minutes', 50],
  ['moves', 200],
]) {
  const value = options[option];
  if (value === undefined) continue;
  if (!/^[1-9]\d{0,6}$/.test(value) || Number(value) > most) {
    say(`--${option} is a number up to ${most}, not ${value}`);
    process.exit(2);
  }
  size[`PORTOLAN_BENCH_${option.toUpperCase()}`] = value;
}
if (options.growth) size.PORTOLAN_BENCH_GROWTH = '1';
if (options.short) size.PORTOLAN_BENCH_SHORT = '1';
if (options.keep) size.PORTOLAN_BENCH_KEEP = '1';
if (options.steps !== undefined) size.PORTOLAN_BENCH_STEPS = options.steps;
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

/** The options; what is no option ends this, with what there is. */
function read(known) {
  try {
    return parseArgs(known);
  } catch (cause) {
    say(`${cause.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

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
    const longest = LONGEST_OF[name] ?? LONGEST_MS;
    let late = false;
    const timer = setTimeout(() => {
      late = child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), END_MS).unref();
    }, longest);
    child.once('close', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      clearTimeout(timer);
      try {
        resolve({ figures: JSON.parse(out) });
      } catch {
        const why = late ? `was not over after ${longest / 1000} s` : `ended with ${signal ?? code}`;
        resolve({ figures: [], failure: `${name} ${why} and without figures` });
      }
    });
  });
}

const COLUMNS = ['bench', 'what', 'unit', 'min', 'p50', 'p95', 'p99', 'max', 'n', 'target', ''];
const verdict = ({ failed, target }) =>
  failed !== undefined ? 'FAILED' : target === undefined ? '' : target.met ? 'met' : 'MISSED';
const row = (figure) => {
  const { bench: name, what, unit, spread: s, target } = figure;
  const numbers = [s.min, s.p50, s.p95, s.p99, s.max, s.n].map((n) => (n === null ? '' : String(n)));
  return [name, what, unit, ...numbers, target?.text ?? '', verdict(figure)];
};

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
if (asked.some((name) => COMPARES.has(name))) {
  try {
    await ensureOvn();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`OVN could not be installed: ${error.message}`);
  }
}
if (asked.includes('migration')) {
  await ensureGuest();
  await ensureLibvirt();
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
  for (const { what, failed } of result.figures)
    if (failed !== undefined) failures.push(`${name}: ${what}: ${failed}`);
}
const document = {
  figures,
  failures,
  machine: { cpus: cpus().length, node: process.version, load: { ...load, after: loadavg()[0] } },
  seconds: Math.round((Date.now() - begun) / 1000),
};
process.stdout.write(`${table(figures)}\n`);
for (const failure of failures) say(failure);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
if (options.growth) {
  const { writeGrowth } = await import(join(ROOT, 'dist', 'test', 'bench', 'scale', 'growth.js'));
  const { cpus: cores, node, load: at } = document.machine;
  const machine = `Measured on ${cores} cores, Node ${node}, load ${at.before.toFixed(0)} before, in ${document.seconds} s.`;
  await writeGrowth(
    ROOT,
    figures.filter((f) => f.bench === 'scale'),
    machine,
  );
}
process.stdout.write(`\n${JSON.stringify(document)}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
