#!/usr/bin/env node
import { processIo } from './io.js';
import { run } from './program.js';

const stop = new AbortController();
// The second Ctrl-C ends it at once, whatever it waits for.
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
// `portolan events | head`: the reader left, which is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), processIo(stop.signal));
