import { type Policy } from '#domain';
import { POLICY_FIELDS, SHARES } from '#domain/on-host';
import { type SwitchDocument } from '#contracts';
import { type CompileException } from '../types.js';
import { type Refusal } from './interfaces.js';

/** Why this version does not do what a field says; null: it does. */
type Reasons = { readonly [F in keyof Policy]?: (value: Policy[F]) => string | null };

/**
 * What policy can say and a host can't do. Nothing is taken and left undone: a port whose policy wants such a thing is
 * closed, with the reason.
 */
const REASONS: Reasons = {
  teaming: ({ mode, detection }) =>
    detection === 'beacon' && mode === 'ip-hash'
      ? 'beacons between uplinks that the other end takes for one link: it brings back none of them'
      : null,
  bandwidth: (bandwidth) => (bandwidth === null || hasUsualShares(bandwidth) ? null : SHARES_NEED),
};

/** One that is as good as any other is what there is without queues. */
const hasUsualShares = ({ shares }: { readonly shares: number }): boolean => shares === SHARES.normal;
const SHARES_NEED = `shares other than ${SHARES.normal}: they need queues, and a switch in userspace has none`;

/** By the policy alone, so that it is asked once for all ports of a group. */
export function unsupported(policy: Policy): Refusal | null {
  for (const field of POLICY_FIELDS) {
    const what = reasonOf(field, policy);
    if (what !== null) return { code: 'not-enforceable', reason: `${field}: this host does not do ${what}` };
  }
  return null;
}

const reasonOf = <F extends keyof Policy>(field: F, policy: Policy): string | null =>
  REASONS[field]?.(policy[field]) ?? null;

/** The same of a switch: what it asks for beside its ports' policies. Its ports stand; it is not realised. */
export function unsupportedOnSwitch(doc: SwitchDocument): CompileException[] {
  const unfair = Object.entries(doc.bandwidth?.classes ?? {}).flatMap(([name, of]) =>
    hasUsualShares(of) ? [] : [`bandwidth.classes.${name}: this host does not do ${SHARES_NEED}`],
  );
  return unfair.map((reason) => ({
    port: null,
    object: `switch/${doc.switch}`,
    code: 'not-enforceable',
    reason,
  }));
}
