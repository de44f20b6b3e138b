import { BRIDGE } from '../../apps/host-agent/src/agent.fixture.js';
import { teamingView } from '../../apps/host-agent/src/teaming/teaming.fixture.js';
import { LabAgent } from '../lab/agent.js';
import { numbered, until, type Lab, type LabVm } from '../lab/net.js';
import { needing, type Figure } from './support/figure.js';
import { SHORT } from './support/short.js';
import { spread } from './support/stats.js';
import { withLab } from './support/with-lab.js';

const TIMES = SHORT ? 2 : 20;
const PPS = 1_000;
const FRAMES = 1_000;
const VLAN = 100;
const HOST = 'h1';
const FIRST = 'up0';

const WAYS = ['out', 'in'] as const;
type Way = (typeof WAYS)[number];
type Lost = Readonly<Record<Way, number>>;

/** Frames lost, of one each millisecond, when the uplink that carries a port fails, and when the port goes back to it. */
export const teaming = needing('lab', async (say) => {
  return withLab({ hosts: [HOST], uplinks: 2 }, async (lab) => {
    const agent = new LabAgent(lab.host(HOST));
    try {
      return figures(await measure(await stage(lab, agent), say));
    } finally {
      await agent.stop();
    }
  });
});

interface Stage {
  readonly lab: Lab;
  readonly agent: LabAgent;
  readonly guest: LabVm;
  readonly far: LabVm;
}

async function stage(lab: Lab, agent: LabAgent): Promise<Stage> {
  const scene = { teaming: {}, vlan: { mode: 'access', id: VLAN }, devices: [FIRST, 'up1'] };
  await agent.start();
  await agent.become(teamingView(1, [], scene));
  const far = await lab.addOutsider(numbered(9));
  const guest = await lab.addVm(HOST, { bridge: BRIDGE, ...numbered(1) });
  await agent.become(teamingView(2, [{ n: 1 }], scene));
  return { lab, agent, guest, far };
}

/** What is done to the uplink that carries the port, in this order. */
const EVENTS: readonly (readonly [what: string, work: (on: Stage) => Promise<void>])[] = [
  ['nothing happens', () => Promise.resolve()],
  ['its uplink is switched off here', (on) => here(on, 'down')],
  ['it goes back to its uplink', (on) => here(on, 'up')],
  ['its uplink fails at the other end', (on) => there(on, 'down')],
  ['it goes back to that', (on) => there(on, 'up')],
];

async function measure(on: Stage, say: (line: string) => void): Promise<readonly (readonly Lost[])[]> {
  const lost = EVENTS.map((): Lost[] => []);
  for (let i = 1; i <= TIMES; i += 1) {
    for (const [k, [, work]] of EVENTS.entries()) lost[k]?.push(await lostWhile(on, () => work(on)));
    say(`${i} of ${TIMES}: ${lost.map((of) => `${of.at(-1)?.out}/${of.at(-1)?.in}`).join(' ')} out/in`);
  }
  return lost;
}

async function here(on: Stage, state: 'up' | 'down'): Promise<void> {
  await on.lab.host(HOST).setUplink(FIRST, state);
  await seen(on, state);
}

async function there(on: Stage, state: 'up' | 'down'): Promise<void> {
  await on.lab.inFabric('ip', 'link', 'set', on.lab.fabricPort(HOST, FIRST), state);
  await seen(on, state);
}

const seen = ({ agent }: Stage, state: 'up' | 'down'): Promise<true> =>
  until(`${FIRST} ${state}`, async () => {
    const found = (await agent.driver.interfaces()).find(({ name }) => name === FIRST);
    return found?.linkUp === (state === 'up') ? true : undefined;
  });

/** Of frames both ways, while in their midst something is done. */
async function lostWhile({ guest, far, lab }: Stage, work: () => Promise<void>): Promise<Lost> {
  for (const vm of [guest, far]) await vm.resetReceived();
  const [out, into] = [
    guest.send({ to: far, count: FRAMES, pps: PPS }),
    far.send({ to: guest, count: FRAMES, pps: PPS, vlan: VLAN }),
  ];
  await until('frames both ways', async () => {
    const began = await Promise.all([far.receivedFrom(guest), guest.receivedFrom(far)]);
    return began.every(({ unique }) => unique > FRAMES / 4) ? true : undefined;
  });
  await work();
  const sent = await Promise.all([out, into]);
  await lab.host(HOST).drained(FIRST, 'up1', ...guest.pluggedAt.map(({ outside }) => outside));
  const [away, here] = [await far.receivedFrom(guest), await guest.receivedFrom(far)];
  return { out: sent[0].sent - away.unique, in: sent[1].sent - here.unique };
}

const figures = (lost: readonly (readonly Lost[])[]): readonly Figure[] =>
  EVENTS.flatMap(([what], k) =>
    WAYS.map((way) => ({
      bench: 'teaming',
      what: `frames of one a ms lost, ${way === 'out' ? 'from' : 'to'} a port: ${what}`,
      unit: 'frames',
      spread: spread((lost[k] ?? []).map((each) => each[way])),
    })),
  );
