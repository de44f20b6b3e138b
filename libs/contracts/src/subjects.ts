/**
 * Every NATS subject of Portolan, in one place. `<host>` is always the token that names the account, so exports are
 * bound to it by account_token_position.
 *
 * | subject | from → to | kind |
 * | --- | --- | --- |
 * | `log.<topic>` | sequencer → stream LOG | append |
 * | `doc.<key>` | projector → stream DOC (last value) | append; republished as `live.doc.<key>` |
 * | `live.doc.h.<host>.>` | stream DOC → that host | stream export, token 4 |
 * | `live.doc.h.<host>.note` | projector → that host | the same; not of the stream |
 * | `live.doc.s.>` | stream DOC → all hosts | stream export |
 * | `$JS.API.DIRECT.GET.DOC.doc.h.<host>.>` | host → stream DOC | service export, token 8 |
 * | `$JS.API.DIRECT.GET.DOC.doc.s.>` | host → stream DOC | service export |
 * | `fact.<host>` | host → stream FACT | service export with the stream's ack as the reply, token 2 |
 * | `ckpt.<host>` | host → stream CKPT (last value) | as above |
 * | `report.<host>` | host → managers | service export without reply, token 2 |
 * | `lease.<host>` | host → leader | service export, request and reply, token 2 |
 * | `tele.<host>` | host → operator-api | as above |
 * | `conn.<host>.<port>.<epoch>` | host → leader | service export without reply, token 2 |
 * | `live.conn.<host>.>` | leader → that host | stream export, token 3: what another host said |
 * | `cmd.<name>` | operator-api, coordinator → leader | request and reply |
 */
export const SUBJECTS = {
  log: (topic: string) => `log.${topic}`,
  doc: (key: string) => `doc.${key}`,
  live: (key: string) => `live.doc.${key}`,
  liveHost: (host: string) => `live.doc.h.${host}.>`,
  /** What a host may hear of; it subscribes to the mark and to what it needs. */
  liveShared: 'live.doc.s.>',
  directGet: (key: string) => `$JS.API.DIRECT.GET.DOC.doc.${key}`,
  fact: (host: string) => `fact.${host}`,
  checkpoint: (host: string) => `ckpt.${host}`,
  report: (host: string) => `report.${host}`,
  lease: (host: string) => `lease.${host}`,
  telemetry: (host: string) => `tele.${host}`,
  /** Of a port that moves away from the host, for its standby of that epoch. */
  connections: (host: string, port: string, epoch: number | string) => `conn.${host}.${port}.${epoch}`,
  /** The same as it comes to the host that the port moves to. */
  liveConnections: (host: string, port: string, epoch: number | string) =>
    `live.conn.${host}.${port}.${epoch}`,
  command: (name: string) => `cmd.${name}`,
} as const;

export const STREAMS = { log: 'LOG', documents: 'DOC', facts: 'FACT', checkpoints: 'CKPT' } as const;

export const KEYS = {
  host: (host: string) => `h.${host}.host`,
  port: (host: string, port: string) => `h.${host}.port.${port}`,
  switch: (name: string) => `s.switch.${name}`,
  group: (name: string) => `s.group.${name}`,
  set: (name: string) => `s.set.${name}`,
  mark: 's.mark',
  /** Nothing stands under it: it is only told. */
  note: (host: string) => `h.${host}.note`,
} as const;
