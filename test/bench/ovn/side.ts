/** Changes that are measured: each is made, which is what counts, and taken back, which only has to have happened. */
export const CHANGES = {
  rule: 'one rule for all ports',
  batch: 'a batch of 100 rules for all ports',
  security: 'port security of every port',
  portSecurity: 'port security of one port',
  portRule: 'one rule for one port',
  eachRule: 'a rule of its own for every port',
} as const;

export type ChangeName = keyof typeof CHANGES;

export const BATCH = 100;

/** One of the two that are compared, with its hosts and ports in place. */
export interface Side {
  readonly name: string;
  /** Makes the change and resolves when every host concerned has said that it carried it out. */
  make(change: ChangeName, n: number): Promise<void>;
  /** How long the last change took until every switch concerned had its flows, ms, by who looks on; null: nobody does. */
  readonly installedMs: number | null;
  undo(change: ChangeName, n: number): Promise<void>;
  /** Processor seconds that its processes used so far, by what they are. */
  cpu(): Promise<Readonly<Record<string, number>>>;
}

/** A TCP port of its own for each rule of each change. */
export const tcpPort = (n: number, i = 0): number => 1_000 + ((n * 7 + i) % 60_000);
