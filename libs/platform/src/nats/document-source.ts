import { type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { err, ok, problem, type Problem, type Result } from '#kernel';
import { KEYS, SUBJECTS, type DocumentKey } from '#contracts';
import { type DocumentSource, type Received, type SourceListener } from '#protocol';
import { type NatsLink } from './link.js';

const LIVE = SUBJECTS.live('').length;

/**
 * The document stream for one host: republished messages and direct gets, by the names that the host's account gives
 * them. On a stream with replicas a direct get may be answered by one that lags: there the proof that `DocumentSync`
 * gives is only as good as the replicas are quick.
 */
export class NatsDocumentSource implements DocumentSource {
  #followed: ReadonlySet<DocumentKey> = new Set();
  /** Follows what is asked for now; before there was a connection, nothing. */
  #refollow: () => void = () => undefined;

  constructor(
    private readonly host: string,
    private readonly link: Pick<NatsLink, 'current' | 'connection' | 'onState'>,
    private readonly timeoutMs = 2000,
  ) {}

  subscribe(listener: SourceListener): () => void {
    let subscriptions: Subscription[] = [];
    const shared = new Map<DocumentKey, Subscription>();
    let ended = false;
    let wasUp = this.link.current() !== undefined;
    const open = (nc: NatsConnection): void => {
      if (ended) return;
      const note = SUBJECTS.live(KEYS.note(this.host));
      const callback = (error: Error | null, msg: Msg): void => {
        if (error !== null) return;
        if (msg.subject === note) listener.note(msg.data);
        else deliver(msg, listener);
      };
      const to = (subject: string): Subscription => nc.subscribe(subject, { callback });
      subscriptions = [SUBJECTS.liveHost(this.host), SUBJECTS.live(KEYS.mark)].map(to);
      this.#refollow = () => {
        for (const [key, subscription] of shared)
          if (!this.#followed.has(key)) {
            subscription.unsubscribe();
            shared.delete(key);
          }
        for (const key of this.#followed) if (!shared.has(key)) shared.set(key, to(SUBJECTS.live(key)));
      };
      this.#refollow();
    };
    const off = this.link.onState((state) => {
      const up = state === 'connected';
      if (up && !wasUp && subscriptions.length > 0) listener.reconnected();
      wasUp = up;
    });
    const connected = this.link.current();
    // Where there is a connection already, nothing was missed: else all would be read twice at each start.
    if (connected !== undefined) open(connected);
    else {
      const opened = (nc: NatsConnection): void => {
        open(nc);
        if (!ended) listener.reconnected();
      };
      // A link that is closed before it was ever open has nothing to hand over.
      this.link.connection().then(opened, () => undefined);
    }
    return () => {
      ended = true;
      off();
      this.#refollow = () => undefined;
      for (const subscription of [...subscriptions, ...shared.values()]) subscription.unsubscribe();
    };
  }

  follow(keys: ReadonlySet<DocumentKey>): void {
    this.#followed = keys;
    this.#refollow();
  }

  async flush(): Promise<Result<void>> {
    const nc = this.link.current();
    if (nc === undefined) return err(notConnected());
    try {
      await this.inTime(nc.flush());
      return ok(undefined);
    } catch (cause) {
      return err(problem('unavailable', `the message server does not answer: ${String(cause)}`));
    }
  }

  async get(key: DocumentKey): Promise<Result<Received | null>> {
    const nc = this.link.current();
    if (nc === undefined) return err(notConnected());
    try {
      const msg = await nc.request(SUBJECTS.directGet(key), undefined, { timeout: this.timeoutMs });
      return readDirect(msg, key);
    } catch (cause) {
      return err(problem('unavailable', `document ${key} can't be read: ${String(cause)}`));
    }
  }

  private async inTime(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.timeoutMs} ms`)), this.timeoutMs);
    });
    await Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}

/** A message whose origin is not what its subject says is not handed on: a mark will have the document fetched. */
function deliver(msg: Msg, listener: SourceListener): void {
  const key = msg.subject.slice(LIVE);
  const seq = Number(msg.headers?.get('Nats-Sequence'));
  if (msg.headers?.get('Nats-Subject') !== SUBJECTS.doc(key) || !Number.isSafeInteger(seq) || seq < 1) return;
  listener.message(key, { bytes: msg.data, seq });
}

function readDirect(msg: Msg, key: DocumentKey): Result<Received | null> {
  const code = msg.headers?.code ?? 0;
  if (code === 404) return ok(null);
  const seq = Number(msg.headers?.get('Nats-Sequence'));
  const subject = msg.headers?.get('Nats-Subject');
  if (code !== 0 || subject !== SUBJECTS.doc(key) || !Number.isSafeInteger(seq) || seq < 1)
    return err(
      problem('unavailable', `document ${key}: the answer is not one (${code}, ${subject ?? 'no subject'})`),
    );
  return ok({ bytes: msg.data, seq });
}

const notConnected = (): Problem => problem('unavailable', 'no connection to the message server');
