import { type OfPort } from '../model.js';
import { type Writer } from './bytes.js';
import { type OfMessage } from './messages.js';
import { type Reader } from './reader.js';

type PortStatus = Extract<OfMessage, { kind: 'port-status' }>;

const NAME_BYTES = 16;
const PORT_BYTES = 40;
const PORT_DOWN = 1;
const LINK_DOWN = 1;
const REASONS = ['add', 'delete', 'modify'] as const;

export function writePort(w: Writer, port: OfPort): void {
  const name = new TextEncoder().encode(port.name).subarray(0, NAME_BYTES - 1);
  w.u32(port.number).u16(PORT_BYTES).zeros(10);
  w.raw(name).zeros(NAME_BYTES - name.length);
  w.u32(port.adminUp ? 0 : PORT_DOWN).u32(port.linkUp ? 0 : LINK_DOWN);
}

export function readPort(reader: Reader): OfPort {
  const start = reader.position;
  const number = reader.u32();
  const entry = reader.sub(reader.lengthFrom(start, PORT_BYTES, 'port') - 6).skip(10);
  const name = entry.raw(NAME_BYTES);
  const end = name.indexOf(0);
  const config = entry.u32();
  const state = entry.u32();
  return {
    number,
    name: new TextDecoder().decode(name.subarray(0, end < 0 ? NAME_BYTES : end)),
    linkUp: (state & LINK_DOWN) === 0,
    adminUp: (config & PORT_DOWN) === 0,
  };
}

export function readPorts(reader: Reader): OfPort[] {
  const ports: OfPort[] = [];
  while (reader.left > 0) ports.push(readPort(reader));
  return ports;
}

export function writePortStatus(w: Writer, status: PortStatus): void {
  w.u8(REASONS.indexOf(status.reason)).zeros(7);
  writePort(w, status.port);
}

export function readPortStatus(reader: Reader): PortStatus {
  const code = reader.u8();
  const reason = REASONS[code] ?? reader.fail(`port status reason ${code} does not exist`);
  return { kind: 'port-status', reason, port: readPort(reader.skip(7)) };
}
