/** Numbers for people: few digits, always with a unit. */

export function duration(ms: number): string {
  if (ms > 0 && ms < 1) return 'under 1 ms';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 120) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 120) return `${min} min`;
  const h = Math.floor(min / 60);
  return h < 48 ? `${h} h` : `${Math.floor(h / 24)} d`;
}

export function ago(time: string | null, now: number): string {
  if (time === null) return 'never';
  const ms = now - Date.parse(time);
  return ms < 1000 ? 'now' : `${duration(ms)} ago`;
}

/** 1234567 → `1,234,567`. */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

const STEPS = ['', 'k', 'M', 'G', 'T', 'P'];

function scaled(n: number, unit: string): string {
  let step = 0;
  let value = n;
  while (value >= 999.5 && step < STEPS.length - 1) {
    value /= 1000;
    step += 1;
  }
  const digits = step === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  const text = value.toFixed(digits).replace(/\.0+$|(\.\d*[1-9])0+$/, '$1');
  return `${text} ${STEPS[step] ?? ''}${unit}`.trimEnd();
}

export const bytes = (n: number): string => scaled(n, 'B');
export const bitRate = (n: number): string => scaled(n, 'bit/s');
export const packetRate = (n: number): string => (n < 10_000 ? `${count(n)} pkt/s` : scaled(n, 'pkt/s'));

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Local time to the second; another day's to the minute, with the date. */
export function shortTime(time: string, now: number): string {
  const text = clockTime(time, now);
  return text.includes(' ') ? text.slice(0, 16) : text.slice(0, 8);
}

/** Local clock time with milliseconds; with the date when it isn't today. */
export function clockTime(time: string, now: number): string {
  const t = new Date(time);
  const two = (n: number): string => String(n).padStart(2, '0');
  const ms = String(t.getMilliseconds()).padStart(3, '0');
  const clock = `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.${ms}`;
  const date = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
  return new Date(now).toDateString() === t.toDateString() ? clock : `${date} ${clock}`;
}
