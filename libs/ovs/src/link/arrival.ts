import { existsSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Endpoint } from './endpoint.js';

/** Calls when the file of a unix socket is made, so that a server that comes back is met at once. Returns how to stop. */
export function onArrival(at: Endpoint, tell: () => void): () => void {
  if (at.kind !== 'unix') return () => undefined;
  const name = basename(at.path);
  try {
    const watcher = watch(dirname(at.path), { persistent: false }, (_, changed) => {
      // A server that starts first removes what an earlier one left.
      if (changed === name && existsSync(at.path)) tell();
    });
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    // There is no such directory, or nobody may watch it: the next attempt finds the server.
    return () => undefined;
  }
}
