import { type HostName } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refuse } from '../decider/refusal.js';
import { type Port } from '../model/state.js';

export function observe(_draft: Draft, host: HostName, port: Port, refuse: Refuse): void {
  refuse(refusal('bound-elsewhere', 'host', host, `port ${port.id} is active on ${port.active?.host}`));
}
