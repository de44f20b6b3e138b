import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type HostName, type PortId } from '#kernel';
import { InMemoryLog, toSnapshot } from '#event-store';
import { sha256Hasher } from '#event-store/jetstream';
import { CODE_VERSION, stateCodec } from '#runtime';
import { apply, hosts, lan, MemoryDocuments, request, startCopy, type Copy } from './cluster.fixture.js';

async function until(what: string, check: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000; i += 1) {
    if (check()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not so: ${what}`);
}

describe('the token of a running migration', () => {
  let log: InMemoryLog;
  let documents: MemoryDocuments;
  let copies: Copy[];
  let port: PortId;
  const leading = async (name: string): Promise<Copy> => {
    const copy = await startCopy(name, log, documents);
    copies.push(copy);
    copy.elect();
    await until(`${name} to lead`, () => copy.manager.leads);
    return copy;
  };
  const handover = (host: string) =>
    documents.body(`h.${host}.port.${port}`)?.['handover'] as { token: string; epoch: number } | undefined;
  const marked = (copy: Copy): Promise<void> =>
    until('the mark', () => documents.body('s.mark')?.revision === copy.follower.revision);

  beforeEach(async () => {
    log = new InMemoryLog();
    documents = new MemoryDocuments();
    copies = [];
    const { manager, follower } = await leading('a');
    await manager.execute(request(apply(...hosts('h1', 'h2'), ...lan('h1', 'h2'))));
    const iface = { ifaceId: 'i', mac: '02:00:00:00:00:01', profile: 'web', owner: 'vm', switch: 'lan' };
    const plugged = { type: 'InterfacePlugged', interface: { ...iface, kind: 'vm' } } as const;
    const facts = [{ seq: 1, at: 1, fact: plugged }];
    await manager.ingest({ schema: 1, host: 'h1' as HostName, boot: 'b', facts }, '1');
    const moved = await manager.execute(
      request({ type: 'StartMigration', owner: 'vm', destination: 'h2' as HostName }),
    );
    expect(moved).toMatchObject({ ok: true });
    const moving = () => [...follower.state.ports.values()].find((p) => p.standby !== null)?.id;
    await until('it to be known', () => moving() !== undefined);
    port = moving()!;
    await marked(copies[0]!);
  });
  afterEach(async () => {
    for (const copy of copies) await copy.stop();
  });

  it('is in the documents of both hosts, the same one', () => {
    expect(handover('h1')).toMatchObject({ migration: 'm1', epoch: 2 });
    expect(handover('h1')?.token).toMatch(/^[0-9a-f][37bf](:[0-9a-f]{2}){5}$/);
    expect(handover('h2')).toEqual(handover('h1'));
  });

  it('is neither in the log, nor in the state, nor in a snapshot', async () => {
    const { token } = handover('h1')!;
    const texts: string[] = [];
    for await (const messages of log.read(1))
      for (const { bytes } of messages) texts.push(new TextDecoder().decode(bytes));
    expect(texts.join('\n')).toContain('"type":"StandbyGranted","v":2');
    const rules = {
      codeVersion: CODE_VERSION,
      state: stateCodec,
      hasher: sha256Hasher,
    };
    texts.push([...toSnapshot(copies[0]!.follower.capture()!, rules).lines].join('\n'));
    expect(texts.at(-1)).toContain('"standby":{');
    for (const text of texts) {
      expect(text).not.toContain(token);
      expect(text).not.toContain('token');
    }
  });

  it('is derived anew, and alike, by the manager that takes over', async () => {
    const before = handover('h1');
    copies[0]!.lease = false;
    copies[0]!.manager.lost('spec');
    // As if the stream had been lost as well: nothing but the log and the key is left.
    documents.messages.clear();
    const second = await leading('b');
    await until('the documents', () => handover('h1') !== undefined && handover('h2') !== undefined);
    await marked(second);
    expect(handover('h1')).toEqual(before);
    expect(handover('h2')).toEqual(before);
  });
});
