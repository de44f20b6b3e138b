/** Runs `send` for 0..count-1 with at most `window` under way; the time of all, in seconds. */
export async function pump(
  count: number,
  window: number,
  send: (i: number) => Promise<unknown>,
): Promise<number> {
  const begun = performance.now();
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    let done = 0;
    const more = (): void => {
      if (next < count) send(next++).then(ended, reject);
    };
    const ended = (): void => {
      if (++done === count) resolve();
      else more();
    };
    for (let i = 0; i < Math.min(window, count); i++) more();
  });
  return (performance.now() - begun) / 1000;
}
