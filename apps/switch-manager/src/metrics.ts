import { Gauge, type Registry } from 'prom-client';
import { type Manager } from './manager.js';

/** What only this service can tell of itself. */
export function measure(registry: Registry, manager: Pick<Manager, 'behind'>): void {
  new Gauge({
    name: 'portolan_manager_documents_behind',
    help: 'Documents that this copy would have to write if it led from now on; absent while it has not compared them',
    registers: [registry],
    collect() {
      // Set to nothing it would be told as 0, which means that nothing is left to do.
      if (manager.behind === null) this.remove();
      else this.set(manager.behind);
    },
  });
}
