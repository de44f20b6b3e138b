import { type Mirror } from '#domain';
import { type Frame } from './frame.js';
import { type Delivery, type HostSpec, type PortSpec, type SwitchSpec } from './world.js';

/** Where a frame is looked at: a port, or an uplink by its name; `in` is what enters the switch there. */
export type Place = (Pick<PortSpec, 'n' | 'group'> | { readonly uplink: string }) & {
  readonly direction: 'in' | 'out';
};

/** A frame as it is there, with its tags, and the segment that `vlans` of a mirror speaks of. */
interface Sight {
  readonly place: Place;
  readonly frame: Frame;
  /** Its outermost tag is that of its VLAN. Else all are the guest's own. */
  readonly isTagged: boolean;
  readonly segment: number;
  /** The device by which it came to the switch. */
  readonly from: string;
}

type ToPort = Extract<Mirror['to'], { port: unknown }>;
type ToUplinks = Extract<Mirror['to'], { uplinks: unknown }>;

/** The mirrors of a switch, on one host. */
export class Mirrors {
  private readonly devices: Readonly<Record<string, string>>;
  /** What the host has to say that it can't carry out. */
  readonly refused: readonly string[];

  constructor(
    private readonly sw: SwitchSpec,
    private readonly host: HostSpec,
    /** Of a port that is there, takes copies and is not blocked. */
    private readonly deviceOf: (n: number) => string | undefined,
  ) {
    this.devices = host.members[sw.name] ?? {};
    const nowhere = ({ to }: Mirror): boolean =>
      'uplinks' in to && to.uplinks.every((uplink) => this.devices[uplink] === undefined);
    this.refused = sw.mirrors.filter(nowhere).map(() => `switch/${sw.name} mirror-invalid`);
  }

  copies(sight: Sight): Delivery[] {
    return this.sw.mirrors
      .filter((mirror) => this.looksAt(mirror, sight))
      .flatMap(({ to }) => ('port' in to ? this.toPort(to, sight) : this.away(to as ToUplinks, sight)));
  }

  /** Whether a port is there for copies and nothing else. */
  isAlone(n: number): boolean {
    return this.sw.mirrors.some(
      ({ to, allowTraffic }) => 'port' in to && to.port === `p${n}` && !allowTraffic,
    );
  }

  private looksAt({ sources, vlans, to }: Mirror, { place, segment }: Sight): boolean {
    if ('n' in place && 'port' in to && to.port === `p${place.n}`) return false;
    // What is in the VLAN of a mirror is a copy: it is looked at by who asks for that VLAN, and brought nowhere else.
    const isCopy = mirrorVlansOf(this.sw).includes(segment) && 'uplink' in place && place.direction === 'in';
    if (isCopy && !('port' in to && vlans !== undefined)) return false;
    if (vlans !== undefined && !vlans.includes(segment)) return false;
    return sources.some(
      (source) =>
        (source.direction === 'both' || source.direction === place.direction) &&
        ('uplink' in place
          ? 'uplink' in source && source.uplink === place.uplink
          : 'port' in source
            ? source.port === `p${place.n}`
            : 'group' in source && source.group === place.group),
    );
  }

  /** Not what it sent itself. */
  private toPort({ port }: ToPort, { frame, from }: Sight): Delivery[] {
    const device = this.deviceOf(Number(port.slice(1)));
    return device === undefined || device === from ? [] : [{ devices: [device], frame }];
  }

  /** By the first live one, with the mirror's tag in the place of that of its VLAN. */
  private away({ uplinks, vlan }: ToUplinks, { frame, isTagged }: Sight): Delivery[] {
    const device = uplinks
      .flatMap((uplink) => this.devices[uplink] ?? [])
      .find((d) => !this.host.down.includes(d));
    const pcp = (isTagged ? frame.tags[0]?.pcp : undefined) ?? 0;
    const tags = [{ vid: vlan, pcp }, ...frame.tags.slice(isTagged ? 1 : 0)];
    return device === undefined ? [] : [{ devices: [device], frame: { ...frame, tags } }];
  }
}

/** VLANs that mirrors have for themselves: no port hears of them, or sends into them. */
export const mirrorVlansOf = ({ mirrors }: Pick<SwitchSpec, 'mirrors'>): readonly number[] =>
  mirrors.flatMap(({ to }) => ('uplinks' in to ? [to.vlan] : []));
