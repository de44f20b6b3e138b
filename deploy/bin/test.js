#!/usr/bin/env node
// The whole test run: checks, then jest's projects one group after the other, then one line that sums up.
//   test.js            everything; the lab where it can be had
//   test.js lab        only the lab, which then must be there
//   test.js lab chaos  whoever has a part in a migration of real guests killed at every moment of it; ARGS go to jest
//   test.js chaos      what happens to processes, in full size; ARGS after it go to jest; --process: then also the
//                      process tests about the same (leader, leases, faults, hostile: the poisoned log among them);
//                      --seen DIR: what an operator sees meanwhile, into a file a scenario
//   test.js ARGS       jest with ARGS on all but the lab, without the checks
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { labObstacle } from '../setup/lab.js';
import { ROOT, say } from '../setup/shell.js';

/** Types were checked by the build, which comes before this and takes in the tests. */
const CHECKS = [
  ['lint', 'node_modules/eslint/bin/eslint.js', ['.', '--max-warnings', '0']],
  ['format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']],
];
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** Process tests that need all processors and wait for nothing: nothing that waits for a cluster runs beside them. */
const WORK = 'test/process/(simulator|lifetime)[.]';
/** Lab tests that run by themselves: on a busy machine a ledger has lacked a frame. */
const ALONE = 'test/lab/(chaos/|drift[.])';

const scratch = mkdtempSync(join(tmpdir(), 'portolan-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };

/** Runs Node on a program, its output to ours; resolves with the exit code. */
function node(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    const pass = (signal) => child.kill(signal);
    process.on('SIGINT', pass).on('SIGTERM', pass);
    child.once('close', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}

async function check([name, program, args]) {
  say(name);
  const code = await node([program, ...args]);
  total[code === 0 ? 'passed' : 'failed'] += 1;
}

/** One jest run; gives what jest told of it. A suite that could not even be loaded counts as one failure. */
async function jest(projects, args) {
  say(`tests: ${projects.join(', ')}`);
  const file = join(scratch, `${projects.join('-')}.json`);
  const code = await node([
    ...JEST,
    '--selectProjects',
    ...projects,
    '--passWithNoTests',
    '--json',
    `--outputFile=${file}`,
    ...args,
  ]);
  const before = total.failed;
  let result;
  try {
    result = JSON.parse(readFileSync(file, 'utf8'));
    total.passed += result.numPassedTests;
    total.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    total.skipped += result.numPendingTests + result.numTodoTests;
  } catch (error) {
    say(`no result from jest: ${error.message}`);
  }
  if (code !== 0 && total.failed === before) total.failed += 1;
  return result;
}

/** Clusters and switches of their own, which wait half of their time: two at a time. */
async function clusters() {
  const obstacle = labObstacle();
  if (obstacle !== undefined) say(`lab tests left out: ${obstacle}`);
  const projects = ['process', 'chaos', ...(obstacle === undefined ? ['lab'] : [])];
  await jest(projects, ['--maxWorkers=2', `^(?!.*(${WORK}|${ALONE}))`]);
  if (obstacle === undefined) await jest(['lab'], ['-i', ALONE]);
}

async function lab([first, ...rest]) {
  const obstacle = labObstacle();
  if (obstacle === undefined && first === 'chaos') return labChaos(rest);
  if (obstacle === undefined) return jest(['lab'], ['-i', ...(first === undefined ? [] : [first, ...rest])]);
  say(`lab tests left out: ${obstacle}`);
  total.failed += 1;
}

/** Every case, each with a line that sums it up. */
async function labChaos(args) {
  process.env.PORTOLAN_CHAOS = 'full';
  const result = await jest(['lab'], ['-i', 'test/lab/chaos', ...args]);
  for (const line of summary(result)) process.stdout.write(`${line}\n`);
}

/** The scenarios at full size, each with a line that sums it up. */
async function chaos(args) {
  process.env.PORTOLAN_CHAOS = 'full';
  const process_ = args.includes('--process');
  const seen = args.indexOf('--seen');
  if (seen >= 0) process.env.PORTOLAN_CHAOS_SEEN = resolve(args.splice(seen, 2)[1] ?? 'seen');
  const began = Date.now();
  // What a scenario that failed left under way must not keep the run from ending.
  const result = await jest(['chaos'], ['-i', '--forceExit', ...args.filter((a) => a !== '--process')]);
  for (const line of summary(result)) process.stdout.write(`${line}\n`);
  process.stdout.write(`chaos took ${Math.round((Date.now() - began) / 1000)} s\n`);
  if (process_) await jest(['process'], ['-i', 'leader|leases|faults|hostile']);
}

/** One line for each test that was not left out by its name. */
function summary(result) {
  const tests = (result?.testResults ?? []).flatMap((suite) => suite.assertionResults);
  const shown = tests.filter((t) => t.status !== 'pending' || t.title.includes(': left out, '));
  return shown.map(({ status, duration, title }) => {
    const took = duration == null ? '' : ` in ${Math.round(duration / 1000)} s`;
    return `${status === 'pending' ? 'left out' : status}${took}: ${title}`;
  });
}

const [first, ...rest] = process.argv.slice(2);
try {
  if (first === 'lab') await lab(rest);
  else if (first === 'chaos') await chaos(rest);
  else if (first !== undefined) await jest(['unit', 'nats', 'process'], ['--maxWorkers=2', first, ...rest]);
  else {
    await Promise.all(CHECKS.map(check));
    await jest(['unit', 'nats'], ['--maxWorkers=2']);
    await jest(['process'], ['--maxWorkers=2', WORK]);
    await clusters();
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = total.failed === 0 ? 0 : 1;
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
