import { readFile } from 'node:fs/promises';
import { type WriteResult } from '#contracts/http';
import { Api, until } from './api.js';
import { GUESTS, type GuestPlan } from './simulation.js';

/** Numbered packets that web-1 sends in the story, beside its announcements. */
const LIMIT = 6_000;
const VM = 'web-1';

/** The example's guests, with one that sends a known number of packets, once its port is open, and falls silent. */
export const STORY_GUESTS: readonly GuestPlan[] = GUESTS.map((g) =>
  g.owner === VM ? { ...g, pps: 1_000, limit: LIMIT, waits: true } : g,
);

export interface Figures {
  readonly revision: number;
  readonly hostsRealised: number;
  readonly hostsConcerned: number;
  /** As the guest counted them itself, announcements included. */
  readonly packetsSent: number;
  readonly packetsInLedger: number;
  readonly liveDigest: string;
  readonly replayedDigest: string;
  readonly agree: boolean;
}

/**
 * The whole story on a fresh cluster: policy applied and realised on every host, changed, a VM moved twice while it
 * sends, its ledger continuous, the log replayed into an empty state.
 */
export async function playStory(api: Api, example: string, say: (line: string) => void): Promise<Figures> {
  const first = await api.apply(await readFile(example, 'utf8'));
  say(`revision ${first.revision}: policy applied, realised on ${hostsOf(first)}`);
  const port = await until(`${VM} to be connected`, async () => portOf(api, 'alpha'));
  await until(`${VM} to send`, async () => (await api.stats(port)).in.packets > 0);
  say(`${VM} is on alpha at port ${port}, and sends`);
  const second = await api.apply(CHANGE);
  say(`revision ${second.revision}: a rule against telnet was added, realised on ${hostsOf(second)}`);
  await migrate(api, 'alpha', 'bravo', say);
  await migrate(api, 'bravo', 'charlie', say);
  const sent = await until(`${VM} to finish sending`, () => finished(api), 60_000);
  const ledger = await settled(api, port, sent);
  say(`${VM} sent ${sent} packets; its ledger over three hosts says ${ledger}`);
  const live = await api.status();
  const replayed = await api.replay(await api.exportLog(live.revision));
  say(`replayed ${replayed.commits} commits into an empty state`);
  const realised = second.realised;
  return {
    revision: live.revision,
    hostsRealised: realised?.hosts ?? 0,
    hostsConcerned: realised?.of ?? 0,
    packetsSent: sent,
    packetsInLedger: ledger,
    liveDigest: live.digest ?? 'none',
    replayedDigest: replayed.digest,
    agree:
      sent === ledger &&
      sent >= LIMIT &&
      live.digest === replayed.digest &&
      live.revision === replayed.revision &&
      realised?.realised === true,
  };
}

const CHANGE = `apiVersion: portolan.dev/v1
kind: PortGroup
metadata: { name: web }
spec:
  switch: prod
  ports: 8
  autoExpand: true
  overridable: [blocked, filter]
  policy:
    vlan: { mode: access, id: 10 }
    filter:
      - { name: no-telnet, direction: both, action: drop, match: { ipProtocol: 6, dstPort: { from: 23, to: 23 } } }
`;

const hostsOf = (result: WriteResult): string =>
  `${result.realised?.hosts ?? 0} of ${result.realised?.of ?? 0} hosts`;

async function portOf(api: Api, host: string): Promise<string | undefined> {
  const { items } = await api.ports(`?owner=${VM}`);
  return items.find((p) => p.status.active?.host === host)?.metadata.name;
}

async function migrate(api: Api, from: string, to: string, say: (line: string) => void): Promise<void> {
  const started = await api.send<WriteResult>('POST', '/v1/migrations', {
    owner: VM,
    destination: to,
    reason: 'the story of the quick start',
  });
  const id = started.changed.find((c) => c.kind === 'Migration')?.name;
  if (id === undefined) throw new Error(`no migration was started: ${JSON.stringify(started)}`);
  await until(`migration ${id} to complete`, async () => {
    const { phase, finished, history } = await api.migration(id);
    if (finished && phase !== 'completed')
      throw new Error(`it ${phase}: ${history.at(-1)?.reason ?? 'no reason given'}`);
    return phase === 'completed';
  });
  say(`migration ${id}: ${VM} moved from ${from} to ${to} while it sent`);
}

async function finished(api: Api): Promise<number | undefined> {
  const { items } = await api.hosts();
  const vm = items.flatMap((h) => h.status.vms).find((v) => v.owner === VM && v.state === 'running');
  return vm?.sent !== undefined && vm.sent >= LIMIT ? vm.sent : undefined;
}

/** What the ledger says when the last telemetry is in; not waiting for ever for what it does not say. */
async function settled(api: Api, port: string, sent: number): Promise<number> {
  const counted = async (): Promise<number> => (await api.stats(port)).in.packets;
  try {
    return await until(
      'the ledger to agree',
      async () => {
        const packets = await counted();
        return packets === sent ? packets : undefined;
      },
      10_000,
    );
  } catch {
    return counted();
  }
}
