import { decodeNotice, isAdopted, type Notice, type NoticeKind } from '#compiler';
import { type DriverEvent, type Match } from '#openflow';

/** A frame that a flow handed over. It may be cut short, and may say anything: it comes from a guest or the wire. */
export interface HandedFrame {
  readonly notice: Notice;
  readonly bridge: string;
  readonly frame: Uint8Array;
  /** Port that it came by, and registers, at that moment. */
  readonly metadata: Match;
}

export type FrameTakers = { readonly [K in NoticeKind]?: (handed: HandedFrame) => void };
type PacketIn = Extract<DriverEvent, { kind: 'packet-in' }>;

interface Log {
  warn(fields: object, message: string): void;
}

/** Gives each frame to who takes its kind. What nobody takes is logged: a flow hands it over that should not stand. */
export function packetIns(takers: readonly FrameTakers[], log: Log): (event: PacketIn) => void {
  const byKind: FrameTakers = Object.assign({}, ...takers);
  return ({ userdata, bridge, frame, metadata }) => {
    if (isAdopted(metadata)) return;
    const notice = decodeNotice(userdata);
    const take = notice.ok ? byKind[notice.value.kind] : undefined;
    if (notice.ok && take !== undefined) return take({ notice: notice.value, bridge, frame, metadata });
    const problem = notice.ok ? `nobody takes frames of kind ${notice.value.kind}` : notice.error.message;
    log.warn({ problem }, 'a frame came from the switch that nobody asked for');
  };
}
