import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { InMemoryLog } from '#event-store';
import { sha256 } from '#event-store/jetstream';
import { apply, hosts, MemoryDocuments, request, startCopy, type Copy } from './cluster.fixture.js';
import { repudiation } from './repudiation.js';

const garbage = new TextEncoder().encode('garbage');
const hash = sha256(garbage);

async function leader(log: InMemoryLog, documents: MemoryDocuments): Promise<Copy> {
  const copy = await startCopy('a', log, documents);
  copy.elect();
  for (let i = 0; i < 400 && !copy.manager.leads; i += 1) await new Promise((r) => setTimeout(r, 5));
  return copy;
}

describe('repudiation', () => {
  it('finds the commit that can’t be read, leaves out that one only, and the log goes on', async () => {
    const [log, documents] = [new InMemoryLog(), new MemoryDocuments()];
    const first = await leader(log, documents);
    await first.manager.execute(request(apply(...hosts('h1'))));
    await first.stop();
    const parts = { log, ids: { next: () => randomUUID() }, cluster: 'spec', actor: 'op', now: Date.now() };
    expect(await repudiation({}, parts)).toMatchObject({ value: { kind: 'readable', revision: 2 } });
    expect(await repudiation({ hash, reason: 'x' }, parts)).toMatchObject({ error: { code: 'refused' } });

    await log.append({ id: 'garbage', topic: 'commit', bytes: garbage }, await log.last());
    expect(await repudiation({}, parts)).toMatchObject({
      value: { kind: 'found', poison: { revision: 3, hash } },
    });
    const wrong = await repudiation({ hash: '0'.repeat(64), reason: 'x' }, parts);
    expect(wrong).toMatchObject({ error: { code: 'invalid', details: [{ field: 'hash' }] } });
    for (const reason of [undefined, '  ', 'x'.repeat(501)])
      expect(await repudiation({ hash, reason }, parts)).toMatchObject({
        error: { details: [{ field: 'reason' }] },
      });
    const done = await repudiation({ hash, reason: 'a test' }, parts);
    expect(done).toMatchObject({ value: { kind: 'repudiated', revision: 4 } });

    expect(await repudiation({}, parts)).toMatchObject({ value: { kind: 'readable', revision: 4 } });
    const second = await leader(log, documents);
    expect(await second.manager.execute(request(apply(...hosts('h2'))))).toMatchObject({
      ok: true,
      revision: 6,
    });
    expect([...second.follower.state.hosts.keys()].sort()).toEqual(['h1', 'h2']);
    await second.stop();
  });
});
