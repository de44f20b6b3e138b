import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { systemClock } from '#kernel';
import { type RawCounters } from '#domain';
import { encodeBytes, parseTelemetry, type Telemetry } from '#contracts';
import { Distrust } from '#platform';
import { LiveStore } from './live-store.js';
import { NatsLive } from './nats-live.js';

Logger.overrideLogger(false);
const none = { packets: 0, bytes: 0 };
const quiet = { unicast: none, multicast: none, broadcast: none };
const raw = (n: number): RawCounters => ({ in: { ...quiet, unicast: { packets: n, bytes: n } }, out: quiet });

const telemetry = (host: string, time: number, n: number, incarnation = 'i1') =>
  ({
    schema: 1,
    host,
    boot: 'b1',
    time,
    counters: [{ port: 'p1', epoch: 1, incarnation, raw: raw(n) }],
    vms: [],
    interfaces: [],
    uplinks: [],
  }) as unknown as Telemetry;

const segment = (incarnation = 'i1') => ({ host: 'alpha', epoch: 1, incarnation }) as never;

describe('the live store', () => {
  it('keeps two looks for a rate, and drops what a host no longer tells', () => {
    const live = new LiveStore(systemClock);
    live.takeTelemetry(telemetry('alpha', 1000, 10));
    expect(live.sampled('p1', segment())?.previous).toBeNull();
    live.takeTelemetry(telemetry('alpha', 2000, 30));
    live.takeTelemetry(telemetry('alpha', 2010, 31));
    expect(live.sampled('p1', segment())).toMatchObject({ time: 2010, previous: { time: 1000 } });
    live.takeTelemetry(telemetry('alpha', 3000, 1, 'i2'));
    expect(live.sampled('p1', segment())).toBeUndefined();
    expect(live.sampled('p1', segment('i2'))).toMatchObject({ previous: null });
  });

  it('is not turned back by a late message', () => {
    const live = new LiveStore(systemClock);
    live.takeTelemetry(telemetry('alpha', 2000, 30));
    live.takeTelemetry(telemetry('alpha', 1000, 10));
    expect(live.sampled('p1', segment())?.sample.raw).toEqual(raw(30));
  });
});

describe('a host whose clock was set back', () => {
  it('is still heard: its counters go on, and a rate needs two new looks', () => {
    const live = new LiveStore(systemClock);
    live.takeTelemetry(telemetry('alpha', 3_600_000, 10));
    live.takeTelemetry(telemetry('alpha', 1_000, 20));
    expect(live.sampled('p1', segment())).toMatchObject({
      time: 1_000,
      previous: null,
      sample: { raw: raw(20) },
    });
    live.takeTelemetry(telemetry('alpha', 2_000, 30));
    expect(live.sampled('p1', segment())).toMatchObject({ time: 2_000, previous: { time: 1_000 } });
  });
});

describe('messages of hosts', () => {
  const live = new LiveStore(systemClock);
  const distrust = new Distrust(systemClock, { warn: () => undefined });
  const nats = new NatsLive(undefined as never, live, distrust);
  const receive = (subject: string, data: Uint8Array) =>
    nats.received('telemetry', null, { subject, data }, parseTelemetry, (t) => live.takeTelemetry(t));

  it('count only for the host whose subject they came on', () => {
    receive('tele.bravo', encodeBytes(telemetry('alpha', 1000, 10)));
    expect(live.host('alpha')).toBeUndefined();
    receive('tele.alpha', encodeBytes(telemetry('alpha', 1000, 10)));
    expect(live.host('alpha')).toBeDefined();
    expect(distrust.list()).toEqual([{ host: 'bravo', kind: 'other-host', count: 1 }]);
  });

  it('that are rubbish, or break a taker, do not throw', () => {
    receive('tele.alpha', Buffer.from('{'));
    nats.received(
      'telemetry',
      null,
      { subject: 'tele.alpha', data: Buffer.from('1') },
      () => ({ ok: true, value: { host: 'alpha' } }),
      () => {
        throw new Error('broken');
      },
    );
    nats.received(
      'telemetry',
      new Error('permission'),
      { subject: '', data: Buffer.alloc(0) },
      parseTelemetry,
      () => undefined,
    );
  });
});
