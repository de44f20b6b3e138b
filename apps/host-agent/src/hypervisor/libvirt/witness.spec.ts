import { beforeEach, describe, expect, it } from '@jest/globals';
import { AgentHost, settle } from '../../agent.fixture.js';
import { type LibvirtHypervisor, type Presence } from './hypervisor.js';
import { witness } from './witness.js';

const TOKEN = '07:00:00:00:00:01';
const awaited = { n: 1, epoch: 2, role: 'standby', token: TOKEN } as const;
const leaving = { n: 1, epoch: 1, role: 'active', token: TOKEN } as const;

describe('what libvirt knows of moves that it was not asked for', () => {
  let host: AgentHost;
  let presence: Presence;
  let changed: () => void;
  const told = async () => {
    await settle();
    return host.of('HypervisorMigration');
  };

  beforeEach(async () => {
    presence = 'unknown';
    const libvirt: Pick<LibvirtHypervisor, 'presence' | 'onChange'> = {
      presence: () => presence,
      onChange: (listener) => {
        changed = listener;
        return () => (changed = () => undefined);
      },
    };
    host = new AgentHost();
    host.services = [witness(libvirt)];
    await host.start();
  });

  const becomes = (now: Presence): void => {
    presence = now;
    changed();
  };

  it('is told once when an awaited guest runs here', async () => {
    await host.become(1, [awaited]);
    becomes('left');
    expect(await told()).toEqual([]);
    becomes('runs');
    changed();
    await host.become(2, [awaited, { n: 2 }]);
    expect(await told()).toMatchObject([{ attempt: 0, outcome: 'completed' }]);
  });

  it('is told once when a guest has left that somebody sends away', async () => {
    becomes('runs');
    await host.become(1, [leaving]);
    expect(await told()).toEqual([]);
    becomes('left');
    changed();
    expect(await told()).toMatchObject([{ attempt: 0, outcome: 'completed' }]);
  });

  it('is nothing of guests that stay where they are', async () => {
    await host.become(1, [{ n: 1 }]);
    becomes('runs');
    becomes('left');
    expect(await told()).toEqual([]);
  });
});
