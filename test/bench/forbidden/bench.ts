import { tcpPort } from '../ovn/side.js';
import { portsOf } from '../ovn/ports.js';
import { withPair, type Pair } from '../ovn/pair.js';
import { needing, ratioOf, type Figure } from '../support/figure.js';
import { SHORT } from '../support/short.js';
import { spread } from '../support/stats.js';
import { ourGate, peerGate, type Gate } from './gates.js';
import { Guests, type Case, type Trial } from './trial.js';

const HOSTS = ['h1', 'h2'];
const PORTS_EACH = 10;
const TURNS = SHORT ? 3 : 20;
const OTHERS = 20_000;
const RATES = SHORT ? [20_000] : [1_000, 20_000];
/** Services that have just started run code that is not compiled yet; OVN's is. */
const [OUR_WARM_UP, PEER_WARM_UP] = SHORT ? [30, 3] : [100, 10];

const CASES: readonly Case[] = (['stateless', 'established'] as const).flatMap((kind) =>
  [0, OTHERS].flatMap((others) => RATES.map((pps) => ({ kind, others, pps }))),
);

/** A sender that is kept from sending sees nothing stop: so much later than seen it may have been, beside the rate, ms. */
const BLIND_MS = 1.5;
/** For each that counts, so many that do not. */
const MOST_BLIND = 3;

interface Taken {
  readonly name: 'ours' | 'OVN' | 'OVN by its command';
  readonly guests: Guests;
  readonly gate: Gate;
  trials: Trial[];
  /** Trials whose sender stood still at the moment. */
  blind: Trial[];
  /** Trials in which nothing passed that could be stopped. */
  silent: number;
}

/** Ours, OVN asked over a connection that stands, and by a command that is started for it. */
type Sides = readonly [Taken, Taken, Taken];
type Say = (line: string) => void;

/**
 * A guest sends without a pause to another on its host; a rule that drops it is asked for. How long until the last
 * frame passed, and whether any passed after the word that none would, on both sides, turn about.
 */
export const forbidden = needing('ovn', async (say) => {
  return withPair(HOSTS, PORTS_EACH, say, async (pair) => {
    // What is for nobody here leaves by the uplink: the other host's switch has no part in it.
    await pair.labs.ours.isolate();
    const sides = await sidesOf(pair);
    try {
      const figures: Figure[] = [];
      for (const one of CASES) figures.push(...(await compare(sides, one, say)));
      return figures;
    } finally {
      for (const guests of new Set(sides.map((side) => side.guests))) await guests.close();
    }
  });
});

async function sidesOf({ ours, peer, labs }: Pair): Promise<Sides> {
  const ports = portsOf(HOSTS, PORTS_EACH);
  // Ours leave by the uplink; here a port gets what is for nobody, so that both sides forward them.
  const { name, mac, ip } = ports[PORTS_EACH - 1]!;
  await peer.commit([['lsp-set-addresses', name, `${mac} ${ip}`, 'unknown']]);
  const side = async (name: Taken['name'], gate: Gate, lab: Pair['labs']['ours'], warmUp: number) => {
    for (let n = 0; n < warmUp; n++) {
      await gate.stop(tcpPort(n));
      await gate.resume(tcpPort(n));
    }
    const guests = await Guests.on(lab.host(HOSTS[0]!), name, ports);
    return { name, gate, guests, trials: [], blind: [], silent: 0 };
  };
  const us = await side('ours', ourGate(ours, HOSTS.length), labs.ours, OUR_WARM_UP);
  const gate = peerGate(peer);
  const them = await side('OVN', gate, labs.peer, PEER_WARM_UP);
  const stop = (port: number): Promise<void> => gate.stopByCommand(port);
  return [us, them, { ...them, name: 'OVN by its command', gate: { ...gate, stop } }];
}

async function compare(sides: Sides, one: Case, say: Say): Promise<readonly Figure[]> {
  const what = `${one.kind}, ${one.pps} packets/s, ${one.others === 0 ? 'idle cache' : `${one.others} others`}`;
  say(what);
  for (const side of sides) {
    await side.gate.begin(one.kind);
    [side.trials, side.blind, side.silent] = [[], [], 0];
    await attempt(side, one, portOf(sides, side, 0));
  }
  for (let n = 1; n <= TURNS; n++)
    for (const side of n % 2 === 0 ? sides : [...sides].reverse())
      await take(side, one, portOf(sides, side, n));
  return figures(sides, what);
}

/** Two sides may be one switch: what it has cached of a port, dropped or passed, would stand in the other's way. */
const portOf = (sides: Sides, side: Taken, n: number): number => tcpPort(n, sides.indexOf(side));

/** Null: nothing passed that could be stopped. What ours allows must pass. */
async function attempt({ name, guests, gate }: Taken, one: Case, port: number): Promise<Trial | null> {
  const trial = await guests.try(one, port, gate);
  if (typeof trial !== 'string') return trial;
  if (name === 'ours') throw new Error(trial);
  return null;
}

/** Once more where the sender could not have seen it; whether a packet passed after the word counts all the same. */
async function take(side: Taken, one: Case, port: number): Promise<void> {
  const { trials, blind } = side;
  for (;;) {
    const trial = await attempt(side, one, port);
    if (trial === null) {
      if ((side.silent += 1) >= MOST_BLIND * TURNS) return;
      continue;
    }
    const sees = trial.blindMs <= BLIND_MS + 1_000 / one.pps;
    (sees ? trials : blind).push(trial);
    if (sees || blind.length >= MOST_BLIND * TURNS) return;
  }
}

function figures(sides: Sides, what: string): readonly Figure[] {
  const told = sides.map((side) => figureOf(side, what));
  const [ours, ovn, commanded] = told.map((f) => f.spread);
  return [
    ...told,
    ratioOf('forbidden', `${what}: last packet, ours ÷ OVN`, ours!, ovn!),
    ratioOf('forbidden', `${what}: last packet, ours ÷ OVN by its command`, ours!, commanded!, 1),
    ...sides.map((side) => late(side, what)),
  ];
}

function figureOf({ name, trials, blind, silent }: Taken, what: string): Figure {
  const of = (key: keyof Trial) => trials.map((t) => t[key]);
  return {
    bench: 'forbidden',
    what: `${what}: to the last packet, ${name}`,
    unit: 'ms',
    spread: spread(of('lastMs')),
    detail: {
      toldMs: spread(of('toldMs')),
      blindMs: spread(of('blindMs')),
      blindRuns: blind.length,
      silentRuns: silent,
      cached: spread(of('cached')),
    },
  };
}

/** In how many runs a packet passed after the word: never, or the word was false. */
function late({ name, trials, blind }: Taken, what: string): Figure {
  const all = [...trials, ...blind];
  const runs = all.filter((t) => t.after > 0).length;
  const target = name === 'ours' ? { text: 'never', met: runs === 0 } : undefined;
  return {
    bench: 'forbidden',
    what: `${what}: packets after the answer, ${name}`,
    unit: 'packets',
    spread: spread(all.map((t) => t.after)),
    ...(target && { target }),
    detail: { runs },
  };
}
