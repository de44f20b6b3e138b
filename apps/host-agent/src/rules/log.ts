import { macFromBigint } from '#kernel';
import { MOST_LOG_LINES, type RuleLogLine, type Telemetry } from '#contracts';
import { readTold } from '#compiler';
import { type HandedFrame } from '../packet-ins.js';
import { type AgentService, type MakeService, type ServiceHost } from '../service.js';
import { Bindings } from './bindings.js';
import { addressText } from './address-text.js';
import { portsOf, readHead } from './frame.js';

export const logs: MakeService = (host) => new LogService(host);

/** Rules whose frames are counted for their sample; beyond, all begin anew. */
const MOST_COUNTED = 4_096;

/**
 * Frames that rules want logged: to the agent's own log, and with the telemetry to whoever looks on. The switch hands over
 * no more than a meter lets pass, and of what can't be told the number is.
 */
class LogService implements AgentService {
  readonly #bindings: Bindings;
  /** Frames of a rule since one was logged. */
  readonly #since = new Map<string, number>();
  #lines: RuleLogLine[] = [];
  #more = 0;

  constructor(private readonly host: ServiceHost) {
    this.#bindings = new Bindings(host);
  }

  readonly frames = { logged: (handed: HandedFrame): void => this.#logged(handed) };

  telemetry(): Partial<Telemetry> {
    if (this.#lines.length === 0) return {};
    const log = { lines: this.#lines, more: this.#more };
    [this.#lines, this.#more] = [[], 0];
    return { log };
  }

  #logged(handed: HandedFrame): void {
    const { rule, slot } = handed.notice;
    if (rule === undefined || !this.#isMeant(`${handed.bridge} ${slot} ${rule.name}`, rule.sample)) return;
    const line = this.#line(handed);
    if (line === null) return;
    this.host.log.info({ ...line }, 'a rule took a frame');
    if (this.#lines.length < MOST_LOG_LINES) this.#lines.push(line);
    else this.#more += 1;
  }

  /** The first, and then one in so many. */
  #isMeant(key: string, sample: number): boolean {
    const n = this.#since.get(key) ?? 0;
    if (this.#since.size >= MOST_COUNTED) this.#since.clear();
    this.#since.set(key, (n + 1) % sample);
    return n === 0;
  }

  #line({ bridge, notice: { rule }, metadata, frame }: HandedFrame): RuleLogLine | null {
    const head = readHead(frame);
    const told = readTold(metadata);
    const binding = this.#bindings.at(bridge, rule?.direction === 'in' ? told.from : told.to);
    if (head === null || rule === undefined || binding === undefined) return null;
    const { ip, etherType } = head;
    const on = this.host.compiled()?.state.bridges.find(({ name }) => name === bridge);
    return {
      time: this.host.clock.now(),
      switch: on?.switch ?? bridge,
      port: binding.port,
      rule: rule.name,
      direction: rule.direction,
      verdict: rule.verdict,
      vlan: told.segment,
      srcMac: macFromBigint(head.src),
      dstMac: macFromBigint(head.dst),
      etherType,
      ...(ip === null
        ? {}
        : {
            ip: {
              src: addressText(ip.src),
              dst: addressText(ip.dst),
              protocol: ip.protocol,
              ...portsOf(frame, ip),
            },
          }),
    };
  }
}
