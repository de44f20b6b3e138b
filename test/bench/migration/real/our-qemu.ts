import { numbered, type Lab } from '../../../lab/net.js';
import { prepareGuests, QemuGuest, qemuEnv } from '../../../lab/qemu.js';
import { until } from '../../../lab/exec.js';
import { type BenchCluster } from '../../support/cluster.js';
import { type Figure } from '../../support/figure.js';
import { FAR, HOSTS } from '../guests.js';
import { AGENTS, CONTROL, Progress, WHERE, withOurCluster } from '../our-cluster.js';
import { agentsKilled } from './killed.js';
import { type OurRig } from './rig.js';
import { type Mover, prepare, type Standstill } from './trial.js';

/** Octets a second: memory is copied for as long as it takes to stop everybody. */
const CRAWL = 1_000_000;
const FULL_SPEED = 1_000_000_000;

interface OurQemu extends OurRig {
  /** What it takes until an agent is back that was killed. */
  agentsKilled(): Promise<readonly Figure[]>;
}

/** Runs `work` with a cluster on the hosts of a lab, and a guest of QEMU that Portolan moves by QMP. */
export async function withOurQemu<T>(
  lab: Lab,
  say: (line: string) => void,
  work: (rig: OurQemu) => Promise<T>,
): Promise<T> {
  const isGuests = (host: string): boolean => HOSTS.some((name) => name === host);
  await prepareGuests(lab, HOSTS);
  return withOurCluster(
    lab,
    say,
    async (it) => {
      const guest = new QemuGuest(lab, { ...numbered(1), ...WHERE });
      try {
        const peer = await lab.addVm(FAR, { ...numbered(2), ...WHERE });
        await guest.boot(HOSTS[0]);
        const progress = new Progress(it.api, guest.options.name);
        await progress.bound(2);
        await prepare(guest, peer);
        const moves = new QemuMoves(it, guest, progress);
        const way = (name: string, stopped: readonly string[]): Mover => ({
          ...{ name, guest, peer, mac: guest.options.mac },
          move: () => moves.go(stopped),
          finish: () => moves.finish(),
        });
        return await work({
          name: 'ours',
          ways: [
            way('ours, by order (QMP)', []),
            way('ours, by order (QMP), all of Portolan stopped', [...CONTROL, ...AGENTS]),
          ],
          ledgerError: () => progress.ledgerError(() => guest.framesIn()),
          lost: () => progress.lost(),
          pauses: () => progress.pauses(),
          agentsKilled: () => agentsKilled(it, progress, moves.ends),
        });
      } finally {
        await guest.stop();
      }
    },
    (host) => (isGuests(host) ? qemuEnv(host, lab) : {}),
  );
}

/** A guest that goes to and fro by the operator's word; the bench is whoever runs VMs. */
class QemuMoves {
  #left = Promise.resolve();
  #stopped: readonly string[] = [];

  constructor(
    private readonly it: BenchCluster,
    private readonly guest: QemuGuest,
    private readonly progress: Progress,
  ) {}

  /** Where it is, and where it goes next. */
  get ends(): { readonly source: string; readonly destination: string } {
    const source = this.guest.run.host.name;
    return { source, destination: source === HOSTS[0] ? HOSTS[1] : HOSTS[0] };
  }

  /** `stopped`: processes that stand still from when memory is copied, until `finish`. */
  async go(stopped: readonly string[]): Promise<Standstill> {
    const { guest, progress } = this;
    const here = guest.run;
    const { destination } = this.ends;
    const bandwidth = (octets: number) => here.qmp('migrate-set-parameters', { 'max-bandwidth': octets });
    this.#left = here.gone;
    await bandwidth(stopped.length > 0 ? CRAWL : FULL_SPEED);
    await progress.begin(destination);
    await progress.moves();
    const there = await guest.plugAt(destination);
    await there.start(guest.incoming(destination));
    if (stopped.length > 0) {
      await until('memory to be copied', async () => {
        const { status } = (await here.qmp('query-migrate')) as { readonly status?: string };
        return status === 'active' || undefined;
      });
      this.#signal(stopped, 'SIGSTOP');
      this.#stopped = stopped;
      await bandwidth(FULL_SPEED);
    }
    const [from, to] = await progress.orWhy(
      Promise.all([here.events.when('STOP'), there.events.when('RESUME')]),
    );
    return { from, to };
  }

  async finish(): Promise<void> {
    this.#signal(this.#stopped, 'SIGCONT');
    this.#stopped = [];
    await this.progress.completed();
    // The agent ends the QEMU whose guest has gone.
    await this.#left;
  }

  #signal(processes: readonly string[], how: NodeJS.Signals): void {
    for (const process of processes) this.it.cluster.children.signal(process, how);
  }
}
