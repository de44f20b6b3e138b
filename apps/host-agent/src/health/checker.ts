import { createHash, randomBytes } from 'node:crypto';
import { type Clock } from '#kernel';
import { type UplinkHealth } from '#contracts';
import { PROBE } from '#compiler';
import { readMac } from '../frames/ethernet.js';
import { macOf, type LiveUplink } from '../uplinks.js';
import { laneKey, type Lane, type Use } from './lanes.js';
import { Peers } from './peers.js';
import { healthKey, parseProbe, probeFrame, type Probe } from './probe.js';
import { pairKey, PATIENCE, Verdicts, type Round } from './verdicts.js';

export interface CheckerParts {
  readonly host: string;
  readonly clock: Clock;
  random(): number;
  send(bridge: string, ofport: number, frame: Uint8Array): void;
  /** A round was judged. */
  judged(): void;
}

/** What of a switch is checked now. */
export interface Checked {
  readonly lineage: string;
  readonly switch: string;
  readonly intervalSeconds: number;
  readonly mtu: number;
  readonly uplinks: readonly LiveUplink[];
  readonly use: Use;
}

/** Lanes that one round probes at most, each with a frame and an answer from each of a few hosts. */
const LANES = 64;
/** Hosts that answer a probe, about. */
const ANSWERERS = 4;
/** Rounds for which it is believed of a host what VLANs it uses. */
const HOLD = 4;

/** The health check of one switch on one host: asks in rounds, answers others, and judges what came of each round. */
export class Checker {
  readonly #peers: Peers;
  readonly #verdicts = new Verdicts();
  #key: Buffer;
  #round: OpenRound | null = null;
  /** Lanes that were probed, and rounds. */
  #turn = 0;
  #rounds = 0;
  #stop: () => void;

  constructor(
    private readonly parts: CheckerParts,
    private checked: Checked,
  ) {
    this.#key = healthKey(checked.lineage, checked.switch);
    this.#peers = new Peers(parts.clock.monotonic);
    this.#stop = parts.clock.after(this.#ms(parts.random()), () => this.#next());
  }

  become(checked: Checked): void {
    if (checked.lineage !== this.checked.lineage) this.#key = healthKey(checked.lineage, checked.switch);
    this.checked = checked;
  }

  close(): void {
    this.#stop();
  }

  /** A frame that an uplink of the switch brought, in the VLAN that its tag says. */
  heard(by: LiveUplink, vlan: number, frame: Uint8Array): void {
    const parsed = parseProbe(frame, this.#key);
    if (!parsed.ok || parsed.value.vlan !== vlan) return;
    const said = parsed.value;
    if (said.kind === 'answer') return this.#answered(by, said, frame);
    if (said.host === this.parts.host) return this.#reflected(by, said);
    this.#peers.hear(said.host, said.vlans, HOLD * this.#ms(1));
    if (this.#isForMe(said, by)) this.#answer(by, said, readMac(viewOf(frame), 6));
  }

  report(): readonly UplinkHealth[] {
    const { switch: name, uplinks } = this.checked;
    return uplinks.map(({ uplink }) => {
      const faults = this.#verdicts.faults.flatMap(({ uplink: of, ...fault }) =>
        of === uplink ? [fault] : [],
      );
      return { switch: name, uplink, hosts: this.#peers.count, ...this.#verdicts.lanesOf(uplink), faults };
    });
  }

  /** What did not get through is asked until it does, also when no port uses it any more: one may be to come. */
  #use(): Use {
    const { use, uplinks } = this.checked;
    const used = new Set(use.lanes.map(({ uplink, vlan }) => laneKey(uplink.uplink, vlan)));
    const missing = this.#verdicts.missing();
    const left = uplinks.flatMap((uplink) =>
      (missing.get(uplink.uplink) ?? []).flatMap((vlan) =>
        used.has(laneKey(uplink.uplink, vlan)) ? [] : [{ uplink, vlan }],
      ),
    );
    return left.length === 0 ? use : { ...use, lanes: [...use.lanes, ...left] };
  }

  /** VLANs that don't get through, by uplink; null: it is too early to say. */
  missing(): ReadonlyMap<string, readonly number[]> | null {
    if (this.#rounds <= PATIENCE) return null;
    const missing = this.#verdicts.missing();
    return new Map(this.checked.uplinks.map(({ uplink }) => [uplink, missing.get(uplink) ?? []]));
  }

  #ms(part: number): number {
    return this.checked.intervalSeconds * 1_000 * part;
  }

  #next(): void {
    const use = this.#use();
    if (this.#round !== null) this.#verdicts.judge(this.#round, use, (host) => this.#peers.vlansOf(host));
    const small = turns(use.lanes, this.#turn, LANES);
    const full = onePerUplink(use.lanes, this.#rounds);
    this.#turn += small.length;
    this.#rounds += 1;
    const round = new OpenRound(randomBytes(8).toString('hex'), small, full);
    this.#round = round;
    for (const lane of small) this.#ask(lane, round.nonce, false);
    for (const lane of round.full) this.#ask(lane, round.nonce, true);
    const ms = this.#ms(0.9 + 0.2 * this.parts.random());
    this.#stop = this.parts.clock.after(ms, () => this.#next());
    this.parts.judged();
  }

  #ask({ uplink, vlan }: Lane, nonce: string, isFull: boolean): void {
    const { vlans } = this.checked.use;
    this.#send(uplink, { kind: 'probe', isFull, vlan, nonce, vlans }, PROBE.group);
  }

  #answer(by: LiveUplink, { isFull, vlan, nonce }: Probe, to: bigint): void {
    this.#send(by, { kind: 'answer', isFull, vlan, nonce, vlans: [] }, to);
  }

  #send(by: LiveUplink, said: Omit<Probe, 'host' | 'uplink'>, dst: bigint): void {
    const probe = { ...said, host: this.parts.host, uplink: by.key };
    const length = said.isFull ? this.checked.mtu : 0;
    const src = macOf(by.iface.mac);
    this.parts.send(by.bridge, by.ofport, probeFrame(probe, this.#key, { src, dst, length }));
  }

  /** It is for the uplink that asked; where the other end takes several for one link, it may come by another. */
  #answered(by: LiveUplink, { host, vlan, nonce, isFull }: Probe, frame: Uint8Array): void {
    if (nonce !== this.#round?.nonce) return;
    const to = readMac(viewOf(frame), 0);
    const asked = this.checked.uplinks.filter(({ iface }) => macOf(iface.mac) === to);
    for (const { uplink } of [by, ...asked]) this.#round.answer(laneKey(uplink, vlan), host, isFull);
  }

  /** Both uplinks carry the VLAN, and are not one link outside. */
  #reflected(by: LiveUplink, { uplink: key, vlan, nonce, isFull }: Probe): void {
    const from = this.checked.uplinks.find((u) => u.key === key);
    if (from === undefined || from === by || nonce !== this.#round?.nonce) return;
    for (const { uplink } of [from, by]) this.#round.answer(laneKey(uplink, vlan), this.parts.host, isFull);
    if (!isFull) this.#round.reflected.add(`${pairKey(from.uplink, by.uplink)} ${vlan}`);
  }

  /** All hosts of a small cluster answer; of a large one others for each round, and the same in all VLANs of it. */
  #isForMe({ nonce }: Probe, by: LiveUplink): boolean {
    const one = Math.ceil((this.#peers.count + 1) / ANSWERERS);
    const drawn = createHash('sha256').update(`${nonce} ${this.parts.host} ${by.key}`).digest();
    return drawn.readUInt32BE(0) % one === 0;
  }
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, length);

class OpenRound implements Round {
  readonly answers = { small: new Map<string, Set<string>>(), full: new Map<string, Set<string>>() };
  readonly reflected = new Set<string>();

  constructor(
    readonly nonce: string,
    readonly small: readonly Lane[],
    readonly full: readonly Lane[],
  ) {}

  answer(lane: string, host: string, isFull: boolean): void {
    const by = isFull ? this.answers.full : this.answers.small;
    by.set(lane, (by.get(lane) ?? new Set()).add(host));
  }
}

/** The next so many of a list, around its end. */
const turns = <T>(list: readonly T[], from: number, count: number): readonly T[] =>
  Array.from({ length: Math.min(count, list.length) }, (_, i) => list[(from + i) % list.length] as T);

/** A frame at full MTU is dear, and takes the same way in every VLAN: each round another one. */
function onePerUplink(lanes: readonly Lane[], turn: number): readonly Lane[] {
  const byUplink = new Map<string, Lane[]>();
  for (const lane of lanes)
    byUplink.set(lane.uplink.uplink, [...(byUplink.get(lane.uplink.uplink) ?? []), lane]);
  return [...byUplink.values()].flatMap((mine) => turns(mine, turn, 1));
}
