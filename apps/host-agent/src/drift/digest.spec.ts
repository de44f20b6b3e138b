import { describe, expect, it } from '@jest/globals';
import { AgentHost } from '../agent.fixture.js';
import { tablesDigest } from './digest.js';

describe('the digest of the tables', () => {
  it('changes with what they do, and comes back when it is taken back', async () => {
    const host = new AgentHost();
    host.services = [tablesDigest];
    await host.start();
    expect((await host.agent.telemetry()).tables).toBeUndefined();
    const tables = async (revision: number, override: object): Promise<string | undefined> => {
      await host.become(revision, [{ n: 1, override }]);
      return (await host.agent.telemetry()).tables;
    };
    await tables(1, {});
    await host.plug(1);
    const open = await tables(2, {});
    const blocked = await tables(3, { blocked: true });
    expect(open).toMatch(/^[0-9a-f]{16}$/);
    expect(blocked).not.toBe(open);
    expect(await tables(4, {})).toBe(open);
    await host.agent.close();
  });
});
