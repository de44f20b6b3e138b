import { type HostName } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refuse } from '../decider/refusal.js';
import { type Fact } from '../model/commands.js';

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

export function activatedFact(_d: Draft, _h: HostName, fact: Of<'PortActivated'>, refuse: Refuse): void {
  refuse(refusal('fenced', 'epoch', fact.epoch, 'is not standby here'));
}
export function hypervisorFact(
  _d: Draft,
  _h: HostName,
  fact: Of<'HypervisorMigration'>,
  refuse: Refuse,
): void {
  refuse(refusal('no-migration', 'migration', fact.migration, 'is not a known migration'));
}
