/** Those parts of a bench that were asked for by `--steps`, in their own order; without it, all. */
export function asked<T extends string>(steps: readonly T[], env = process.env): readonly T[] {
  const words = env['PORTOLAN_BENCH_STEPS']?.split(',');
  return words === undefined ? steps : steps.filter((step) => words.includes(step));
}
