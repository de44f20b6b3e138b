import { beforeEach, describe, expect, it } from '@jest/globals';
import { type StateDocument } from '#contracts';
import { PORT_DATA } from '#openflow';
import { AgentHost, LINEAGE, mac, settle, view, type BindingSpec } from '../../agent.fixture.js';
import { type ServiceHost } from '../../service.js';
import { carriesPolicy } from './carries.js';
import { portDataText } from './port-data.js';

const TOKEN = '03:00:00:00:00:99';
const stays: BindingSpec = { n: 1 };
const leaves: BindingSpec = { n: 1, token: TOKEN };
const comes: BindingSpec = { n: 1, epoch: 2, role: 'standby', token: TOKEN };
const came: BindingSpec = { n: 1, epoch: 2 };
const asks = {
  ...{ name: 'asks', direction: 'in', action: 'allow', tier: 1, enabled: true },
  match: { ipVersion: 4, ipProtocol: 17, dstSet: 'peers' },
};
const ofPeers = { filter: { stateful: true, default: 'drop', rules: [asks] } as never };

const text = (revision: number, more: object = {}): string =>
  portDataText({ port: 'p1', epoch: 2, lineage: LINEAGE, revision, ...more } as never);

describe('the policy that a guest of libvirt takes along', () => {
  let host: AgentHost;
  /** What was written, in order. */
  let written: (string | null)[];
  let refused: number;

  const around = (service: ServiceHost): ServiceHost => {
    const setPortData: ServiceHost['driver']['setPortData'] = (device, data) => {
      if (refused > 0) {
        refused -= 1;
        return Promise.reject(new Error('the database is gone'));
      }
      written.push(data);
      return service.driver.setPortData(device, data);
    };
    const driver = Object.assign(Object.create(service.driver) as ServiceHost['driver'], { setPortData });
    return { ...service, driver };
  };

  beforeEach(async () => {
    host = new AgentHost();
    written = [];
    refused = 0;
    host.services = [(service) => carriesPolicy(around(service))];
    await host.start();
  });

  const ids = (): Readonly<Record<string, string>> =>
    host.switch.interfaces().find(({ name }) => name === 'tap1')?.externalIds ?? {};
  /** As libvirt does at the destination, or anybody by hand. */
  const write = async (data: string): Promise<void> => {
    host.switch.setExternalIds('tap1', { ...ids(), [PORT_DATA]: data });
    await settle();
  };

  describe('where it leaves', () => {
    beforeEach(async () => {
      await host.become(1, [stays]);
      await host.plug(1);
    });

    it('is said while a standby waits elsewhere, and no more when it stays', async () => {
      const before = ids();
      await host.become(2, [stays]);
      expect(written).toEqual([]);
      await host.become(3, [leaves]);
      expect(ids()).toEqual({ ...before, [PORT_DATA]: text(3) });
      await host.become(4, [{ ...leaves, override: { blocked: true } }]);
      expect(ids()).toEqual({ ...before, [PORT_DATA]: text(4) });
      await host.become(5, [stays]);
      expect(ids()).toEqual(before);
      expect(written).toEqual([text(3), text(4), null]);
    });

    it('is written only when it is another one', async () => {
      const held = view(3, [leaves]);
      host.agent.documents(held);
      await settle();
      for (let received = 4; received < 9; received += 1) {
        host.agent.documents({ ...held, received: received as never });
        host.agent.audit();
        await settle();
        host.switch.setLink('tap1', received % 2 === 0);
        await settle();
      }
      expect(written).toEqual([text(3)]);
    });

    it('is the newest of what the port’s policy is made of, and of nothing else', async () => {
      const revised = (revisions: Readonly<Record<string, number>>) => {
        const all = view(3, [{ ...leaves, override: ofPeers }, { n: 2 }], { peers: [2] });
        const documents = new Map(all.documents);
        for (const [key, revision] of Object.entries(revisions))
          documents.set(key, { ...documents.get(key), revision } as StateDocument);
        const port = documents.get('h.h1.port.p1');
        const sets = [{ name: 'peers', minRevision: 1 }];
        documents.set('h.h1.port.p1', { ...port, sets } as unknown as StateDocument);
        return { ...all, documents, received: 20 as never };
      };
      for (const [revisions, newest] of [
        [{ 's.group.web': 7 }, 7],
        [{ 's.switch.lan': 8 }, 8],
        [{ 's.set.peers': 9 }, 9],
        [{ 'h.h1.port.p1': 10 }, 10],
        [{ 'h.h1.port.p2': 11, 'h.h1.host': 12 }, 3],
      ] as const) {
        host.agent.documents(revised(revisions));
        await settle();
        expect(ids()[PORT_DATA]).toBe(text(newest));
      }
    });

    it('is what stands: not what the switch refuses, and nothing of a policy that is not whole', async () => {
      await host.become(3, [leaves]);
      host.fails = true;
      await host.become(4, [{ ...leaves, override: { blocked: true } }]);
      expect(ids()[PORT_DATA]).toBe(text(3));
      host.fails = false;
      host.agent.audit();
      await settle();
      expect(ids()[PORT_DATA]).toBe(text(4));
      await host.become(5, [{ ...leaves, override: ofPeers }]);
      expect(host.reports.at(-1)).toMatchObject({ exceptions: [{ port: 'p1' }] });
      expect(ids()).not.toHaveProperty(PORT_DATA);
    });

    it('replaces what an earlier move left there, and leaves alone what another program wrote', async () => {
      await write(text(2, { epoch: 1 }));
      expect(ids()).not.toHaveProperty(PORT_DATA);
      await write('{"theirs":1}');
      await host.become(3, [leaves]);
      await host.become(4, [{ ...leaves, override: { blocked: true } }]);
      await host.become(5, [stays]);
      expect(ids()[PORT_DATA]).toBe('{"theirs":1}');
      expect(written).toEqual([null]);
      expect(host.warnings).toHaveLength(1);
    });

    it('is tried again where it could not be written, and that is said once', async () => {
      refused = 3;
      await host.become(3, [leaves]);
      for (let i = 0; i < 3; i += 1) {
        expect(ids()).not.toHaveProperty(PORT_DATA);
        host.clock.advance(1_000);
        await settle();
      }
      expect(ids()[PORT_DATA]).toBe(text(3));
      expect(host.warnings).toHaveLength(1);
    });

    it('is not written by an agent that ends, and taken over by its next run', async () => {
      await host.become(3, [leaves]);
      await host.agent.close();
      expect(ids()[PORT_DATA]).toBe(text(3));
      await host.start(view(5, [stays]));
      expect(ids()).not.toHaveProperty(PORT_DATA);
    });
  });

  describe('where it comes', () => {
    beforeEach(async () => {
      await host.become(1, [comes]);
      await host.plug(1);
    });
    const arrives = (): Promise<void> => host.send(1, mac(2));
    const told = () => host.of('PortActivated');
    const activated = { type: 'PortActivated', port: 'p1', epoch: 2, realised: 1 };

    it('is told with its first frame, and taken away once the port is here', async () => {
      const before = ids();
      await write(text(41));
      expect(ids()[PORT_DATA]).toBe(text(41));
      await arrives();
      expect(told()).toEqual([{ ...activated, at: host.clock.now(), carried: 41 }]);
      expect(ids()[PORT_DATA]).toBe(text(41));
      await host.become(2, [came]);
      expect(ids()).toEqual(before);
      expect(written).toEqual([null]);
      expect(host.of('Drift')).toEqual([]);
    });

    it('is told by a later run of the agent, too, which finds it there', async () => {
      await host.agent.close();
      host.switch.setExternalIds('tap1', { ...ids(), [PORT_DATA]: text(41) });
      await host.start(view(1, [comes]));
      await arrives();
      expect(told()).toMatchObject([{ ...activated, carried: 41 }]);
    });

    it.each([
      ['another program’s', '{"theirs":1}', '{"theirs":1}'],
      ['of a later version', text(41).replace('"portolan":1', '"portolan":2'), undefined],
      ['of another port', text(41, { port: 'p2' }), undefined],
      ['of an earlier move', text(41, { epoch: 1 }), undefined],
      ['of another lineage', text(41, { lineage: LINEAGE.replace('1', '2') }), undefined],
    ])('is not told when it is %s; the guest comes all the same', async (_what, brought, left) => {
      await write(brought);
      await arrives();
      expect(told()).toEqual([{ ...activated, at: host.clock.now() }]);
      expect(host.warnings).toHaveLength(1);
      expect(host.received('eth0')).toBeGreaterThan(0);
      await host.become(2, [came]);
      expect(ids()[PORT_DATA]).toBe(left);
    });

    it('is nothing where it brought nothing', async () => {
      await arrives();
      expect(told()).toEqual([{ ...activated, at: host.clock.now() }]);
      expect([host.warnings, written]).toEqual([[], []]);
    });
  });
});
