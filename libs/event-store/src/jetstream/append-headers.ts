import { headers, type MsgHdrs } from '@nats-io/transport-node';

export interface Expectation {
  readonly msgId: string;
  readonly lastSeq: number;
  /** Id of the message that must be the last one; undefined leaves that to the sequence. */
  readonly lastMsgId: string | undefined;
}

/** The client encodes headers by this method, which its types do not show. */
interface Encoded {
  encode(): Uint8Array;
}

const utf8 = new TextEncoder();
const SAFE = /^[\x21-\x7e]+$/;

/**
 * Headers of an append. The client's own are a map with case folding, at a quarter of the cost of an append; here
 * the text is known, so it is written at once. Ids that a header line can't hold go the long way, which refuses them.
 */
export function appendHeaders({ msgId, lastSeq, lastMsgId }: Expectation): MsgHdrs {
  if (!SAFE.test(msgId) || (lastMsgId !== undefined && !SAFE.test(lastMsgId))) {
    const long = headers();
    long.set('Nats-Msg-Id', msgId);
    long.set('Nats-Expected-Last-Sequence', String(lastSeq));
    if (lastMsgId !== undefined) long.set('Nats-Expected-Last-Msg-Id', lastMsgId);
    return long;
  }
  const last = lastMsgId === undefined ? '' : `Nats-Expected-Last-Msg-Id: ${lastMsgId}\r\n`;
  const text = `NATS/1.0\r\nNats-Msg-Id: ${msgId}\r\nNats-Expected-Last-Sequence: ${lastSeq}\r\n${last}\r\n`;
  const encoded: Encoded = { encode: () => utf8.encode(text) };
  return encoded as unknown as MsgHdrs;
}
