import { type HostName } from '#kernel';
import { ABILITIES, type Ability } from '../model/abilities.js';
import { type State } from '../model/state.js';

export const isAble = ({ hosts }: Pick<State, 'hosts'>, host: HostName, ability: Ability): boolean =>
  hosts.get(host)?.abilities?.includes(ability) === true;

/** Those known here of what an agent said, in one order; a later version may have more. */
export const knownOf = (said: readonly string[]): readonly Ability[] =>
  ABILITIES.filter((ability) => said.includes(ability));
