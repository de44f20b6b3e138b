import { type Teaming } from '#domain';
import { type Snapshot } from '#protocol';
import { view, type BindingSpec, type ViewOptions } from '../agent.fixture.js';

export interface TeamingScene {
  readonly teaming: Partial<Teaming>;
  readonly vlan: object;
  /** Of uplink1, uplink2 and so on. */
  readonly devices: readonly string[];
  /** Of the switch. */
  readonly features?: ViewOptions['features'];
}

/** Documents of `h1` as `view` has them, with these uplinks and a group of this teaming. */
export function teamingView(
  revision: number,
  bindings: readonly BindingSpec[],
  scene: TeamingScene,
): Snapshot {
  const uplinks = Object.fromEntries(scene.devices.map((device, i) => [`uplink${i + 1}`, device]));
  const names = Object.keys(uplinks);
  const usual = { mode: 'explicit', failback: true, notify: true, detection: 'link', standby: [] };
  const teaming = { ...usual, active: names, ...scene.teaming };
  const base = view(revision, bindings, { features: scene.features ?? {} });
  const changed = [...base.documents].map(([key, doc]) => {
    if (doc.type === 'host') return [key, { ...doc, switches: [{ switch: 'lan', uplinks }] }];
    if (doc.type === 'switch') return [key, { ...doc, uplinks: names }];
    return [key, doc.type === 'group' ? { ...doc, policy: { vlan: scene.vlan, teaming } } : doc];
  });
  return { ...base, documents: new Map(changed as never) };
}
