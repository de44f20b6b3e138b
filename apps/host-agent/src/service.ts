import { type Clock, type HostName } from '#kernel';
import { type Fact } from '#domain';
import { type Telemetry } from '#contracts';
import { type Compiled, type Desired, type LocalFacts, type PortEpoch } from '#compiler';
import { type Driver, type DriverEvent, type Observation } from '#openflow';
import { type FrameTakers } from './packet-ins.js';
import { type LocalMemory } from './state/local-memory.js';

/** What a service may use of the agent that it belongs to. */
export interface ServiceHost {
  readonly host: HostName;
  /** To ask and to send frames; what decides about frames is changed by passes of the reconciler alone. */
  readonly driver: Pick<
    Driver,
    | 'packetOut'
    | 'portStats'
    | 'flowStats'
    | 'meterStats'
    | 'connections'
    | 'ignoreSequences'
    | 'interfaces'
    | 'setPortData'
  >;
  readonly clock: Clock;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** From 0 to 1. */
  random(): number;
  record(fact: Fact): void;
  /** What is remembered of uplinks, over restarts; whoever changes it wants another pass. */
  readonly memory: Pick<LocalMemory, 'teaming'>;
  /** What `facts()` says changed: another pass is wanted. */
  kick(): void;
  /** What the last pass that came to its end carried out; null before the first. */
  compiled(): Compiled | null;
  /** What is known to stand; null while that is in doubt. */
  observation(): Observation | null;
}

export type Activation = Extract<Fact, { type: 'PortActivated' }>;

/** Local facts that the agent itself has no part in; such a field is optional or has a default in the compiler. */
export type ServiceFacts = Partial<
  Omit<LocalFacts, 'host' | 'round' | 'interfaces' | 'slots' | 'activations' | 'handedOver' | 'unconfirmed'>
>;

/** A part of the agent that stands beside the loop: it hears what the switch tells, and says what it found out. */
export interface AgentService {
  /**
   * Asked at the beginning of every pass, which waits for it: at once, but where something new is wanted. Must not
   * reject. Fields of several services must not overlap.
   */
  facts?(have: Observation, desired: Desired): ServiceFacts | Promise<ServiceFacts>;
  /** Frames that the switch hands over, by what for; a kind has one taker. Must not block; an error is logged. */
  readonly frames?: FrameTakers;
  /** What else the switch tells. Must not block; an error is logged. */
  noticed?(event: DriverEvent): void;
  /** A pass came to its end: all of this stands and is effective, as these documents want it. */
  carriedOut?(compiled: Compiled, have: Observation, desired: Desired): void;
  /** A guest is just coming to the binding that waited for it: what is told with that. */
  arrived?(binding: PortEpoch): Pick<Activation, 'carried'>;
  /** Added to the telemetry, about once a second. */
  telemetry?(): Partial<Telemetry>;
  close?(): void | Promise<void>;
}

/** Makes a service for one agent; it begins to work by what it is told. */
export type MakeService = (host: ServiceHost) => AgentService;
