import { REG, TABLES } from '#compiler';
import { type FlowStats } from '#openflow';
import { learnedRows } from '../../../apps/host-agent/src/facts/learned.js';
import { bindingKey } from '../../../apps/host-agent/src/state/memory.js';
import { isForged, isToken, sourceOf, tailOf } from '../host/frames.js';
import { type Machine } from '../host/machine.js';
import { type AgentService } from '../services/agent.js';
import { type Surroundings } from './frames.js';

export interface HandoverSurroundings extends Surroundings {
  readonly agents: ReadonlyMap<string, AgentService | null>;
}

/** What frames from outside do to a switch: the token of a hand-over turns its trap at once, and nothing else does. */
export class HandoverChecks {
  constructor(private readonly world: HandoverSurroundings) {}

  /** A frame arrives by the uplink. */
  arrives(at: Machine, device: string, frame: Uint8Array): void {
    if (isForged(frame)) return this.forged(at, device, frame);
    at.switch.inject(device, frame);
    if (isToken(frame)) this.turned(at, frame);
  }

  /** Somebody sends what is not his to send, by an uplink or a tap. */
  forged(at: Machine, device: string, frame: Uint8Array): void {
    const before = rows(at);
    at.switch.inject(device, frame);
    const after = rows(at);
    if (before !== after)
      this.world.broken(`a forged frame turned a port at ${at.name}: ${before} became ${after}`);
  }

  /** The source that said that it is ready lets go of the port in the same instant. */
  private turned(at: Machine, frame: Uint8Array): void {
    const { auditor, reports } = this.world;
    const { lineage, realised } = reports.get(at.name) ?? {};
    if (lineage !== auditor.lineage || realised === undefined || !at.unhurt) return;
    for (const [id, migration] of auditor.state.moving) {
      const port = auditor.state.ports.get(id);
      const move = auditor.state.migrations.get(migration);
      if (
        port?.connectee === undefined ||
        port.connectee === null ||
        tailOf(port.connectee.mac) !== sourceOf(frame)
      )
        continue;
      if (port.active?.host !== at.name || move?.source !== at.name) continue;
      if (realised < (move.history[0]?.revision ?? Number.POSITIVE_INFINITY)) continue;
      // Its VLAN is being changed: the two ends may not agree on where the token is to come.
      const there = reports.get(move.destination)?.realised ?? 0;
      const held = auditor.policies(port.connectee.ifaceId, lineage ?? null, Math.min(realised, there));
      if (held.some(({ segment }) => segment !== held[0]?.segment)) continue;
      const key = bindingKey(id, port.active.epoch);
      const slot = this.world.agents.get(at.name)?.memory?.localFacts().slots[key];
      if (slot !== undefined && isActive(at, slot))
        this.world.broken(`${at.name} was ready to hand over ${id}, and the token of it turned nothing`);
    }
  }
}

const rows = (at: Machine): string =>
  JSON.stringify(
    learnedRows({ bridges: [...at.switch.bridges.values()].map((b) => b.observe()), interfaces: [] }),
  );

/** By the row that decides. */
function isActive({ switch: { bridges } }: Machine, slot: number): boolean {
  let decides: FlowStats['flow'] | undefined;
  for (const bridge of bridges.values())
    for (const { flow } of bridge.observe().flows)
      if (flow.table === TABLES.ACTIVITY && Number(flow.match[REG.lookup]?.value) === slot)
        if (decides === undefined || flow.priority > decides.priority) decides = flow;
  const bit = decides?.actions.find((a) => a.kind === 'set-field' && a.field === REG.active);
  return bit?.kind === 'set-field' && (bit.value & 1n) === 1n;
}
