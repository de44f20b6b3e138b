import { SHORT } from '../support/short.js';

/** Of each way to move a guest. */
export const MOVES = Number(process.env['PORTOLAN_BENCH_MOVES'] ?? (SHORT ? 3 : 15));
