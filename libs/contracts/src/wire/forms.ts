import { isRecord } from '#kernel';
import { fullPolicy, NO_FEATURES, shortPolicy, without } from '#domain/on-host';
import { type Document } from '../documents.js';

/**
 * Documents travel in the short form: what says no more than an older version could is written as that version wrote
 * it, so that an agent of before reads it, and refuses just what it can't carry out. Readers take both forms.
 */
const OF_HOST = { foreignFlows: 'report' } as const;
const OF_GROUP = { autoShrink: false } as const;
const OF_SWITCH: Readonly<Record<string, unknown>> = { ...NO_FEATURES };

/** What is signed. Not what the code works with: see `fullDocument`. */
export function shortDocument(document: Document): Document {
  switch (document.type) {
    case 'host':
      return without(document, OF_HOST);
    case 'switch':
      return without({ ...document, policy: shortPolicy(document.policy) as never }, OF_SWITCH);
    case 'group':
      return { ...document, policy: shortPolicy(document.policy) as never };
    case 'port':
      return { ...document, override: shortPolicy(document.override) as never };
    default:
      return document;
  }
}

export function fullDocument(written: unknown): unknown {
  if (!isRecord(written)) return written;
  switch (written['type']) {
    case 'host':
      return { ...OF_HOST, ...written };
    case 'switch':
      return { ...OF_SWITCH, ...withPolicy(written, 'policy') };
    case 'group':
      return withPolicy(written, 'policy');
    case 'port':
      return withPolicy(written, 'override');
    default:
      return written;
  }
}

/** A command of a client of before. */
export function fullCommand(written: unknown): unknown {
  const command = isRecord(written) ? written['command'] : undefined;
  if (!isRecord(written) || !isRecord(command)) return written;
  if (command['type'] === 'SetPort') return { ...written, command: withPolicy(command, 'override') };
  const resources = command['resources'];
  if (command['type'] !== 'Apply' || !Array.isArray(resources)) return written;
  return { ...written, command: { ...command, resources: resources.map(fullResource) } };
}

function fullResource(resource: unknown): unknown {
  const spec = isRecord(resource) ? resource['spec'] : undefined;
  if (!isRecord(resource) || !isRecord(spec)) return resource;
  switch (resource['kind']) {
    case 'Host':
      return { ...resource, spec: { ...OF_HOST, ...spec } };
    case 'PortGroup':
      return { ...resource, spec: { ...OF_GROUP, ...withPolicy(spec, 'policy') } };
    case 'Port':
      return { ...resource, spec: withPolicy(spec, 'override') };
    case 'DistributedSwitch':
    case 'StandardSwitch':
      return { ...resource, spec: { ...OF_SWITCH, ...withPolicy(spec, 'policy') } };
    default:
      return resource;
  }
}

function withPolicy(value: Record<string, unknown>, field: string): Record<string, unknown> {
  const policy = fullPolicy(value[field]);
  return policy === value[field] ? value : { ...value, [field]: policy };
}
