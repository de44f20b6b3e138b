import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { type GuestSpec } from './guest.js';
import { receiveGuest, sendGuest, type IncomingGuest, type SendResult } from './transfer.js';

const SPEC: GuestSpec = {
  owner: 'web-1',
  ifaceId: 'web-1-eth0',
  mac: '02:00:00:00:00:01',
  profile: 'web',
  switch: 'lan',
  pps: 5,
};
const MEMORY = { sent: 7, number: 6, received: 2 };

describe('a guest on its way', () => {
  let server: Server;
  let log: string[];
  let guest: IncomingGuest;
  let served: Promise<void>;

  beforeEach(async () => {
    log = [];
    guest = {
      prepare: (spec) => {
        log.push(`prepare ${spec.owner}`);
        return Promise.resolve();
      },
      begin: (_spec, memory) => log.push(`begin ${memory.sent}`),
      discard: (spec) => log.push(`discard ${spec.owner}`),
    };
    server = createServer((socket) => {
      served = receiveGuest(socket, guest);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
  });

  const at = (): { host: string; port: number } => ({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  });
  const send = (
    signal = new AbortController().signal,
    copyMs = 0,
    ready = Promise.resolve(),
  ): Promise<SendResult> =>
    sendGuest(at(), SPEC, copyMs, signal, ready, () => {
      log.push('stop');
      return MEMORY;
    });

  it('is prepared there before it stops here, and begins there with its memory', async () => {
    expect(await send()).toEqual({ kind: 'moved' });
    await served;
    expect(log).toEqual(['prepare web-1', 'stop', 'begin 7']);
  });

  it('does not stop here before it is let, nor when that is called off first', async () => {
    let go = (): void => undefined;
    const sent = send(undefined, 0, new Promise((resolve) => (go = resolve)));
    while (log.length === 0) await new Promise(setImmediate);
    expect(log).toEqual(['prepare web-1']);
    go();
    expect(await sent).toEqual({ kind: 'moved' });
    await served;
    log.length = 0;
    const abort = new AbortController();
    const held = send(abort.signal, 0, new Promise(() => undefined));
    while (log.length === 0) await new Promise(setImmediate);
    abort.abort();
    expect(await held).toMatchObject({ kind: 'failed' });
    await served;
    expect(log).toEqual(['prepare web-1', 'discard web-1']);
  });

  it('stays, and is discarded there, when it is refused', async () => {
    guest.prepare = () => Promise.reject(new Error('it is here already'));
    expect(await send()).toEqual({ kind: 'failed', reason: 'it is here already' });
    await served;
    expect(log).toEqual(['discard web-1']);
  });

  it('stays, and is discarded there, when the move is aborted while its memory is copied', async () => {
    const abort = new AbortController();
    const sending = send(abort.signal, 60_000);
    guest.prepare = () => {
      setImmediate(() => abort.abort());
      return Promise.resolve();
    };
    expect((await sending).kind).toBe('failed');
    await served;
    expect(log).toEqual(['discard web-1']);
  });

  it('is nobody knows where when no answer comes after its state went over', async () => {
    guest.begin = () => {
      throw new Error('the machine is gone');
    };
    expect((await send()).kind).toBe('unknown');
  });

  it('stays when it is told after its state went over that it was not begun', async () => {
    server.removeAllListeners('connection');
    server.on('connection', (socket) => {
      // Read to its end, else it stays open when the other side is gone.
      socket.resume().write('{"step":"ready"}\n{"step":"refused","reason":"took too long"}\n');
    });
    expect(await send()).toEqual({ kind: 'failed', reason: 'took too long' });
    expect(log).toEqual(['stop']);
  });

  it('is waited for as long as its memory is said to be copied, and discarded in silence', async () => {
    const timers: { fire(): void; cancelled: boolean }[] = [];
    let armed = (): void => undefined;
    const after = (_ms: number, fire: () => void): (() => void) => {
      const timer = { fire, cancelled: false };
      timers.push(timer);
      armed();
      return () => (timer.cancelled = true);
    };
    const arming = (n: number): Promise<void> =>
      new Promise((resolve) => {
        armed = () => timers.length >= n && resolve();
        armed();
      });
    server.removeAllListeners('connection');
    server.on('connection', (socket) => {
      served = receiveGuest(socket, guest, { after });
    });
    const socket = connect(at());
    socket.write(`${JSON.stringify({ step: 'hello', spec: SPEC })}\n`);
    await arming(2);
    socket.write('{"step":"copying"}\n');
    await arming(3);
    expect(timers.map((t) => t.cancelled)).toEqual([true, true, false]);
    timers[2]!.fire();
    await served;
    expect(log).toEqual(['prepare web-1', 'discard web-1']);
    socket.destroy();
  });

  it('does not go where nobody listens', async () => {
    const { port } = at();
    server.close();
    await once(server, 'close');
    const [to, { signal }] = [{ host: '127.0.0.1', port }, new AbortController()];
    const result = await sendGuest(to, SPEC, 0, signal, Promise.resolve(), () => MEMORY);
    expect(result).toMatchObject({ kind: 'failed', reason: expect.stringContaining('cannot reach') });
  });

  it.each(['nonsense\n', '{"step":"state"}\n', '{"step":"hello","spec":{"owner":"../x"}}\n', 'null\n'])(
    'is not made of %j',
    async (line) => {
      const socket = connect(at());
      socket.write(line);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(JSON.parse(answer.toString())).toMatchObject({ step: 'refused' });
      expect(log).toEqual([]);
      socket.destroy();
    },
  );
});
