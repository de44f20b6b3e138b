import { type Msg, type NatsConnection } from '@nats-io/transport-node';
import { type Epoch, type HostName, type PortId } from '#kernel';
import { type State } from '#domain';
import { SUBJECTS } from '#contracts';
import { type Distrust } from '#platform';

/**
 * Brings what a host tells of the connections of a port that leaves it to the host that it goes to: the log alone says
 * which these are. What is in it is for that host to judge. Nothing of it is kept, and nothing waits for it.
 */
export class ConnectionsRelay {
  constructor(
    private readonly nc: Pick<NatsConnection, 'subscribe' | 'publish'>,
    /** The leader's own: a host tells as soon as it has its document. Null: this copy does not lead. */
    private readonly state: () => Pick<State, 'ports'> | null,
    private readonly distrust: Pick<Distrust, 'allows'>,
  ) {}

  /** Every copy hears them, and the one that leads passes them on. */
  start(): void {
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) this.pass(message.subject, message.data);
    };
    this.nc.subscribe(SUBJECTS.connections('*', '*', '*'), { callback });
  }

  pass(subject: string, data: Uint8Array): void {
    const state = this.state();
    const [, host = '', port = '', epoch = ''] = subject.split('.');
    if (state === null || !this.distrust.allows('connections', host, data.length)) return;
    const to = destinationOf(state, host as HostName, port as PortId, Number(epoch) as Epoch);
    // Else of a move that never was, or is over by now.
    if (to !== null) this.nc.publish(SUBJECTS.liveConnections(to, port, epoch), data);
  }
}

/** Where the port's binding of that epoch is, if the host has the one that it comes after; else null. */
export function destinationOf(
  { ports }: Pick<State, 'ports'>,
  from: HostName,
  port: PortId,
  epoch: Epoch,
): HostName | null {
  const known = ports.get(port);
  const to = [known?.standby, known?.active].find((binding) => binding?.epoch === epoch);
  if (known === undefined || to === undefined || to === null || to.host === from) return null;
  const hasLeft = [known.active, ...known.retiring].some((had) => had?.host === from && had.epoch < epoch);
  return hasLeft ? to.host : null;
}
