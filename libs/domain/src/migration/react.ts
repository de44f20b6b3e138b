import { type HostName, type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refuse } from '../decider/refusal.js';
import { type Port } from '../model/state.js';

export function sourceGone(_draft: Draft, _port: PortId, _host: HostName): void {}
export function destinationGone(_draft: Draft, _port: PortId, _edge: boolean): void {}
export function settle(_draft: Draft, _port: PortId): void {}
export function supersede(_draft: Draft, _port: PortId, _host: HostName): void {}
export function elsewhere(_draft: Draft, host: HostName, port: Port, refuse: Refuse): void {
  refuse(refusal('migrating', 'port', port.id, `is being migrated; ${host} has no part in it`));
}
