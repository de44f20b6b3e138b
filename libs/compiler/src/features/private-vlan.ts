import { type PrivateVlan } from '#domain';
import { type Action } from '#openflow';
import { goto, match, set } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG, WIRE } from '../pipeline/registers.js';
import { nextOut, type OutStage } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { type PortPlan } from '../resolve/plan.js';

const UNTAGGED = 0;
const PROMISCUOUS = 0;
const SECONDARY_MASK = ((1 << WIRE.secondary.bits) - 1) << WIRE.secondary.offset;

/**
 * A private VLAN is one segment, its primary: MACs, flooding and forwarding are those of the primary. A frame carries
 * beside it who sent it, and on the wire the secondary is its tag: so the other host knows too. Promiscuous ports send
 * with the primary's tag and hear everybody; for the others PVLAN_OUT has a flow for each that they hear.
 *
 * | hears → | promiscuous | own community | other community | isolated |
 * | --- | --- | --- | --- | --- |
 * | promiscuous | yes | yes | yes | yes |
 * | community | yes | yes | no | no |
 * | isolated | yes | no | no | no |
 *
 * Whatever comes with the primary's tag, or from an access port or a trunk in the primary, is promiscuous.
 */
export const privateVlan: Feature = {
  name: 'private-vlan',
  bridge: ({ privateVlans }, out) => {
    const secondaries = privateVlans.filter(isSecondary);
    if (privateVlans.length === 0) return;
    out.flow(TABLES.PVLAN_IN, 0, {}, [goto(TABLES.TRAP)]);
    for (const vlan of secondaries) {
      const { primary, secondary } = vlan;
      const actions = [set(REG.segment, primary), set(REG.wire, wireOf(vlan)), goto(TABLES.TRAP)];
      out.flow(TABLES.PVLAN_IN, 100, match({ [REG.segment]: secondary }), actions, secondary);
    }
  },
  port: (port, out) => {
    const { slot, secondary: vlan } = port;
    if (vlan === undefined) return;
    const untagged = match({ [REG.from]: slot, vlan_vid: UNTAGGED });
    const actions = [set(REG.segment, vlan.primary), ...wireOfPort(port), goto(TABLES.SECURITY)];
    out.flow(TABLES.SEGMENT, 100, untagged, actions, slot);
    for (const sender of heardBy(vlan)) {
      const value = sender << WIRE.secondary.offset;
      const fields = match({ [REG.to]: slot, [REG.wire]: { value, mask: SECONDARY_MASK } });
      out.flow(TABLES.PVLAN_OUT, 100, fields, [nextOut(port, 'PVLAN_OUT')], slot);
    }
  },
};

export const isSecondary = ({ kind }: PrivateVlan): boolean => kind !== 'promiscuous';

/** Only who does not hear everybody has to ask. */
export const privateStages = (vlan: PrivateVlan | undefined): OutStage[] =>
  vlan !== undefined && isSecondary(vlan) ? ['PVLAN_OUT'] : [];

/** Secondaries that a port which does not hear everybody hears; 0 is the promiscuous ones. */
function heardBy(vlan: PrivateVlan): number[] {
  switch (vlan.kind) {
    case 'promiscuous':
      return [];
    case 'isolated':
      return [PROMISCUOUS];
    case 'community':
      return [PROMISCUOUS, vlan.secondary];
  }
}

const KINDS = { promiscuous: 0, isolated: 1, community: 2 } as const;

/** Kinds whose frames bear a tag of their own on the wire, in place. */
export const TAGGED_KINDS = [KINDS.isolated, KINDS.community].map((kind) => ({
  value: kind << WIRE.kind.offset,
  mask: ((1 << WIRE.kind.bits) - 1) << WIRE.kind.offset,
}));

/** What a frame of this port bears on the wire; nothing: its segment. */
export const wireOfPort = ({ secondary }: Pick<PortPlan, 'secondary'>): Action[] =>
  secondary === undefined || !isSecondary(secondary) ? [] : [set(REG.wire, wireOf(secondary))];

/** The register of a frame that a secondary sent. */
const wireOf = ({ secondary, kind }: PrivateVlan): number =>
  secondary | (secondary << WIRE.secondary.offset) | (KINDS[kind] << WIRE.kind.offset);
