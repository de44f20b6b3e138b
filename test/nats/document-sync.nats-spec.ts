import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  systemClock,
  unwrap,
  type Epoch,
  type GroupName,
  type HostName,
  type IfaceId,
  type Lineage,
  type Mac,
  type PortId,
  type Problem,
  type Revision,
  type SwitchName,
} from '#kernel';
import { type DocumentKey, type StateDocument } from '#contracts';
import { evolve, initialState, NO_FEATURES, type DomainEvent, type State } from '#domain';
import { DOCS_STREAM, ensureStream } from '#event-store/jetstream';
import {
  derivedHandoverToken,
  ed25519Signer,
  ed25519Verifier,
  generateSigningKey,
  NatsDocumentSource,
  NatsLink,
} from '#platform';
import { JetStreamDocumentStore } from '#platform/jetstream';
import {
  contentOf,
  DocumentSync,
  keysOfHost,
  project,
  projectAll,
  Projector,
  withChanges,
  type DocumentSource,
  type DocumentStore,
  type Snapshot,
} from '#protocol';
import { startNatsServer, type NatsServer } from '#testing';

const LINEAGE = '00000000-0000-4000-8000-000000000001' as Lineage;
const HOSTS = ['h0', 'h1', 'h2'] as HostName[];
const GROUPS = ['g0', 'g1', 'g2', 'g3'] as GroupName[];
const SWITCH = 's0' as SwitchName;
const key = generateSigningKey();
const handoverToken = unwrap(derivedHandoverToken(key.privateKey));
const signer = unwrap(ed25519Signer(key.privateKey));
const verifier = unwrap(ed25519Verifier([key.publicKey]));

const hostEvent = (name: HostName): DomainEvent => ({
  type: 'HostDefined',
  name,
  spec: {
    labels: {},
    managementPath: null,
    preload: [],
    maintenance: false,
    migrationLimit: 2,
    foreignFlows: 'report',
  },
});
const groupEvent = (name: GroupName, ports: number): DomainEvent => ({
  type: 'GroupDefined',
  name,
  spec: {
    switch: SWITCH,
    policy: { blocked: ports % 2 === 0 },
    overridable: [],
    binding: 'static',
    ports,
    autoExpand: true,
    autoShrink: false,
    resetAtDisconnect: false,
    partitionPolicy: 'keep',
    startOffline: false,
  },
});
const switchEvent: DomainEvent = {
  type: 'SwitchDefined',
  name: SWITCH,
  kind: 'distributed',
  spec: {
    uplinks: ['uplink1'],
    mtu: 1500,
    policy: {},
    members: Object.fromEntries(HOSTS.map((h) => [h, { uplink1: 'eth1' }])),
    ...NO_FEATURES,
  },
};

/** The centre, reduced to what documents come from; it remembers what every revision said. */
class Centre {
  state: State = initialState;
  documents = new Map<DocumentKey, StateDocument>();
  readonly past: Map<DocumentKey, string>[] = [new Map()];
  projector: Projector | null = null;

  constructor() {
    this.commit([...HOSTS.map(hostEvent), switchEvent, ...GROUPS.map((g) => groupEvent(g, 0))]);
  }

  commit(events: readonly DomainEvent[]): void {
    const before = this.state;
    const meta = { lineage: LINEAGE, revision: (before.revision + 1) as Revision, time: before.revision };
    this.state = events.reduce((state, event) => evolve(state, event, meta), before);
    const changes = project(before, this.state, events, this.documents, handoverToken);
    this.documents = withChanges(this.documents, changes);
    const all = [...projectAll(this.state, handoverToken)].map(([k, d]) => [k, contentOf(d)] as const);
    this.past.push(new Map(all));
    this.projector?.commit(LINEAGE, meta.revision, changes);
  }

  plug(n: number): void {
    const port = `p${this.state.nextPort}` as PortId;
    const mac =
      `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}` as Mac;
    const connectee = { kind: 'vm' as const, ifaceId: `if-${n}` as IfaceId, mac, owner: `vm${n}` };
    this.commit([
      { type: 'PortCreated', port, group: GROUPS[n % GROUPS.length] as GroupName, switch: SWITCH },
      { type: 'PortConnected', port, connectee },
      { type: 'PortBound', port, host: HOSTS[n % HOSTS.length] as HostName, epoch: 1 as Epoch },
    ]);
  }

  unplug(port: PortId): void {
    const active = this.state.ports.get(port)?.active;
    if (active) {
      const binding = { port, host: active.host, epoch: active.epoch };
      this.commit([
        { type: 'PortUnbound', ...binding },
        { type: 'PortDisconnected', port },
        { type: 'BindingRetired', ...binding },
      ]);
    }
  }
}

/** Between the server and an agent: loses and doubles republished messages by a fixed pattern. */
function lossy(source: DocumentSource, every: number): DocumentSource & { lost: number } {
  let n = 0;
  const proxy = {
    lost: 0,
    flush: () => source.flush(),
    get: (k: DocumentKey) => source.get(k),
    follow: (keys: ReadonlySet<DocumentKey>) => source.follow(keys),
    subscribe: (listener: Parameters<DocumentSource['subscribe']>[0]) =>
      source.subscribe({
        reconnected: () => listener.reconnected(),
        note: (bytes) => {
          if ((n += 1) % every === 0) proxy.lost += 1;
          else listener.note(bytes);
        },
        message: (k, received) => {
          n += 1;
          if (n % every === 0) proxy.lost += 1;
          else listener.message(k, received);
          if (n % 7 === 0) listener.message(k, received);
        },
      }),
  };
  return proxy;
}

describe('documents over a real server', () => {
  let server: NatsServer;
  const links: NatsLink[] = [];
  const open = async (name: string): Promise<NatsLink> => {
    const link = NatsLink.open({ servers: [server.url], name });
    links.push(link);
    await link.connection();
    return link;
  };
  /** What a test started: left running, a projector would write its marks into the next test's documents. */
  const running: { stop(): void; readonly done: Promise<void> }[] = [];

  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(async () => {
    await Promise.all(links.map((link) => link.close()));
    await server.stop();
  });

  afterEach(async () => {
    const all = running.splice(0);
    for (const one of all) one.stop();
    await Promise.all(all.map((one) => one.done));
  });

  const lead = (
    centre: Centre,
    store: DocumentStore,
    life: string,
    onEnd: (why: Problem) => void = () => undefined,
  ) => {
    const stillLeads = () => Promise.resolve(centre.projector === projector);
    const documents = new Map([...centre.documents].filter(([, d]) => d.type !== 'tombstone'));
    const carrying = (key: DocumentKey): HostName[] => HOSTS.slice(0, key.length % HOSTS.length);
    const projector: Projector = new Projector(
      {
        store,
        signer,
        verifier,
        clock: systemClock,
        life,
        stillLeads,
        onEnd,
        carrying,
        notesAtMost: () => 2,
      },
      documents,
      LINEAGE,
      centre.state.revision,
    );
    centre.projector = projector;
    const done = projector.run();
    running.push({ stop: () => projector.stop(), done });
    return { projector, done };
  };

  it('never says that a host holds what it does not, through losses, deaths and restarts', async () => {
    const centre = new Centre();
    const manager = await open('manager');
    unwrap(await ensureStream(await manager.connection(), DOCS_STREAM));
    const wrong: string[] = [];
    let claims = 0;
    const last = new Map<HostName, Snapshot>();
    let look = (): void => undefined;
    const check = (snapshot: Snapshot): void => {
      claims += 1;
      last.set(snapshot.host, snapshot);
      const own = `h.${snapshot.host}.host`;
      for (const k of new Set([
        own,
        ...keysOfHost(snapshot.host, snapshot.documents),
        ...snapshot.documents.keys(),
      ])) {
        const held = snapshot.documents.get(k);
        const content = held === undefined ? undefined : contentOf(held);
        if (!centre.past.slice(snapshot.received).some((p) => p.get(k) === content))
          wrong.push(`${snapshot.host} at ${snapshot.received}: ${k}`);
      }
      look();
    };
    const all = (): Promise<void> =>
      new Promise((resolve) => {
        look = () => {
          if (HOSTS.every((h) => last.get(h)?.received === centre.state.revision && !last.get(h)?.stale))
            resolve();
        };
        look();
      });

    const first = lead(centre, new JetStreamDocumentStore(manager), 'life-1');
    const proxies = [];
    for (const host of HOSTS) {
      const proxy = lossy(new NatsDocumentSource(host, await open(host)), 5);
      proxies.push(proxy);
      const sync = new DocumentSync({ host, source: proxy, clock: systemClock, verifier, onSnapshot: check });
      running.push({ stop: () => sync.stop(), done: sync.run() });
    }
    for (let n = 0; n < 60; n += 1) centre.plug(n);
    await all();
    for (let n = 1; n < 40; n += 1) {
      centre.commit([groupEvent(GROUPS[n % GROUPS.length] as GroupName, n)]);
      if (n % 3 === 0) centre.unplug(`p${n}` as PortId);
      await systemTick();
    }
    // The leader dies with writes under way; the next one has the state only.
    first.projector.stop();
    const store2 = new JetStreamDocumentStore(await open('manager-2'));
    lead(centre, store2, 'life-2');
    centre.commit([groupEvent(GROUPS[0] as GroupName, 1000)]);
    await all();
    await server.kill9();
    centre.commit([groupEvent(GROUPS[1] as GroupName, 1001)]);
    await server.restart();
    await all();

    expect(wrong).toEqual([]);
    expect(claims).toBeGreaterThan(10);
    expect(proxies.every((p) => p.lost > 0)).toBe(true);
    for (const host of HOSTS) {
      const documents = last.get(host)?.documents ?? new Map<string, StateDocument>();
      expect(documents.size).toBe(new Set(keysOfHost(host, documents)).size);
    }
    await centre.projector?.sweep((host) => last.get(host)?.received ?? null);
    const loaded = unwrap(await store2.load());
    expect(loaded.documents.map((d) => d.key).sort()).toEqual(
      [...projectAll(centre.state, handoverToken).keys(), 's.mark'].sort(),
    );
  });

  it('refuses what a former writer sends, even where its numbers happen to fit', async () => {
    const one = new JetStreamDocumentStore(await open('one'));
    const two = new JetStreamDocumentStore(await open('two'));
    const { lastSeq } = unwrap(await one.load());
    unwrap(await two.load());
    const bytes = new TextEncoder().encode('{}');
    expect(await two.put('s.group.other', bytes, lastSeq)).toEqual({ ok: true, value: { seq: lastSeq + 1 } });
    const late = [0, 1, 2].map((i) => one.put(`s.group.late${i}`, bytes, lastSeq + i));
    expect(await Promise.all(late)).toEqual(late.map(() => ({ ok: false, error: 'wrong-last-sequence' })));
    expect(unwrap(await two.load()).lastSeq).toBe(lastSeq + 1);
  });

  it('lays a projector down whose documents another took over', async () => {
    const centre = new Centre();
    const ends: Problem[] = [];
    const cleaner = new JetStreamDocumentStore(await open('cleaner'));
    for (const { seq } of unwrap(await cleaner.load()).documents) unwrap(await cleaner.remove(seq));
    const old = lead(centre, new JetStreamDocumentStore(await open('old')), 'old', (why) => ends.push(why));
    const claimed = new JetStreamDocumentStore(await open('watch'));
    while (!unwrap(await claimed.load()).documents.some((d) => d.key === 'h.h0.host')) await systemTick();
    lead(centre, new JetStreamDocumentStore(await open('new')), 'new');
    await old.done;
    expect(ends).toMatchObject([{ code: 'fenced' }]);
  });
});

const systemTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
