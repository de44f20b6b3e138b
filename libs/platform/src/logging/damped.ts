import { messageOf, type Clock } from '#kernel';

const QUIET_MS = 60_000;

/**
 * What goes wrong at every attempt, twice a second: said at once, and while it stays the same once a minute, with how
 * often it was so since. `say` gets the reason and that number.
 */
export function damped(
  clock: Pick<Clock, 'monotonic'>,
  say: (reason: string, times: number) => void,
): (cause: unknown) => void {
  let [last, saidAt, times] = ['', 0, 0];
  return (cause) => {
    const reason = messageOf(cause);
    times += 1;
    if (reason === last && clock.monotonic() - saidAt < QUIET_MS) return;
    say(reason, reason === last ? times : 1);
    [last, saidAt, times] = [reason, clock.monotonic(), 0];
  };
}
