import { type PolicyField } from '#domain';

/** Spelt out here, so that the client needs the domain's types only; a missing one does not compile. */
const FIELDS: Readonly<Record<PolicyField, true>> = {
  vlan: true,
  blocked: true,
  promiscuous: true,
  macChanges: true,
  forgedTransmits: true,
  shapingIn: true,
  shapingOut: true,
  filter: true,
  teaming: true,
  macs: true,
  macLearning: true,
  addresses: true,
  bandwidth: true,
  ipfix: true,
};

export type PolicyWord = PolicyField;
export const POLICY_FIELD_NAMES = Object.keys(FIELDS) as readonly PolicyWord[];
