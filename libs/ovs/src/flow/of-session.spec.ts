import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '#kernel';
import { decode, encode, Framer, type BundleMod, type Decoded, type OfMessage } from '#openflow';
import fc from 'fast-check';
import { ManualClock } from '../fixtures/manual-clock.fixture.js';
import { applyBundle, applyMeters } from './changes.js';
import { OfSession } from './of-session.js';

/** A session whose switch is a function: what it answers to a message, with the xid of that message. */
function scripted(answer: (message: OfMessage) => readonly OfMessage[]) {
  const framer = new Framer();
  const heard: OfMessage[] = [];
  const told: OfMessage[] = [];
  const clock = new ManualClock();
  const session: OfSession = new OfSession(
    (bytes) => {
      const frames = framer.push(bytes);
      for (const frame of frames.ok ? frames.value : []) {
        const decoded = decode(frame);
        if (!decoded.ok) throw new Error(decoded.error.message);
        reply(decoded.value);
      }
    },
    (message) => told.push(message),
    clock,
  );
  function reply({ message, xid }: Decoded): void {
    heard.push(message);
    const answers =
      message.kind === 'barrier-request' ? [{ kind: 'barrier-reply' } as const] : answer(message);
    for (const one of answers) queueMicrotask(() => session.receive(encode(one, xid)));
  }
  const controls = () =>
    heard.flatMap((message) => (message.kind === 'bundle-control' ? [message.control] : []));
  return { session, heard, told, clock, controls };
}

const refused: OfMessage = { kind: 'error', type: 5, code: 1, data: new Uint8Array() };
const flow = (priority: number) => ({ table: 0, priority, match: {}, actions: [], cookie: 1n });
const add = (priority: number): BundleMod => ({ op: 'add-flow', flow: flow(priority) });
const isAddition = (message: OfMessage, priority: number) =>
  message.kind === 'bundle-add' &&
  message.message.kind === 'flow-mod' &&
  'flow' in message.message &&
  message.message.flow.priority === priority;

describe('OfSession', () => {
  it('joins the parts of a reply and keeps requests apart', async () => {
    const { session } = scripted((message) =>
      message.kind === 'port-desc-request'
        ? [
            {
              kind: 'port-desc-reply',
              more: true,
              ports: [{ number: 1, name: 'a', linkUp: true, adminUp: true }],
            },
            {
              kind: 'port-desc-reply',
              more: false,
              ports: [{ number: 2, name: 'b', linkUp: true, adminUp: true }],
            },
          ]
        : [{ kind: 'group-desc-reply', more: false, groups: [] }],
    );
    const [ports, groups] = await Promise.all([
      session.ask({ kind: 'port-desc-request' }, 'port-desc-reply'),
      session.ask({ kind: 'group-desc-request' }, 'group-desc-reply'),
    ]);
    expect(ports.flatMap((part) => part.ports.map(({ name }) => name))).toEqual(['a', 'b']);
    expect(groups).toHaveLength(1);
  });

  it('answers echo, and hands on what is no reply', () => {
    const { session, heard, told } = scripted(() => []);
    session.receive(encode({ kind: 'echo-request', data: Uint8Array.of(1) }, 99));
    session.receive(encode(refused, 4_711));
    expect(heard).toEqual([{ kind: 'echo-reply', data: Uint8Array.of(1) }]);
    expect(told).toEqual([refused]);
  });

  it('does not know what became of a request when time or connection end', async () => {
    const { session, clock } = scripted(() => []);
    const late = session.ask({ kind: 'group-desc-request' }, 'group-desc-reply');
    clock.advance(10_000);
    await expect(late).rejects.toMatchObject({ problem: { code: 'unknown' } });
    const cut = session.ask({ kind: 'group-desc-request' }, 'group-desc-reply');
    session.end('gone');
    await expect(cut).rejects.toMatchObject({ problem: { code: 'unknown' } });
    await expect(session.perform([])).rejects.toMatchObject({ problem: { code: 'unavailable' } });
  });

  it('never throws, whatever the switch sends', () => {
    const header = fc.tuple(fc.nat(40), fc.uint8Array({ maxLength: 60 })).map(([type, body]) => {
      const bytes = Buffer.alloc(8 + body.length);
      bytes.writeUInt8(6, 0);
      bytes.writeUInt8(type, 1);
      bytes.writeUInt16BE(bytes.length, 2);
      bytes.set(body, 8);
      return bytes;
    });
    const chunk = fc.oneof(fc.uint8Array({ maxLength: 100 }), header);
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
        const { session } = scripted(() => []);
        return chunks.every((bytes) => ['string', 'undefined'].includes(typeof session.receive(bytes)));
      }),
    );
  });
});

describe('applyBundle', () => {
  it('commits what the switch took', async () => {
    const { session, controls } = scripted(() => []);
    await applyBundle(session, 'br', [add(1), add(2)]);
    expect(controls()).toEqual(['open', 'commit']);
  });

  it('discards when any addition is refused, and names it', async () => {
    const { session, controls } = scripted((message) => (isAddition(message, 2) ? [refused] : []));
    const failed: unknown = await applyBundle(session, 'br', [add(1), add(2), add(3)]).catch(
      (cause: unknown) => cause,
    );
    expect(failed).toBeInstanceOf(ProblemError);
    expect(failed).toMatchObject({
      problem: {
        code: 'refused',
        details: [{ field: 'mods[1]', reason: 'flow-mod failed: the table is full' }],
      },
    });
    expect(controls()).toEqual(['open', 'discard']);
  });

  it('fails when the commit is refused', async () => {
    const { session } = scripted((message) =>
      message.kind === 'bundle-control' && message.control === 'commit' ? [refused] : [],
    );
    await expect(applyBundle(session, 'br', [add(1)])).rejects.toMatchObject({
      problem: { code: 'refused', details: [{ field: 'commit' }] },
    });
  });
});

describe('applyMeters', () => {
  it('takes back what it added when one is refused', async () => {
    const { session, heard } = scripted((message) =>
      message.kind === 'meter-mod' && message.command === 'modify' ? [refused] : [],
    );
    const meter = { id: 1, unit: 'kbps', rate: 5 } as const;
    const step = applyMeters(session, 'br', [
      { op: 'add', meter },
      { op: 'modify', meter: { ...meter, id: 2 } },
    ]);
    await expect(step).rejects.toMatchObject({ problem: { details: [{ field: 'mods[1]' }] } });
    expect(heard).toContainEqual({ kind: 'meter-mod', command: 'delete', id: 1 });
  });
});
