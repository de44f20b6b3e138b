import { err, invalid, ok, type Result } from '#kernel';
import { checkHosts, CORE_ACCOUNT, CORE_USERS, hostAccount, hostUser, SYSTEM_ACCOUNT } from './names.js';
import { CORE_EXPORTS, CORE_RIGHTS, hostImports, hostRights, type Rights } from './rights.js';

export interface ClusterConfig {
  readonly name: string;
  /** host:port for the other servers. */
  readonly listen: string;
  /** `nats-route://user:password@host:port` of every server. */
  readonly routes: readonly string[];
  readonly user: string;
  readonly password: string;
}

export interface ServerConfig {
  readonly serverName?: string;
  readonly hosts: readonly string[];
  /** Default 127.0.0.1. */
  readonly listen?: string;
  readonly port: number;
  /** Monitoring port; none when absent. */
  readonly httpPort?: number;
  readonly storeDir: string;
  readonly jetstream: {
    readonly maxMemory?: string;
    readonly maxFile?: string;
    readonly syncAlways?: boolean;
  };
  readonly cluster?: ClusterConfig;
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile?: string };
  /** Password of each user: the core users, `sys`, and `host.<host>` for every host. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Bytes a message may have. Default 1 MiB. */
  readonly maxPayload?: number;
}

/**
 * The nats-server configuration text, accounts and rights included. It holds passwords: write it with mode 0600.
 * Every string is quoted (a bare word may read as a number or a unit, `-` and digits in host names included).
 */
export function generateServerConfig(config: ServerConfig): Result<string> {
  const hosts = checkHosts(config.hosts);
  if (!hosts.ok) return hosts;
  const users = [...CORE_USERS, SYSTEM_USER, ...hosts.value.map(hostUser)];
  const without = users.find((user) => (config.passwords[user] ?? '') === '');
  if (without !== undefined)
    return err(invalid(`passwords.${without}`, undefined, 'is missing', 'a password'));
  return ok(
    [
      ...head(config),
      'accounts {',
      ...core(config),
      `  ${q(SYSTEM_ACCOUNT)} { users: [ { user: ${q(SYSTEM_USER)}, password: ${q(config.passwords[SYSTEM_USER])} } ] }`,
      ...hosts.value.flatMap((host) => hostBlock(host, config.passwords[hostUser(host)] ?? '')),
      '}',
      '',
    ].join('\n'),
  );
}

export const SYSTEM_USER = 'sys';

const q = (text: string | undefined): string => JSON.stringify(text ?? '');
const list = (items: readonly string[]): string => `[${items.map(q).join(', ')}]`;

function head(config: ServerConfig): string[] {
  const { cluster, tls, jetstream } = config;
  return [
    `listen: ${q(`${config.listen ?? '127.0.0.1'}:${config.port}`)}`,
    ...(config.serverName === undefined ? [] : [`server_name: ${q(config.serverName)}`]),
    ...(config.httpPort === undefined ? [] : [`http: ${q(`127.0.0.1:${config.httpPort}`)}`]),
    `max_payload: ${config.maxPayload ?? 1_048_576}`,
    'jetstream {',
    `  store_dir: ${q(config.storeDir)}`,
    ...(jetstream.maxMemory === undefined ? [] : [`  max_mem: ${jetstream.maxMemory}`]),
    ...(jetstream.maxFile === undefined ? [] : [`  max_file: ${jetstream.maxFile}`]),
    // Known to servers from 2.10 on; an older one refuses to start with it.
    ...(jetstream.syncAlways === true ? ['  sync_interval: always'] : []),
    '}',
    ...(tls === undefined ? [] : tlsBlock(tls)),
    ...(cluster === undefined ? [] : clusterBlock(cluster)),
    `system_account: ${q(SYSTEM_ACCOUNT)}`,
  ];
}

const tlsBlock = (tls: NonNullable<ServerConfig['tls']>): string[] => [
  'tls {',
  `  cert_file: ${q(tls.certFile)}`,
  `  key_file: ${q(tls.keyFile)}`,
  ...(tls.caFile === undefined ? [] : [`  ca_file: ${q(tls.caFile)}`]),
  '}',
];

const clusterBlock = (cluster: ClusterConfig): string[] => [
  'cluster {',
  `  name: ${q(cluster.name)}`,
  `  listen: ${q(cluster.listen)}`,
  `  authorization { user: ${q(cluster.user)}, password: ${q(cluster.password)}, timeout: 2 }`,
  `  routes: ${list(cluster.routes)}`,
  '}',
];

function core(config: ServerConfig): string[] {
  const users = CORE_USERS.map(
    (user) => `      ${userLine(user, config.passwords[user], CORE_RIGHTS[user])}`,
  );
  const exports = CORE_EXPORTS.map((e) => {
    const position = e.position === undefined ? '' : `, account_token_position: ${e.position}`;
    return `      { ${e.kind}: ${q(e.subject)}${position} }`;
  });
  return [
    `  ${q(CORE_ACCOUNT)} {`,
    '    jetstream: enabled',
    '    users: [',
    ...users,
    '    ]',
    '    exports: [',
    ...exports,
    '    ]',
    '  }',
  ];
}

function hostBlock(host: string, password: string): string[] {
  const { streams, services } = hostImports(host);
  const from = (subject: string) => `{ account: ${q(CORE_ACCOUNT)}, subject: ${q(subject)} }`;
  return [
    `  ${q(hostAccount(host))} {`,
    `    users: [ ${userLine(hostUser(host), password, hostRights(host))} ]`,
    '    imports: [',
    ...streams.map((subject) => `      { stream: ${from(subject)} }`),
    ...services.map((subject) => `      { service: ${from(subject)} }`),
    '    ]',
    '  }',
  ];
}

const userLine = (user: string, password: string | undefined, rights: Rights): string =>
  `{ user: ${q(user)}, password: ${q(password)}, permissions: { publish: ${list(rights.publish)}, subscribe: ${list(rights.subscribe)} } }`;
