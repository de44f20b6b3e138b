import { MOST_CONNECTIONS } from '../connections.js';
import { AnEpoch, AnIndex, APortId } from './scalars.js';
import { list, literal, oneOf, optional, shape, text } from './schema.js';

const AnAddress = text({ pattern: '^[0-9a-f.:]{2,45}$', maxLength: 45, description: 'an IP address' });
const APortNumber = AnIndex(65_535);
const AnOctet = AnIndex(255);

const Connection = shape({
  way: oneOf('in', 'out'),
  protocol: AnOctet,
  src: AnAddress,
  dst: AnAddress,
  srcPort: optional(APortNumber),
  dstPort: optional(APortNumber),
  icmp: optional(shape({ id: APortNumber, type: AnOctet, code: AnOctet })),
  opening: optional(literal(true)),
});

export const ConnectionsSchema = shape({
  schema: literal(1),
  port: APortId,
  epoch: AnEpoch,
  known: list(Connection, MOST_CONNECTIONS),
  gone: list(Connection, MOST_CONNECTIONS),
});
