import { err, invalid, ok, systemClock, unwrap, type Clock, type Result } from '#kernel';
import { join } from 'node:path';
import { parseEndpoint, type Endpoint } from '../link/endpoint.js';
import { type Method } from './effective.js';
import { findUnixctl } from '../unixctl/unixctl.js';

/** Where the switch is: its run directory, or each of its sockets as `unix:path` or `tcp:address:port`. */
export type SwitchAddress =
  | { readonly rundir: string }
  | {
      readonly ovsdb: string;
      /** A bridge's OpenFlow service; `{bridge}` stands for its name. */
      readonly mgmt: string;
      readonly unixctl: string;
    };

export type DatapathType = 'system' | 'netdev';

export type OvsDriverConfig = SwitchAddress & {
  /** `netdev` is the switch in userspace; absent: `system`, the kernel's. */
  readonly datapathType?: DatapathType;
  /** How `effective` is reached; absent: whatever is exact and quickest on this switch. */
  readonly effective?: Method;
  readonly clock?: Clock;
};

/** What Linux allows for a device. */
export const MAX_BRIDGE_NAME = 15;

export interface Endpoints {
  readonly ovsdb: Endpoint;
  mgmt(bridge: string): Endpoint;
  unixctl(): Endpoint | Promise<Endpoint>;
}

export function resolveEndpoints(config: OvsDriverConfig): Result<Endpoints> {
  if ('rundir' in config) return fromRundir(config.rundir);
  const ovsdb = parseEndpoint(config.ovsdb, 'ovsdb');
  if (!ovsdb.ok) return ovsdb;
  const unixctl = parseEndpoint(config.unixctl, 'unixctl');
  if (!unixctl.ok) return unixctl;
  const mgmt = (bridge: string) => parseEndpoint(config.mgmt.replaceAll('{bridge}', bridge), 'mgmt');
  const longest = mgmt('x'.repeat(MAX_BRIDGE_NAME));
  if (!longest.ok) return longest;
  return ok({
    ovsdb: ovsdb.value,
    unixctl: () => unixctl.value,
    mgmt: (bridge) => unwrap(mgmt(bridge)),
  });
}

function fromRundir(rundir: string): Result<Endpoints> {
  // Room for "/<15 characters>.mgmt" and for the control socket in the 107 bytes of a socket's path.
  const room = 107 - '/ovs-vswitchd.4194304.ctl'.length;
  if (!rundir.startsWith('/') || Buffer.byteLength(rundir) > room) {
    return err(invalid('rundir', rundir, 'is no run directory', `an absolute path of at most ${room} bytes`));
  }
  return ok({
    ovsdb: { kind: 'unix', path: join(rundir, 'db.sock') },
    mgmt: (bridge) => ({ kind: 'unix', path: join(rundir, `${bridge}.mgmt`) }),
    unixctl: () => findUnixctl(rundir),
  });
}

export const clockOf = (config: OvsDriverConfig): Clock => config.clock ?? systemClock;
