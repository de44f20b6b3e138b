import Type, { type Static } from 'typebox';
import { Timestamp } from './common.js';

const Text = Type.String();
const PortNumber = Type.Integer({ minimum: 0, maximum: 65_535 });

export const RuleLogEntry = Type.Object(
  {
    id: Type.Integer({ minimum: 0, description: 'give it as `after` to go on from here' }),
    time: Timestamp,
    host: Text,
    switch: Text,
    port: Text,
    rule: Text,
    direction: Type.String({ description: 'of the port: in is what it sent' }),
    verdict: Type.String({ description: 'the action of the rule' }),
    vlan: Type.Integer({ minimum: 0, maximum: 4095, description: '0: untagged' }),
    srcMac: Text,
    dstMac: Text,
    etherType: PortNumber,
    ip: Type.Optional(
      Type.Object({
        src: Text,
        dst: Text,
        protocol: Type.Integer({ minimum: 0, maximum: 255 }),
        srcPort: Type.Optional(PortNumber),
        dstPort: Type.Optional(PortNumber),
      }),
    ),
  },
  { title: 'RuleLogEntry' },
);
export type RuleLogEntry = Static<typeof RuleLogEntry>;

export const RuleLogList = Type.Object(
  {
    last: Type.Integer({ minimum: 0, description: 'id of the newest entry there is' }),
    more: Type.Integer({
      minimum: 0,
      description: 'lines that hosts had too many of to tell, since the start',
    }),
    items: Type.Array(RuleLogEntry),
  },
  { title: 'RuleLogList' },
);
export type RuleLogList = Static<typeof RuleLogList>;
