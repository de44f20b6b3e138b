import { KEYS, SUBJECTS } from '#contracts';
import { expect } from '@jest/globals';
import { type Msg } from '@nats-io/transport-node';
import { ask, type World } from './world.fixture.js';

/** What a host must not be answered on, by the name of another host. */
export const forbiddenToAsk = (host: string, other: string): [what: string, subject: string][] => [
  ['documents of another', SUBJECTS.directGet(KEYS.host(other))],
  ['documents of another, by body', '$JS.API.DIRECT.GET.DOC'],
  ['any message', '$JS.API.STREAM.MSG.GET.DOC'],
  ['the list of streams', '$JS.API.STREAM.NAMES'],
  ['a stream', '$JS.API.STREAM.INFO.LOG'],
  ['a consumer', '$JS.API.CONSUMER.CREATE.DOC'],
  ['a purge', '$JS.API.STREAM.PURGE.DOC'],
  ['account information', '$JS.API.INFO'],
  ['a command', SUBJECTS.command('apply')],
  ['a document', SUBJECTS.doc(KEYS.host(host))],
  ['the log', SUBJECTS.log('x')],
  ['facts of another', SUBJECTS.fact(other)],
  ['checkpoints of another', SUBJECTS.checkpoint(other)],
  ['reports of another', SUBJECTS.report(other)],
  ['connections of another', SUBJECTS.connections(other, 'p1', 2)],
  ['connections to another', SUBJECTS.liveConnections(other, 'p1', 2)],
  ['the lease of another', SUBJECTS.lease(other)],
];

/** Where a host may try to have a reply sent. */
export const aims = (other: string): string[] => [
  SUBJECTS.doc(KEYS.host(other)),
  SUBJECTS.live(KEYS.host(other)),
  SUBJECTS.log('x'),
  SUBJECTS.fact(other),
  SUBJECTS.checkpoint(other),
  SUBJECTS.report(other),
  SUBJECTS.lease(other),
  SUBJECTS.command('apply'),
];

/** Aims the replies of every service that a host may ask at `target`; nobody may hear or store one. */
export async function expectAimMissed(
  world: World,
  host: string,
  other: string,
  target: string,
): Promise<void> {
  const [attacker, victim, manager] = [
    await world.agent(host),
    await world.agent(other),
    await world.as('manager'),
  ];
  const heard: string[] = [];
  const callback = (error: Error | null, msg: Msg) => void heard.push(error?.message ?? msg.subject);
  const listeners = [
    victim.subscribe(SUBJECTS.liveHost(other), { callback }),
    ...['report.*', 'cmd.>', 'live.doc.>'].map((subject) => manager.subscribe(subject, { callback })),
  ];
  await Promise.all([victim.flush(), manager.flush()]);
  const state = () => Promise.all(STORED(other).map(([stream, subject]) => world.stored(stream, subject)));
  const before = await state();
  for (const subject of askable(host)) attacker.publish(subject, 'forged', { reply: target });
  // A round trip through the same services: what was aimed has landed by then, wherever it went.
  for (const subject of askable(host)) await ask(attacker, subject, 'honest');
  await Promise.all([victim.flush(), manager.flush()]);
  expect(heard).toEqual([]);
  expect(await state()).toEqual(before);
  for (const listener of listeners) listener.unsubscribe();
}

const askable = (host: string): string[] => [
  SUBJECTS.fact(host),
  SUBJECTS.checkpoint(host),
  SUBJECTS.directGet(KEYS.host(host)),
  SUBJECTS.directGet(KEYS.mark),
];

const STORED = (other: string): [stream: string, subject: string][] => [
  ['DOC', SUBJECTS.doc(KEYS.host(other))],
  ['FACT', SUBJECTS.fact(other)],
  ['CKPT', SUBJECTS.checkpoint(other)],
  ['LOG', SUBJECTS.log('x')],
];
