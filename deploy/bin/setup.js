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

try {
  checkNode();
  await ensurePackages();
  await ensureNatsServer();
  if (process.argv.includes('--test')) {
    await ensureLabPackages();
    await ensureGuest();
    await ensureLibvirt();
  }
  await ensureBuild();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`portolan: ${error.message}\n`);
  process.exitCode = 1;
}
