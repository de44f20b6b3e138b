import { problem, ProblemError } from '#kernel';
import { type BundleMod, type CtFilter, type MeterMod, type OfMessage, type Action } from '#openflow';
import { type OfFault, type OfSession } from './of-session.js';
import { refusal } from './of-problems.js';

const FLAGS = { atomic: true, ordered: true } as const;
/** OpenFlow 1.5 wants a packet-out to say where the frame comes from: OFPP_CONTROLLER. */
const FROM_CONTROLLER = { in_port: { value: 0xfffffffdn } } as const;
let lastBundle = 0;

/**
 * All of the changes or none. A refused addition does not stop a commit of Open vSwitch, so every addition's answer
 * is waited for, and any refusal discards the bundle.
 */
export async function applyBundle(
  session: OfSession,
  bridge: string,
  mods: readonly BundleMod[],
): Promise<void> {
  if (mods.length === 0) return;
  lastBundle = (lastBundle % 0xffffffff) + 1;
  const bundle = lastBundle;
  const control = (what: 'open' | 'commit' | 'discard'): OfMessage => ({
    kind: 'bundle-control',
    bundle,
    control: what,
    reply: false,
    flags: FLAGS,
  });
  const additions = mods.map((mod): OfMessage => ({
    kind: 'bundle-add',
    bundle,
    flags: FLAGS,
    message: toMessage(mod),
  }));
  const batch = session.batch();
  try {
    let faults = await batch.perform([control('open'), ...additions]);
    if (faults.length > 0) await session.perform([control('discard')]);
    // Much is refused at the commit only; the switch then names the addition first and the commit after it.
    else faults = await batch.perform([control('commit')]);
    if (faults.length === 0) return;
    throw new ProblemError(
      refusal(
        `bundle on ${bridge}`,
        faults.map((fault) => named(fault, mods, 1)),
      ),
    );
  } finally {
    batch.end();
  }
}

/**
 * Meters know no bundle: a refusal takes back the meters that this step added. Modifications and deletions before it
 * can't be taken back; the step fails and the next reading shows what stands.
 */
export async function applyMeters(
  session: OfSession,
  bridge: string,
  mods: readonly MeterMod[],
): Promise<void> {
  if (mods.length === 0) return;
  const messages = mods.map((mod): OfMessage =>
    mod.op === 'delete'
      ? { kind: 'meter-mod', command: 'delete', id: mod.id }
      : { kind: 'meter-mod', command: mod.op, meter: mod.meter },
  );
  const faults = await session.perform(messages);
  if (faults.length === 0) return;
  const refused = new Set(faults.map(({ index }) => index));
  const added = mods.flatMap((mod, index) => (mod.op === 'add' && !refused.has(index) ? [mod.meter.id] : []));
  await session.perform(added.map((id): OfMessage => ({ kind: 'meter-mod', command: 'delete', id })));
  throw new ProblemError(
    refusal(
      `meters on ${bridge}`,
      faults.map((fault) => named(fault, mods, 0)),
    ),
  );
}

/** Makes the switch forget connections; when this resolves they are gone. */
export async function flushConnections(
  session: OfSession,
  bridge: string,
  connections: readonly CtFilter[],
): Promise<void> {
  const faults = await session.perform(
    connections.map((filter): OfMessage => ({ kind: 'ct-flush', ...filter })),
  );
  if (faults.length === 0) return;
  throw new ProblemError(
    refusal(
      `conntrack flush on ${bridge}`,
      faults.map((fault) => named(fault, connections, 0)),
    ),
  );
}

/** Sends frames out of a port, or has this done with them, in their order; when this resolves it is done. */
export async function sendFrames(
  session: OfSession,
  bridge: string,
  to: number | readonly Action[],
  frames: readonly Uint8Array[],
): Promise<void> {
  const actions: readonly Action[] = typeof to === 'number' ? [{ kind: 'output', port: to }] : to;
  const [fault] = await session.perform(
    frames.map((frame): OfMessage => ({ kind: 'packet-out', match: FROM_CONTROLLER, actions, frame })),
  );
  const [field, value] =
    typeof to === 'number' ? ['port', to] : ['actions', to.map(({ kind }) => kind).join()];
  if (fault) throw new ProblemError(refusal(`packet-out on ${bridge}`, [{ field, value, ...fault }]));
}

function toMessage(mod: BundleMod): OfMessage {
  switch (mod.op) {
    case 'add-flow':
      return { kind: 'flow-mod', command: 'add', flow: mod.flow };
    case 'delete-flow':
      return { kind: 'flow-mod', command: 'delete-strict', flow: mod.flow };
    case 'add-group':
      return { kind: 'group-mod', command: 'add', group: mod.group };
    case 'modify-group':
      return { kind: 'group-mod', command: 'modify', group: mod.group };
    case 'delete-group':
      return { kind: 'group-mod', command: 'delete', id: mod.id };
  }
}

/** A fault with the change it means; `before` messages stood in front of the changes. */
function named(fault: OfFault, mods: readonly unknown[], before: number) {
  const at = fault.index - before;
  const field = at < 0 ? 'open' : at < mods.length ? `mods[${at}]` : 'commit';
  return { field, value: mods[at], error: fault.error };
}

/** For a request that names a bridge that is not ours. */
export function noBridge(bridge: string): ProblemError {
  return new ProblemError(problem('not-found', `bridge ${bridge} is not one of ours on this switch`));
}
