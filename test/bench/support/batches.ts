/** `work` on so many at a time: the programs that each starts would otherwise keep all of them from coming up in time. */
export async function inBatches<T>(
  all: readonly T[],
  atOnce: number,
  work: (it: T, index: number) => Promise<unknown>,
): Promise<void> {
  for (let i = 0; i < all.length; i += atOnce)
    await Promise.all(all.slice(i, i + atOnce).map((it, n) => work(it, i + n)));
}
