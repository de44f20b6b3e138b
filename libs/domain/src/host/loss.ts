import { Set as Ids } from 'immutable';
import { type HostName, type PortId, type Problem } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { gone } from '../facts/interfaces.js';
import { giveUpCounters, type Why } from '../ledger/give-up.js';
import { badReason } from '../ledger/reason.js';
import { type Command } from '../model/commands.js';
import { livePort } from '../port/bind.js';
import { surelyIsolates } from './waiting.js';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/**
 * The operator's word that a host will not tell what it owes. What it still holds, or is to hold, is touched only if it
 * is the word, too, that nothing runs there: of a host that was alive all the same, the next inventory binds anew what
 * nobody else has taken over.
 */
export function giveUpHost(
  draft: Draft,
  { host, reason, dead = false, checkpoints = [] }: Of<'GiveUpCounters'>,
): Problem | null {
  const known = draft.state.hosts.get(host);
  if (known === undefined) return noHost(host);
  const bad = badReason(reason);
  if (bad !== null) return bad;
  const why = {
    atCheckpoint: `given up, closed at the last checkpoint: ${reason}`,
    without: `given up without a checkpoint: ${reason}`,
  };
  const ids = draft.state.byHost.get(host) ?? Ids<PortId>();
  if (dead) {
    if (known.dead === undefined)
      draft.emit({ type: 'HostDied', host, by: draft.ctx.actor || 'an operator', reason });
    for (const id of ids) letGo(draft, host, id, `${host} is dead: ${reason}`);
  }
  for (const id of ids) giveUpCounters(draft, id, host, checkpoints, why);
  return null;
}

/** Ports of groups that isolate go to who waits for them. Nothing else of the host is touched: it may live. */
export function takeOver(
  draft: Draft,
  { host, reason, realised, checkpoints = [] }: Of<'TakeOver'>,
): Problem | null {
  if (!draft.state.hosts.has(host)) return noHost(host);
  const why: Why = {
    atCheckpoint: `taken over, closed at the last checkpoint: ${reason}`,
    without: `taken over without a checkpoint: ${reason}`,
  };
  for (const id of draft.state.byHost.get(host) ?? Ids<PortId>()) {
    const port = livePort(draft, id);
    if (port.claim === undefined || port.active?.host !== host) continue;
    if (!surelyIsolates(draft.state, port, realised)) continue;
    letGo(draft, host, id, reason);
    giveUpCounters(draft, id, host, checkpoints, why);
  }
  return null;
}

/** As if the host had seen the connectee leave. */
function letGo(draft: Draft, host: HostName, id: PortId, reason: string): void {
  const { active } = livePort(draft, id);
  if (active?.host === host)
    draft.emit({ type: 'PortTakenOver', port: id, host, epoch: active.epoch, reason });
  gone(draft, host, id, true);
}

const noHost = (host: HostName): Problem =>
  refuse('not-found', refusal('no-host', 'host', host, 'is not a known host'));
