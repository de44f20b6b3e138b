import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type WriteResult } from '#contracts/http';
import { encodeEnvelope, NO_HASH, type CommitEnvelope, type WireEvent } from '#event-store';
import { sha256 } from '#event-store/jetstream';
import { GUESTS } from '../../deploy/quickstart/simulation.js';
import { envelopes, startWorld, until, type World } from '../process/cluster.fixture.js';
import { DIR, phasesOf, save, type Told } from './save.js';

// Records the histories anew, all or those that are named: npm run -s build && node dist/test/histories/record.js
// [completed aborted timed-out back-and-forth version-1]. See README.md for what each is.

/** Numbered packets that web-1 sends; it announces itself beside them. */
const LIMIT = 2_000;
const guests = GUESTS.map((g) => (g.owner === 'web-1' ? { ...g, pps: 500, limit: LIMIT, waits: true } : g));

const scenarios: Readonly<Record<string, { readonly copyMs?: number; readonly play: (w: World) => Promise<void> }>> = {
  completed: { play: (w) => over(w, 'bravo', 'completed') },
  aborted: {
    copyMs: 20_000,
    play: async (w) => {
      const id = await migrate(w, 'bravo');
      await until('the guest to be copied', async () => (await w.api.migration(id)).phase === 'moving');
      await w.api.send('POST', `/v1/migrations/${id}/abort`, { reason: 'the operator thought better of it' });
      await ended(w, id, 'aborted');
    },
  },
  // The destination's agent is stopped: it never says that the policy stands there, and the deadline passes.
  'timed-out': {
    play: async (w) => {
      w.cluster.children.signal('host-agent-bravo', 'SIGSTOP');
      try {
        await over(w, 'bravo', 'failed');
      } finally {
        w.cluster.children.signal('host-agent-bravo', 'SIGCONT');
      }
    },
  },
  'back-and-forth': {
    play: async (w) => {
      for (const host of ['bravo', 'alpha', 'bravo', 'charlie', 'alpha']) await over(w, host, 'completed');
    },
  },
};

async function migrate(w: World, destination: string): Promise<string> {
  const body = { owner: 'web-1', destination, reason: 'recorded' };
  const started = await w.api.send<WriteResult>('POST', '/v1/migrations', body);
  return started.changed.find((c) => c.kind === 'Migration')!.name;
}

const ended = (w: World, id: string, phase: string): Promise<boolean> =>
  until(
    `migration ${id} to be ${phase}`,
    async () => {
      const m = await w.api.migration(id);
      if (m.finished && m.phase !== phase) throw new Error(`it ${m.phase}`);
      return m.finished;
    },
    90_000,
  );

async function over(w: World, destination: string, phase: string): Promise<void> {
  await ended(w, await migrate(w, destination), phase);
}

async function record(name: string): Promise<void> {
  const scenario = scenarios[name]!;
  const world = await startWorld({ guests, ...(scenario.copyMs === undefined ? {} : { copyMs: scenario.copyMs }) });
  try {
    await world.apply(join(DIR, 'cluster.yaml'));
    await until('web-1 to send', async () => ((await sentBy(world)) ?? 0) > 0);
    await scenario.play(world);
    const sent = await until('web-1 to finish', async () => {
      const count = await sentBy(world);
      return count !== undefined && count >= LIMIT && count;
    });
    const port = (await world.api.ports('?owner=web-1')).items[0]!.metadata.name;
    await until('the ledger to agree', async () => (await world.api.stats(port)).in.packets === sent);
    const phases = await phasesOf(world.api);
    const { revision, digest } = await world.api.status();
    const ndjson = await world.api.exportLog(revision);
    await save(name, ndjson, { sent, phases }, digest);
  } finally {
    await world.stop();
  }
}

async function sentBy(world: World): Promise<number | undefined> {
  const vms = (await world.api.hosts()).items.flatMap((h) => h.status.vms);
  return vms.find((v) => v.owner === 'web-1' && v.state === 'running')?.sent;
}

/** What the first version would have written of the same story: groups and standbys as v1, and the chain over it. */
async function recordVersion1(): Promise<void> {
  const told = JSON.parse(await readFile(join(DIR, 'completed.expected.json'), 'utf8')) as {
    guestSent: number;
    phases: Told['phases'];
    digest: string;
  };
  const log = envelopes(await readFile(join(DIR, 'completed.ndjson'), 'utf8'));
  let prevhash = NO_HASH;
  const lines = log.map((envelope) => {
    const data = 'events' in envelope.data ? { events: envelope.data.events.map(asVersion1) } : envelope.data;
    const bytes = encodeEnvelope({ ...envelope, prevhash, data } as CommitEnvelope);
    prevhash = sha256(bytes);
    return new TextDecoder().decode(bytes);
  });
  // The state is the same one, so its digest must be that of the history as recorded.
  await save('version-1', `${lines.join('\n')}\n`, { sent: told.guestSent, phases: told.phases }, told.digest);
}

interface Spec {
  readonly policy: { readonly vlan?: { readonly mode: string; readonly id?: number } };
}

function asVersion1(event: WireEvent): WireEvent {
  if (event.type === 'StandbyGranted') {
    const { standby, ...rest } = event.data as { readonly standby: object };
    return { type: event.type, v: 1, data: { ...rest, standby: { token: '03:00:00:00:00:01', ...standby } } };
  }
  if (event.type !== 'GroupDefined') return event;
  const { spec, ...rest } = event.data as { readonly spec: Spec };
  const { vlan, ...policy } = spec.policy;
  const number = vlan?.id ?? 0;
  return { type: event.type, v: 1, data: { ...rest, spec: { ...spec, policy, vlan: number } } };
}

const named = process.argv.slice(2);
for (const name of named.length > 0 ? named : [...Object.keys(scenarios), 'version-1']) {
  if (name === 'version-1') await recordVersion1();
  else if (scenarios[name] !== undefined) await record(name);
  else throw new Error(`no history ${name}; there are ${Object.keys(scenarios).join(', ')}, version-1`);
}
