import { describe, expect, it } from '@jest/globals';
import { type Epoch, type HostName, type PortId } from '#kernel';
import { type Binding, type Port, type State } from '#domain';
import { ConnectionsRelay } from './connections-relay.js';

const at = (host: string, epoch: number) => ({ host: host as HostName, epoch: epoch as Epoch }) as Binding;
const stateOf = (port: object) =>
  ({
    ports: new Map([
      ['p1' as PortId, { active: null, standby: null, retiring: [], ...port } as unknown as Port],
    ]),
  }) as unknown as Pick<State, 'ports'>;

describe('what hosts tell of connections', () => {
  function passed(port: object | null, subject: string, allows = true): string[] {
    const subjects: string[] = [];
    const nc = { publish: (to: string) => void subjects.push(to), subscribe: () => ({}) as never };
    const relay = new ConnectionsRelay(nc, () => port && stateOf(port), { allows: () => allows });
    relay.pass(subject, new Uint8Array(10));
    return subjects;
  }
  const moving = { active: at('north', 1), standby: at('south', 2) };
  const moved = { active: at('south', 2), retiring: [at('north', 1)] };

  it('goes to where the log says that the port goes, or has just gone', () => {
    expect(passed(moving, 'conn.north.p1.2')).toEqual(['live.conn.south.p1.2']);
    expect(passed(moved, 'conn.north.p1.2')).toEqual(['live.conn.south.p1.2']);
  });

  it('is passed on by the copy that leads alone', () => {
    expect(passed(null, 'conn.north.p1.2')).toEqual([]);
  });

  it('goes nowhere of ports that do not leave the host, or for another binding', () => {
    expect(passed(moving, 'conn.south.p1.2')).toEqual([]);
    expect(passed(moving, 'conn.west.p1.2')).toEqual([]);
    expect(passed(moving, 'conn.north.p1.1')).toEqual([]);
    expect(passed(moving, 'conn.north.p2.2')).toEqual([]);
    expect(passed({ active: at('south', 2) }, 'conn.north.p1.2')).toEqual([]);
    expect(passed(moving, 'conn.north.p1.x')).toEqual([]);
    expect(passed(moving, 'conn.north.p1.2', false)).toEqual([]);
  });
});
