interface GroupPlan {
  readonly name: string;
  readonly switch: string;
  readonly ports?: number;
  readonly overridable?: readonly string[];
  readonly policy?: object;
}

export interface ManifestPlan {
  readonly hosts?: readonly string[];
  /** A switch over these hosts, with one uplink, which is `device` on each. */
  readonly switch?: {
    readonly name: string;
    readonly hosts: readonly string[];
    readonly device: string;
    readonly policy?: object;
  };
  readonly groups?: readonly GroupPlan[];
}

/** A manifest as operators write it. JSON is YAML, so it is one document to a line. */
export function manifest({ hosts = [], switch: it, groups = [] }: ManifestPlan): string {
  const resource = (kind: string, name: string, spec: object) =>
    JSON.stringify({ apiVersion: 'portolan.dev/v1', kind, metadata: { name }, spec });
  const over =
    it === undefined
      ? []
      : [
          resource('DistributedSwitch', it.name, {
            uplinks: ['uplink1'],
            ...(it.policy === undefined ? {} : { policy: it.policy }),
            members: Object.fromEntries(it.hosts.map((h) => [h, { uplink1: it.device }])),
          }),
        ];
  return [
    // What moves cost is measured, not what hosts are spared.
    ...hosts.map((name) => resource('Host', name, { migrationLimit: 1000 })),
    ...over,
    ...groups.map(({ name, ...spec }) => resource('PortGroup', name, { autoExpand: true, ...spec })),
  ].join('\n---\n');
}

/** A filter of one rule, which differs with `n`: what an operator's policy change looks like. */
export const dropping = (n: number): object => ({
  vlan: { mode: 'access', id: 10 },
  filter: [
    {
      name: 'closed',
      direction: 'out',
      action: 'drop',
      match: { ipProtocol: 6, dstPort: { from: 1000 + n, to: 1000 + n } },
    },
  ],
});
