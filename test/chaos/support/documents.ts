import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { unwrap } from '#kernel';
import { openDocumentBytes, STREAMS, SUBJECTS, type DocumentKey } from '#contracts';
import { documentVerifier } from '#platform';
import { type World } from '../../process/cluster.fixture.js';

/** Of all documents as they stand in their stream, each with a signature that holds. */
export async function lineagesOfDocuments(world: World, manager: NatsConnection): Promise<Set<string>> {
  const { streams } = await jetstreamManager(manager);
  const verifier = await documentVerifier([join(world.cluster.options.home, 'keys', 'manager.pub.pem')]);
  const all = SUBJECTS.doc('>');
  const { subjects = {} } = (await streams.info(STREAMS.documents, { subjects_filter: all })).state;
  const found = new Set<string>();
  for (const subject of Object.keys(subjects)) {
    const message = await streams.getMessage(STREAMS.documents, { last_by_subj: subject });
    if (message === null) continue;
    const key = subject.slice(all.length - 1) as DocumentKey;
    found.add(unwrap(openDocumentBytes(message.data, verifier, key)).lineage);
  }
  return found;
}
