/**
 * What agents of earlier versions do not do, and the centre relies on. `lease`: what isolates is closed by its switch;
 * `standby-ready`: it says when a guest may come. Who does not say that it can is neither waited for nor believed to.
 */
export const ABILITIES = ['lease', 'standby-ready'] as const;
export type Ability = (typeof ABILITIES)[number];
