import { messageOf, problem, ProblemError, type Clock } from '#kernel';
import { type FlowUpdate, type OfMessage, type OfPort, type PacketIn } from '#openflow';
import { type Endpoint } from '../link/endpoint.js';
import { KeepAlive } from '../link/keep-alive.js';
import { failed, Link } from '../link/link.js';
import { describeError } from './of-problems.js';
import { OfSession } from './of-session.js';

const OPENFLOW_15 = 6;
const MONITOR_ID = 1;
/** Why a frame came: invalid TTL is of no use to us; an action, a group or a table miss is. */
const PACKET_IN_REASONS = 0b111011;
const PORT_REASONS = 0b111;
/** Others' group-mods and meter-mods. */
const FORWARDED = 0b11;

/** Without a miss length the switch tells a service connection nothing by itself. */
const CONFIG: OfMessage = { kind: 'set-config', missSendLen: 0xffff, matchFragments: true };

export interface OfHandlers {
  /** The switch speaks OpenFlow 1.5, tells changes and takes requests. */
  up(): void;
  /** The connection is lost, or the first attempt failed; more attempts follow and are not told. */
  down(reason: string): void;
  packetIn(packet: PacketIn): void;
  /** Changes of flows that this connection did not ask for. */
  flows(updates: readonly FlowUpdate[]): void;
  port(port: OfPort): void;
  /** What another connection asked for, and got. */
  forwarded(message: OfMessage): void;
}

/** Connection to one bridge that comes back by itself. */
export class OfConnection {
  private readonly link: Link;
  private readonly keepAlive: KeepAlive;
  private session: OfSession | undefined;
  private ready = false;
  private toldDown = false;
  /** Why there is no connection. */
  private why = 'not tried yet';
  private readonly waiters = new Set<(outcome: OfSession | ProblemError) => void>();

  constructor(
    readonly bridge: string,
    endpoint: () => Endpoint,
    private readonly handlers: OfHandlers,
    private readonly clock: Clock,
    probeMs = 5_000,
  ) {
    this.link = new Link(
      endpoint,
      { open: () => this.open(), data: (chunk) => this.receive(chunk), down: (why) => this.lost(why) },
      { clock },
    );
    this.keepAlive = new KeepAlive(clock, probeMs, {
      probe: () => this.session?.send({ kind: 'echo-request', data: new Uint8Array() }),
      dead: (why) => this.link.drop(why),
    });
  }

  start(): void {
    this.link.start();
  }

  get isUp(): boolean {
    return this.ready;
  }

  /**
   * The standing conversation, or the next one if it comes within `waitMs`; else rejects as `unavailable`. A
   * connection that is being made is waited for by itself, one that is known to be lost is not.
   */
  current(waitMs = this.toldDown ? 0 : 2_000): Promise<OfSession> {
    if (this.ready && this.session) return Promise.resolve(this.session);
    return new Promise((resolve, reject) => {
      const settle = (outcome: OfSession | ProblemError) => {
        cancel();
        this.waiters.delete(settle);
        if (outcome instanceof ProblemError) reject(outcome);
        else resolve(outcome);
      };
      const cancel = this.clock.after(waitMs, () =>
        settle(this.absent(`no OpenFlow connection in ${waitMs} ms (${this.why})`)),
      );
      this.waiters.add(settle);
    });
  }

  /** Says again what holds for the whole bridge and not for this connection alone; one that comes says it by itself. */
  async configure(): Promise<void> {
    if (this.ready) await this.session?.perform([CONFIG]);
  }

  close(): void {
    this.ready = false;
    this.keepAlive.stop();
    this.link.close();
    this.session?.end('the connection was closed');
    this.session = undefined;
    for (const waiter of [...this.waiters]) waiter(this.absent('the connection was closed'));
  }

  private open(): void {
    this.keepAlive.start();
    const session = new OfSession(
      (bytes) => this.link.write(bytes),
      (message) => this.told(session, message),
      this.clock,
    );
    this.session = session;
    session.send({ kind: 'hello', versions: [OPENFLOW_15] });
  }

  /** After the hellos: ask the switch to tell what it does not tell a service connection by itself. */
  private async setUp(session: OfSession): Promise<void> {
    const faults = await session.perform([
      CONFIG,
      { kind: 'set-packet-in-format', format: 'nxt-packet-in2' },
      {
        kind: 'set-async',
        packetIn: PACKET_IN_REASONS,
        portStatus: PORT_REASONS,
        flowRemoved: 0,
        requestForward: FORWARDED,
      },
    ]);
    const [fault] = faults;
    if (fault) throw this.absent(`the switch refused its set-up: ${describeError(fault.error)}`);
    await session.ask(
      {
        kind: 'flow-monitor-request',
        command: 'add',
        id: MONITOR_ID,
        match: {},
        initial: false,
        added: true,
        removed: true,
        modified: true,
        instructions: true,
        own: false,
      },
      'flow-monitor-reply',
    );
  }

  private told(session: OfSession, message: OfMessage): void {
    if (this.session !== session) return;
    switch (message.kind) {
      case 'hello':
        return this.agree(session, message.versions);
      case 'packet-in':
        return this.handlers.packetIn(message);
      case 'flow-monitor-reply':
        return this.handlers.flows(message.updates);
      case 'port-status':
        return this.handlers.port(message.port);
      case 'request-forward':
        return this.handlers.forwarded(message.message);
      case 'error':
        // Nothing of ours waits for it: the reply to a hello, or to a message whose request timed out.
        if (!this.ready) this.link.drop(`${this.bridge}: ${describeError(message)}`);
        return;
      default:
        return;
    }
  }

  private agree(session: OfSession, versions: readonly number[]): void {
    if (!versions.includes(OPENFLOW_15)) {
      this.link.drop(`${this.bridge}: the switch does not speak OpenFlow 1.5`);
      return;
    }
    const drop = (reason: string): void => {
      if (this.session === session) this.link.drop(reason);
    };
    this.setUp(session)
      .then(
        () => {
          if (this.session !== session) return;
          this.ready = true;
          for (const waiter of [...this.waiters]) waiter(session);
          this.handlers.up();
          this.toldDown = false;
          this.link.settle();
        },
        (cause: unknown) => drop(messageOf(cause)),
      )
      .catch((cause: unknown) => drop(failed(cause)));
  }

  private receive(chunk: Buffer): void {
    this.keepAlive.heard();
    const fault = this.session?.receive(chunk);
    if (fault !== undefined) this.link.drop(`${this.bridge} sent what can't be read: ${fault}`);
  }

  private lost(reason: string): void {
    this.keepAlive.stop();
    this.why = reason;
    this.ready = false;
    this.session?.end(reason);
    this.session = undefined;
    if (this.toldDown) return;
    this.toldDown = true;
    this.handlers.down(reason);
  }

  private absent(reason: string): ProblemError {
    return new ProblemError(problem('unavailable', `${this.bridge}: ${reason}`));
  }
}
