import { besideLedger } from './counters/beside.js';
import { tablesDigest } from './drift/digest.js';
import { discovery } from './discovery/discovery.js';
import { health } from './health/health.js';
import { standbys } from './hypervisor/standbys.js';
import { snooping } from './multicast/snooping.js';
import { countsHits } from './rules/hits.js';
import { logs } from './rules/log.js';
import { rejects } from './rules/reject.js';
import { beacons } from './teaming/beacon/service.js';
import { byLoad } from './teaming/load/service.js';
import { type MakeService } from './service.js';

/** Every service of an agent. One line each; the order matters only where two want the same event. */
export const SERVICES: readonly MakeService[] = [
  byLoad,
  beacons,
  rejects,
  besideLedger,
  snooping,
  discovery,
  health,
  countsHits,
  logs,
  tablesDigest,
  standbys,
];
