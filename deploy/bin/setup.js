#!/usr/bin/env node
// Gets a clone ready: packages, nats-server, build. `--test` also what the lab tests need.
// Uses nothing but Node, since it runs before anything is installed.
import { ensureBuild } from '../setup/build.js';
import { ensureGuest } from '../setup/guest.js';
import { ensureLabPackages } from '../setup/lab.js';
import { ensureLibvirt } from '../setup/libvirt.js';
import { ensureNatsServer } from '../setup/nats-server.js';
import { checkNode, ensurePackages } from '../setup/npm.js';
import { SetupError } from '../setup/shell.js';

async function ensureProject() {
  await ensurePackages();
  await ensureBuild();
}

/** One after the other: only one apt-get runs at a time. */
async function ensureSystem() {
  await ensureNatsServer();
  if (!process.argv.includes('--test')) return;
  await ensureLabPackages();
  await ensureGuest();
  await ensureLibvirt();
}

function refuse(error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`portolan: ${error.message}\n`);
  process.exitCode = 1;
}

try {
  checkNode();
  // If one fails the other goes on to its end: nothing is left half installed.
  await Promise.all([ensureProject().catch(refuse), ensureSystem().catch(refuse)]);
} catch (error) {
  refuse(error);
}
