import { HOST_INBOX, type CoreUser } from './names.js';

/**
 * Who may say what. The subjects are written out, so that the whole of the rights can be read in one place; a test
 * holds them to those of the contracts.
 */
export interface Rights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const DIRECT_GET = '$JS.API.DIRECT.GET.DOC.doc';

/** JetStream API calls that only read. CONSUMER.CREATE and MSG.NEXT serve pull and ordered consumers. */
const readStream = (stream: string): string[] => [
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.STREAM.MSG.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}.>`,
  `$JS.API.CONSUMER.CREATE.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.INFO.${stream}.>`,
  `$JS.API.CONSUMER.DELETE.${stream}.>`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.>`,
  `$JS.ACK.${stream}.>`,
  `$JS.FC.${stream}.>`,
];

/** A lease in the election's bucket, under this key only: nobody takes the sequencer's lease but managers. */
const lease = (role: string): string[] => [
  ...readStream('KV_LEASE'),
  '$JS.API.STREAM.CREATE.KV_LEASE',
  `$KV.LEASE.${role}`,
];

export const CORE_RIGHTS: Readonly<Record<CoreUser, Rights>> = {
  // The sequencer: the only one that writes log and documents, and that makes streams.
  manager: {
    publish: [
      'log.>',
      'doc.>',
      'live.conn.>',
      'live.doc.h.*.note',
      '$JS.API.>',
      '$JS.ACK.>',
      '$JS.FC.>',
      '$KV.>',
      'cmd.>',
      '_INBOX.>',
      '_R_.>',
    ],
    subscribe: [
      '_INBOX.manager.>',
      'cmd.>',
      'report.*',
      'lease.*',
      'tele.*',
      'conn.*.*.*',
      'live.doc.>',
      '$KV.>',
    ],
  },
  coordinator: {
    publish: ['$JS.API.INFO', ...readStream('LOG'), ...readStream('CKPT'), ...lease('coordinator'), 'cmd.>'],
    subscribe: ['_INBOX.coordinator.>', 'cmd.lease.coordinator', 'report.*', 'tele.*'],
  },
  api: {
    publish: ['$JS.API.INFO', ...readStream('LOG'), ...readStream('DOC'), ...readStream('CKPT'), 'cmd.>'],
    subscribe: ['_INBOX.api.>', 'report.*', 'tele.*', 'live.doc.>'],
  },
};

/** What a host imports from CORE: its own subjects only. */
export interface HostImports {
  readonly streams: readonly string[];
  readonly services: readonly string[];
}

export const hostImports = (host: string): HostImports => ({
  streams: [`live.doc.h.${host}.>`, 'live.doc.s.>', `live.conn.${host}.*.*`],
  services: [
    `${DIRECT_GET}.h.${host}.>`,
    `${DIRECT_GET}.s.>`,
    `fact.${host}`,
    `ckpt.${host}`,
    `report.${host}`,
    `lease.${host}`,
    `tele.${host}`,
    `conn.${host}.*.*`,
  ],
});

export const hostRights = (host: string): Rights => {
  const { streams, services } = hostImports(host);
  return { publish: services, subscribe: [...streams, `${HOST_INBOX}.>`] };
};

/** What CORE exports; `position` is the token (from 1) that must equal the importing account's name. */
export interface Export {
  readonly kind: 'stream' | 'service';
  readonly subject: string;
  readonly position?: number;
}

export const CORE_EXPORTS: readonly Export[] = [
  { kind: 'stream', subject: 'live.doc.h.*.>', position: 4 },
  { kind: 'stream', subject: 'live.doc.s.>' },
  { kind: 'stream', subject: 'live.conn.*.*.*', position: 3 },
  { kind: 'service', subject: `${DIRECT_GET}.h.*.>`, position: 8 },
  { kind: 'service', subject: `${DIRECT_GET}.s.>` },
  { kind: 'service', subject: 'fact.*', position: 2 },
  { kind: 'service', subject: 'ckpt.*', position: 2 },
  { kind: 'service', subject: 'report.*', position: 2 },
  { kind: 'service', subject: 'lease.*', position: 2 },
  { kind: 'service', subject: 'tele.*', position: 2 },
  { kind: 'service', subject: 'conn.*.*.*', position: 2 },
];
