import { join } from 'node:path';
import { KEYS, SUBJECTS } from '#contracts';
import { NatsLink } from '#platform';
import { credentialsPath } from '#platform/accounts';
import { monotonic } from '../support/traffic.js';

/** What a process of clients gets to know, as JSON in its environment. */
export interface ClientsPlan {
  readonly home: string;
  readonly server: string;
  readonly hosts: readonly string[];
  /** Shared documents that each follows, besides its own and the mark. */
  readonly follows: number;
}

/** `up`: all are connected and follow. Else when each was back, by the host's name, ms of the machine's clock. */
export type ClientsAnswer = { readonly up: true } | { readonly back: Readonly<Record<string, number>> };

/** Connections of hosts as agents make them, with what they follow, and nothing behind them. */
async function serve({ home, server, hosts, follows }: ClientsPlan): Promise<void> {
  const answer = (it: ClientsAnswer): void => void process.send?.(it);
  let back: Record<string, number> = {};
  for (const host of hosts) {
    const link = NatsLink.open({
      servers: [server],
      name: `host-agent ${host}`,
      credentialsFile: credentialsPath(join(home, 'credentials'), `host.${host}`),
    });
    const nc = await link.connection();
    const groups = Array.from({ length: follows }, (_, i) => SUBJECTS.live(KEYS.group(`${host}-${i}`)));
    for (const subject of [SUBJECTS.liveHost(host), SUBJECTS.live(KEYS.mark), ...groups])
      nc.subscribe(subject, { callback: () => undefined });
    await nc.flush();
    link.onState((state) => {
      if (state !== 'connected') return;
      // Answered when the server knows what it follows.
      void nc.flush().then(() => {
        back[host] = monotonic();
        if (Object.keys(back).length < hosts.length) return;
        answer({ back });
        back = {};
      });
    });
  }
  answer({ up: true });
}

process.on('disconnect', () => process.exit(0));
await serve(JSON.parse(process.env['PORTOLAN_RECONNECT'] ?? '') as ClientsPlan);
