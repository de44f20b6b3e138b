import { Gauge, type Registry } from 'prom-client';
import { type LiveStore } from './live/live-store.js';
import { type ClusterFollower } from './ports.js';
import { aliveness, intentRevision, reportOf } from './views/host.js';

/** Figures of the cluster as this copy sees it; read when Prometheus asks. */
export function measure(registry: Registry, follower: ClusterFollower, live: LiveStore): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge('portolan_revision', 'revision of the log that was read', () => follower.revision);
  gauge('portolan_intent_revision', 'newest revision that changed what is wanted', () =>
    intentRevision(follower.state),
  );
  gauge('portolan_following', '1 while the log is followed', () => (follower.status === 'live' ? 1 : 0));
  gauge('portolan_hosts', 'hosts of the cluster', () => follower.state.hosts.size);
  gauge('portolan_hosts_up', 'hosts that report', () =>
    follower.state.hosts.count((h) => aliveness(live.silence(h.name)) === 'up'),
  );
  gauge('portolan_hosts_realised', 'hosts that realised the newest change of what is wanted', () => {
    const wanted = intentRevision(follower.state);
    return follower.state.hosts.count(
      (h) => (reportOf(follower.state, live.host(h.name))?.realised ?? -1) >= wanted,
    );
  });
  gauge('portolan_ports_connected', 'ports with a connectee', () => follower.state.byIface.size);
  gauge('portolan_migrations_running', 'migrations under way', () =>
    follower.state.migrations.count((m) => !['completed', 'aborted', 'failed'].includes(m.phase)),
  );
}
