import { type Teaming } from '#domain';
import { type Snapshot } from '#protocol';
import { view, type BindingSpec } from '../agent.fixture.js';

export interface TeamingScene {
  readonly teaming: Partial<Teaming>;
  readonly vlan: object;
  /** Of uplink1 and uplink2. */
  readonly devices: readonly [string, string];
}

/** Documents of `h1` as `view` has them, with two uplinks and a group of this teaming. */
export function teamingView(
  revision: number,
  bindings: readonly BindingSpec[],
  scene: TeamingScene,
): Snapshot {
  const [uplink1, uplink2] = scene.devices;
  const usual = { mode: 'explicit', failback: true, notify: true, detection: 'link', standby: [] };
  const teaming = { ...usual, active: ['uplink1', 'uplink2'], ...scene.teaming };
  const base = view(revision, bindings);
  const changed = [...base.documents].map(([key, doc]) => {
    if (doc.type === 'host')
      return [key, { ...doc, switches: [{ switch: 'lan', uplinks: { uplink1, uplink2 } }] }];
    if (doc.type === 'switch') return [key, { ...doc, uplinks: ['uplink1', 'uplink2'] }];
    return [key, doc.type === 'group' ? { ...doc, policy: { vlan: scene.vlan, teaming } } : doc];
  });
  return { ...base, documents: new Map(changed as never) };
}
