// Loaded into a service before its own code: its wall clock is off by what a file says, in milliseconds, which is read
// ten times a second. What counts up (performance.now, timers) goes on, as it does when a machine's clock is set.
import { readFileSync } from 'node:fs';

const file = process.env.CHAOS_CLOCK_FILE;
const real = Date.now;
let offset = 0;

function look() {
  try {
    offset = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    // No file: the clock is right.
    offset = 0;
  }
}

if (file !== undefined) {
  look();
  setInterval(look, 100).unref();
  const shifted = () => real() + offset;
  globalThis.Date = new Proxy(Date, {
    construct: (Real, args, target) =>
      Reflect.construct(Real, args.length === 0 ? [shifted()] : args, target),
    apply: () => new Date(shifted()).toString(),
    get: (Real, key, receiver) => (key === 'now' ? shifted : Reflect.get(Real, key, receiver)),
  });
}
