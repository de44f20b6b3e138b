/** Asked for by `--short`: every bench in its smallest size, which shows that it works. */
export const SHORT = process.env['PORTOLAN_BENCH_SHORT'] === '1';
