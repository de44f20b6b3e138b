import { expect } from '@jest/globals';
import {
  type ListOf,
  type MigrationDescription,
  type MigrationView,
  type PortDescription,
  type WriteResult,
} from '#contracts/http';
import { type LabVm, type StreamReceived } from './net.js';
import { ANNOUNCEMENTS, type SendingGuest, streamOf, type Stream } from './sending.js';
import { group, type LabHostName, type Spine, until } from './spine.js';
import { TCP_PORTS } from './tcp.js';

/** A move takes less than a second by itself; the limit is for what hangs, on machines that may be busy. */
const MOVED_MS = 120_000;
const FORBIDDEN = 7001;
const shaping = { average: 50_000_000, peak: 50_000_000, burst: 5_000_000 };

const vlan = { mode: 'access', id: 100 };
const rule = (name: string, direction: 'in' | 'out', ipProtocol: 6 | 17, from: number, to = from) => ({
  ...{ name, direction, action: 'allow', match: { ipProtocol, dstPort: { from, to } } },
});

/**
 * What a guest that is moved takes along: VLAN, shaping, a stateful filter, and anti-spoofing, which is the rule. Of
 * connections, only those of `TCP_PORTS` may be begun. Those that it speaks with are in a group that forbids nothing.
 */
const MOVED_GROUPS = [
  group('web', {
    vlan,
    shapingIn: shaping,
    filter: {
      stateful: true,
      default: 'drop',
      rules: [
        { ...rule('no-7001', 'in', 17, FORBIDDEN), action: 'drop' },
        rule('numbered', 'in', 17, 5001, 5003),
        rule('fetches', 'in', 6, TCP_PORTS.fetched),
        rule('serves', 'out', 6, TCP_PORTS.served, TCP_PORTS.closed),
      ],
    },
  }),
  group('peers', { vlan }),
];

/** Two streams that the policy lets through, to guests of different hosts, and two that it does not. */
export class MovedStreams {
  readonly all: readonly Stream[];

  constructor(
    readonly peer: LabVm,
    private readonly far: LabVm,
  ) {
    this.all = [
      { to: peer, port: 5001, pps: 100 },
      { to: far, port: 5002, pps: 50 },
      { to: peer, port: FORBIDDEN, pps: 20 },
      { to: peer, port: 5003, pps: 20, srcMac: '02:00:00:00:0f:0f' },
    ];
  }

  /** To guests that are plugged for it, under `MOVED_GROUPS`. */
  static async to(spine: Spine): Promise<MovedStreams> {
    await spine.api.apply(MOVED_GROUPS.join('\n---\n'));
    const peer = await spine.guest('south', 'peer', 'peers');
    return new MovedStreams(peer, await spine.guest('north', 'far', 'peers'));
  }

  /** Resolves when so much more of the first stream has arrived. */
  async flow(packets = 1): Promise<void> {
    const count = async (): Promise<number> => (await this.arrived())[0]?.count ?? 0;
    const enough = (await count()) + packets;
    await until('more of it', async () => (await count()) >= enough);
  }

  /**
   * Ends the streams: the ledger has to the packet what the guest sent and QEMU announced in `moves`, and what the
   * policy lets through came once. Resolves with how much that is.
   */
  async expectExact(spine: Spine, guest: SendingGuest, owner: string, moves: number): Promise<number> {
    const sent = await guest.stopGenerating(this.all);
    const total = (await guest.transmitted()) + moves * ANNOUNCEMENTS;
    const { in: counted, exact } = await until('the ledger to agree', async () => {
      const found = await spine.stats(owner);
      return found.in.packets >= total ? found : undefined;
    });
    expect({ packets: counted.packets, exact }).toEqual({ packets: total, exact: true });
    const [there, here, ...none] = await this.arrived();
    expect(there).toMatchObject({ count: sent[0], unique: sent[0], duplicates: 0, missing: [] });
    expect(here).toMatchObject({ count: sent[1], unique: sent[1], duplicates: 0, missing: [] });
    expect(none.map((s) => s?.count)).toEqual([undefined, undefined]);
    return total;
  }

  /** What came until now. */
  async forget(): Promise<void> {
    for (const vm of [this.peer, this.far]) await vm.resetReceived();
  }

  /** What came of each stream where it was sent to; undefined: nothing. */
  async arrived(): Promise<readonly (StreamReceived | undefined)[]> {
    const [peer, far] = [await this.peer.received(), await this.far.received()];
    return this.all.map((s) => (s.to === this.far ? far : peer).streams[streamOf(s)]);
  }
}

/** The operator's side of migrations: asked over HTTP, and followed there. */
export class Migrations {
  constructor(private readonly spine: Spine) {}

  async ask(owner: string, destination: LabHostName): Promise<string> {
    const request = { owner, destination };
    const { changed } = await this.spine.api.send<WriteResult>('POST', '/v1/migrations', request);
    const id = changed.find((c) => c.change === 'created')?.name;
    if (id === undefined) throw new Error(`no migration: ${JSON.stringify(changed)}`);
    return id;
  }

  abort(id: string): Promise<unknown> {
    return this.spine.api.send('POST', `/v1/migrations/${id}/abort`, { reason: 'changed my mind' });
  }

  /** The one that began last. */
  async latest(): Promise<string | undefined> {
    const { items } = await this.spine.api.get<ListOf<MigrationView>>('/v1/migrations');
    return items.at(-1)?.id;
  }

  async phase(id: string, wanted: string): Promise<void> {
    const look = async () => (await this.spine.api.migration(id)).phase === wanted || undefined;
    await until(`${id} to be ${wanted}`, look, MOVED_MS);
  }

  async ended(id: string): Promise<MigrationView> {
    const look = async () => {
      const m = await this.spine.api.migration(id);
      return m.finished ? m : undefined;
    };
    return until(`${id} to end`, look, MOVED_MS);
  }

  describe(id: string): Promise<MigrationDescription> {
    return this.spine.api.get<MigrationDescription>(`/v1/migrations/${id}`);
  }

  /** Resolves when it is known for how long the guest stood still, as its hypervisor counted it. */
  async pauseTold(id: string): Promise<void> {
    await until(`the pause of ${id} to be told`, async () => {
      const { pauseMs } = await this.describe(id);
      return pauseMs ?? undefined;
    });
  }

  /** Resolves when the port is where it should be, and nothing of it is anywhere else. */
  async at(owner: string, host: LabHostName): Promise<void> {
    await this.spine.bound(owner, host);
    await until(`${owner} to be on ${host} alone`, async () => {
      const { active, standby, retiring } = (await this.spine.port(owner))?.status ?? {};
      return (active?.host === host && standby === null && retiring?.length === 0) || undefined;
    });
  }
}

export const phasesOf = (migration: MigrationView): readonly string[] =>
  migration.history.map((h) => h.phase);

type Counted = PortDescription['ledger']['total']['in'];
const packetsOf = ({ unicast, multicast, broadcast }: Counted): number =>
  unicast.packets + multicast.packets + broadcast.packets;

/** Of each segment of a port's ledger: its host, whether it is closed, and whether anything was sent there. */
export async function segmentsOf(spine: Spine, owner: string): Promise<readonly unknown[]> {
  const { ledger } = await spine.describe(owner);
  return ledger.segments.map((s) => [s.host, s.closedAt !== null, packetsOf(s.counted.in) > 0]);
}
