import { type PortId } from '#kernel';
import { addCounters, bytesOf, inexactSegments, ledgerTotals, packetsOf, ZERO_COUNTERS } from '#domain';
import { type CounterSample, type Telemetry } from '#contracts';
import { type Nic } from '../host/guest.js';
import { Broken, type SimWorld } from './world.js';

/** vNICs that had ports in common at different times: a port keeps its ledger for whoever comes next. */
interface Company {
  readonly nics: Nic[];
  readonly ports: Set<PortId>;
}

/** Ledgers against what switches took from taps and handed to them. */
export async function checkLedgers(world: SimWorld): Promise<void> {
  const raws = new Map<string, CounterSample>();
  for (const agent of world.agents.values()) {
    if (agent === null || agent.agent === null) throw new Broken('an agent does not run');
    for (const s of await sample(world, agent.agent))
      raws.set(`${agent.host} ${s.port} ${s.epoch} ${s.incarnation}`, s);
  }
  for (const company of companies(world)) check(world, company, raws);
}

function companies(world: SimWorld): Company[] {
  let found: Company[] = [];
  for (const nic of world.nics) {
    const ports = new Set(world.auditor.portsOf.get(nic.spec.ifaceId));
    const shared = found.filter((c) => [...c.ports].some((p) => ports.has(p)));
    found = found.filter((c) => !shared.includes(c));
    for (const { ports: others } of shared) for (const p of others) ports.add(p);
    found.push({ nics: [nic, ...shared.flatMap((c) => c.nics)], ports });
  }
  return found;
}

function check(world: SimWorld, { nics, ports }: Company, raws: ReadonlyMap<string, CounterSample>): void {
  let counted = ZERO_COUNTERS;
  let inexact = 0;
  for (const id of ports) {
    const ledger = world.auditor.state.ports.get(id)?.ledger;
    if (ledger === undefined) continue;
    const current = (s: { host: string; epoch: number; incarnation: string }) =>
      raws.get(`${s.host} ${id} ${s.epoch} ${s.incarnation}`)?.raw;
    for (const s of ledger.segments)
      if (s.close === null && current(s) === undefined)
        throw new Broken(`${id}: nobody counts the open segment ${s.incarnation} of ${s.host}@${s.epoch}`);
    counted = addCounters(counted, ledgerTotals(ledger, current));
    inexact += inexactSegments(ledger);
  }
  const sum = (of: (nic: Nic) => number): number => nics.reduce((n, g) => n + of(g), 0);
  const [accepted, octets, handed] = [
    sum((g) => g.accepted),
    sum((g) => g.acceptedBytes),
    sum((g) => g.handed + g.missed),
  ];
  const [into, out] = [packetsOf(counted.in), packetsOf(counted.out)];
  const who = nics.map((g) => g.spec.ifaceId).join('+');
  const found = `${who}: ledger in ${into} (${bytesOf(counted.in)} octets), accepted ${accepted} (${octets}); out ${out}, handed ${handed}; ${inexact} inexact`;
  world.scheduler.note(`   = ${found}`);
  const arrived = out === handed || (out > handed && nics.some((g) => g.tampered));
  const same = into === accepted && arrived;
  if (into > accepted || (out > handed && !arrived)) throw new Broken(`counted too much: ${found}`);
  if (!same && nics.every((g) => g.exact)) throw new Broken(`not exact, though nothing was lost: ${found}`);
  if (!same && inexact === 0 && !nics.some((g) => g.silent))
    throw new Broken(`not exact, and does not say so: ${found}`);
  if (same && bytesOf(counted.in) !== octets) throw new Broken(`octets: ${found}`);
}

async function sample(
  world: SimWorld,
  agent: { telemetry(): Promise<Telemetry> },
): Promise<readonly CounterSample[]> {
  let counters: readonly CounterSample[] | null = null;
  agent.telemetry().then(
    (t) => (counters = t.counters),
    (cause: unknown) => world.fault('telemetry', cause),
  );
  for (let i = 0; i < 50 && counters === null; i += 1) await world.wait(50);
  if (counters === null) throw new Broken('the counters can’t be read');
  return counters;
}
