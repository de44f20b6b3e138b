import { PLAIN } from '../../model/frame.js';
import { type Arrival, type HostSpec, type World } from '../../model/world.js';
import { guestsOf, tagsOf } from '../frames.js';
import { type Random } from '../random.js';
import { BROADCAST, MULTICAST, OUTSIDERS, VLANS } from '../values.js';
import { type Teller } from './teller.js';

const STEPS = 5;

/** One uplink of a host after the other goes down or comes back, and by each step it shows which of them carries whom. */
export function linksStory(random: Random, world: World, teller: Teller): void {
  const hosts = world.hosts.filter((host) => devicesOf(host).length > 1);
  if (hosts.length === 0) return;
  const host = random.pick(hosts);
  let down: readonly string[] = host.down;
  for (let i = 0; i < STEPS; i += 1) {
    // Mostly one is away, and then comes back.
    const away = devicesOf(host).filter((device) => down.includes(device));
    const device = random.pick(away.length > 0 && random.chance(0.6) ? away : devicesOf(host));
    down = down.includes(device) ? down.filter((d) => d !== device) : [...down, device];
    teller.links(host.name, down);
    teller.frames(...fromGuests(random, world, host), ...fromOutside(random, host, down));
  }
}

const devicesOf = ({ members }: HostSpec): string[] => Object.values(members['lan'] ?? {});

function fromGuests(random: Random, world: World, { name }: HostSpec): Arrival[] {
  const guests = random.shuffled(guestsOf(world).filter(({ host }) => host === name)).slice(0, 3);
  return guests.map((guest) => ({
    host: name,
    device: guest.device,
    frame: {
      from: guest.mac,
      to: random.pick([BROADCAST, OUTSIDERS[0]]),
      tags: tagsOf(random, guest),
      body: PLAIN,
    },
  }));
}

function fromOutside(random: Random, host: HostSpec, down: readonly string[]): Arrival[] {
  const live = devicesOf(host).filter((device) => !down.includes(device));
  const vid = random.pick([0, ...VLANS]);
  return live.map((device) => ({
    host: host.name,
    device,
    frame: {
      from: OUTSIDERS[1],
      to: random.pick([BROADCAST, MULTICAST]),
      tags: vid === 0 ? [] : [{ vid, pcp: 0 }],
      body: PLAIN,
    },
  }));
}
