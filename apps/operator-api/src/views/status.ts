import { type State } from '#domain';
import { type ManagerStatus } from '#contracts';
import { type Status } from '#contracts/http';
import { type LiveStore } from '../live/live-store.js';
import { aliveness, intentRevision, reportOf } from './host.js';
import { iso } from './time.js';

export interface StatusInput {
  readonly state: State;
  readonly live: LiveStore;
  readonly manager: ManagerStatus | null;
  readonly digest: string | null;
  readonly version: string;
  readonly follows: boolean;
  readonly problem: string | null;
}

export function statusView(input: StatusInput): Status {
  const { state, manager } = input;
  const hosts = hostsStatus(input);
  const ports = [...state.ports.values()].filter((p) => !p.deleted);
  return {
    lineage: state.lineage,
    revision: state.revision,
    time: state.time === 0 ? null : iso(state.time),
    digest: input.digest,
    leader: manager?.role === 'leader' ? manager.manager : null,
    managers:
      manager === null
        ? []
        : [
            {
              id: manager.manager,
              role: manager.role,
              revision: manager.revision,
              lastSeen: iso(manager.time),
            },
          ],
    ...hosts,
    ...(manager?.refused === undefined ? {} : { refused: [...manager.refused] }),
    counts: {
      switches: state.switches.size,
      groups: state.groups.size,
      ports: ports.length,
      connected: ports.filter((p) => p.connectee !== null).length,
      migrating: ports.filter((p) => p.standby !== null).length,
    },
    version: input.version,
    api: { follows: input.follows, problem: input.problem },
  };
}

/** A host is where it should be when it realised the newest change of what is wanted, and is still heard of. */
function hostsStatus({ state, live }: StatusInput): Pick<Status, 'hosts' | 'exceptions'> {
  const wanted = intentRevision(state);
  const behind: Status['hosts']['behind'] = [];
  let exceptions = 0;
  for (const host of state.hosts.keys()) {
    const seen = live.host(host);
    const report = reportOf(state, seen);
    const alive = aliveness(live.silence(host));
    exceptions += report?.exceptions.length ?? 0;
    if (alive === 'up' && report !== null && report.realised >= wanted) continue;
    behind.push({
      host,
      state: alive,
      realised: report?.realised ?? null,
      received: report?.received ?? null,
    });
  }
  return {
    hosts: { total: state.hosts.size, realised: state.hosts.size - behind.length, behind },
    exceptions,
  };
}
