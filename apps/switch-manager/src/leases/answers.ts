import { type NatsConnection } from '@nats-io/transport-node';
import { type HostName } from '#kernel';
import { encodeBytes, parseLeaseQuestion, SUBJECTS } from '#contracts';
import { type Distrust } from '#platform';
import { type Manager, type ManagerLog } from '../manager.js';

/** Answers hosts' questions for a lease while this copy leads: who does not says nothing. */
export function answerLeases({
  nc,
  listens,
  distrust,
  manager,
  log,
}: {
  readonly nc: NatsConnection;
  readonly listens: () => boolean;
  readonly distrust: Pick<Distrust, 'read'>;
  readonly manager: Pick<Manager, 'lease'>;
  readonly log: Pick<ManagerLog, 'warn'>;
}): void {
  nc.subscribe(SUBJECTS.lease('*'), {
    callback: (error, message) => {
      if (error !== null) return log.warn({ err: error }, 'leases');
      if (!listens()) return;
      const host = message.subject.slice(SUBJECTS.lease('').length) as HostName;
      const question = distrust.read('lease', host, message.data, parseLeaseQuestion);
      const answer = question === null ? null : manager.lease(question);
      if (answer !== null) message.respond(encodeBytes(answer));
    },
  });
}
