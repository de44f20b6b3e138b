import { Connections } from './connections.js';
import { Learned } from './learned.js';
import { Limits } from './limits.js';
import { Links } from './links.js';
import { Memberships } from './multicast.js';

/** What one switch of a host, and its agent, remember from frame to frame, whatever is changed meanwhile. */
export class Memory {
  /** By port, of those whose filters have state. */
  connections = new Map<number, Connections>();
  readonly learned = new Learned();
  readonly memberships = new Memberships();
  readonly links = new Links();
  readonly limits = new Limits();

  /**
   * Without `lasting` it is as a trace sees it: each frame is the first of its connection, no limit is reached, and what is
   * handed to the agent goes nowhere. What the switch learns by itself, it learns by traces, too.
   */
  constructor(readonly lasting: boolean) {}
}
