import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './exec.js';
import { initrd } from './initrd.js';
import { type Lab } from './net.js';
import { guestKernel, which } from './setup.js';

export interface GuestOptions {
  readonly name: string;
  readonly mac: string;
  readonly bridge: string;
  readonly ifaceId: string;
  readonly profile: string;
}

export interface Stream {
  readonly to: { readonly mac: string; readonly ip: string };
  /** Destination port: what the stream is known by. */
  readonly port: number;
  readonly pps: number;
  readonly srcMac?: string;
  /** 802.1Q tag put on by the guest. */
  readonly vlan?: number;
}

/**
 * QEMU announces a guest by itself; a guest is not asked to. One under TCG that is asked tells QEMU over its control
 * queue that it did, and was seen to wait for the answer for ever, with interrupts pending (QEMU 7.2, a busy machine).
 */
export const SILENT = 'guest_announce=off';

/** Of every guest that sends. */
export const GUEST_IP = '10.0.0.200';

/** QEMU says that often where a guest is, after each move; they count as sent by it. */
export const ANNOUNCEMENTS = 5;

/** The number under which receivers count a stream of the kernel's packet generator. */
export const streamOf = ({ port }: Stream): number => 1_000_000 + port;

export const kernelOf = (): string => join(guestKernel(), 'vmlinuz');
/** Without `no_timer_check` a kernel that gets too little of a busy processor takes its timer for broken, and panics. */
export const KERNEL_ARGS = 'console=ttyS0 quiet panic=1 no_timer_check';
export const initrdOf = (lab: Lab): string => join(lab.workdir, 'initrd.gz');

/** What every guest of this lab boots from. */
export async function prepareImage(lab: Lab): Promise<void> {
  await writeFile(initrdOf(lab), await initrd(guestKernel(), which('busybox')));
}

/** A guest with a kernel of its own, whose packet generator sends numbered datagrams wherever it runs. */
export abstract class SendingGuest {
  abstract readonly options: GuestOptions;

  /** It ends, as by a power cut. */
  abstract stop(): Promise<void>;

  /** A command on the console of where it runs. */
  abstract type(command: string): Promise<string>;

  async generate(streams: readonly Stream[]): Promise<void> {
    await this.define(streams);
    await this.startGenerating();
  }

  /** Each stream is numbered from 1: `pps` a second to a port of a peer. None is sent yet. */
  async define(streams: readonly Stream[]): Promise<void> {
    for (const [i, { to, port, pps, srcMac, vlan }] of streams.entries()) {
      const device = `eth0@${i}`;
      const set = [
        `delay ${Math.round(1e9 / pps)}`,
        'count 0',
        `dst_mac ${to.mac}`,
        `dst ${to.ip}`,
        `src_min ${GUEST_IP}`,
        `src_max ${GUEST_IP}`,
        `udp_dst_min ${port}`,
        `udp_dst_max ${port}`,
        ...(srcMac === undefined ? [] : [`src_mac ${srcMac}`]),
        ...(vlan === undefined ? [] : [`vlan_id ${vlan}`]),
      ];
      await this.type(`echo "add_device ${device}" > /proc/net/pktgen/kpktgend_0`);
      for (const line of set) await this.type(`echo "${line}" > /proc/net/pktgen/${device}`);
    }
  }

  /** Sends the streams that were defined, each from its first number on. */
  async startGenerating(): Promise<void> {
    await this.type('(echo start > /proc/net/pktgen/pgctrl) &');
  }

  /** From now on its kernel answers this peer, and never asks who it is. */
  async speakWith({ mac, ip }: Stream['to']): Promise<void> {
    await this.type(`ip addr add ${GUEST_IP}/24 dev eth0`);
    await this.type(`arp -s ${ip} ${mac}`);
  }

  /** How many datagrams each stream has had so far. */
  async generated(streams: readonly Stream[]): Promise<readonly number[]> {
    const all: number[] = [];
    for (const i of streams.keys()) all.push(sofar(await this.type(`cat /proc/net/pktgen/eth0@${i}`)));
    return all;
  }

  /** Ends that; how many datagrams each stream had. */
  async stopGenerating(streams: readonly Stream[]): Promise<readonly number[]> {
    await this.type('echo stop > /proc/net/pktgen/pgctrl');
    for (const i of streams.keys())
      await until('the stream to end', async () => {
        const said = await this.type(`cat /proc/net/pktgen/eth0@${i}`);
        return said.includes('Result: OK') || undefined;
      });
    return this.generated(streams);
  }

  /** What the guest's own device counted as sent, once it does not change any more. */
  async transmitted(): Promise<number> {
    const read = async () => Number(await this.type('cat /sys/class/net/eth0/statistics/tx_packets'));
    return until('the guest’s counter', async () => {
      const [one, two] = [await read(), await read()];
      return one === two ? one : undefined;
    });
  }
}

const sofar = (text: string): number => Number(/pkts-sofar: (\d+)/.exec(text)?.[1]);
