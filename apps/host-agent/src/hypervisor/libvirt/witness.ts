import { type Fact } from '#domain';
import { type Desired } from '#compiler';
import { type MakeService } from '../../service.js';
import { type LibvirtHypervisor } from './hypervisor.js';

type Word = Extract<Fact, { type: 'HypervisorMigration' }>;

/**
 * Says what libvirt knows of moves that this host was not asked to make: that a guest runs here which is awaited, and
 * that one has left which somebody else sends away. The data plane switches by the guest's first frame; this is for a
 * guest that says nothing, and for a source that can't tell any more how it ended.
 */
export const witness =
  (libvirt: Pick<LibvirtHypervisor, 'presence' | 'onChange'>): MakeService =>
  ({ record }) => {
    let desired: Desired | null = null;
    let told = new Set<string>();
    const look = (): void => {
      const words = desired === null ? [] : wordsOf(desired, libvirt);
      for (const word of words) if (!told.has(keyOf(word))) record(word);
      told = new Set(words.map(keyOf));
    };
    const unwatch = libvirt.onChange(look);
    return {
      carriedOut: (_compiled, _have, now) => {
        desired = now;
        look();
      },
      close: unwatch,
    };
  };

function wordsOf({ host, ports }: Desired, libvirt: Pick<LibvirtHypervisor, 'presence'>): readonly Word[] {
  const ordered = new Set(host.migrations.map((order) => order.migration));
  const arriving = new Map(host.arrivals?.map(({ migration, attempt }) => [migration, attempt]));
  const words = new Map<string, Word>();
  for (const { handover, connectee, role } of ports) {
    if (handover === null || connectee === null || ordered.has(handover.migration)) continue;
    const isThere = libvirt.presence(connectee.owner) === (role === 'standby' ? 'runs' : 'left');
    if (!isThere || role === 'retired') continue;
    const { migration } = handover;
    // Somebody else's migration is an attempt of nobody.
    const attempt = arriving.get(migration) ?? 0;
    words.set(migration, { type: 'HypervisorMigration', migration, attempt, outcome: 'completed' });
  }
  return [...words.values()];
}

const keyOf = ({ migration, attempt }: Word): string => `${migration}/${attempt}`;
