import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { measure } from './metrics.js';

it('says how far a copy is behind only while that is known: who restarts managers waits for it', async () => {
  const [registry, manager] = [new Registry(), { behind: null as number | null }];
  measure(registry, manager);
  const told = async () => /^portolan_manager_documents_behind (.*)$/m.exec(await registry.metrics())?.[1];
  const seen: (string | undefined)[] = [];
  for (const behind of [null, 0, 7, null]) {
    manager.behind = behind;
    seen.push(await told());
  }
  expect(seen).toEqual([undefined, '0', '7', undefined]);
});
