import { ProblemBody } from '#contracts/http';
import { VERSION } from '../version.js';
import { OPERATIONS, type Operation } from './operations.js';
import { components, ref } from './schemas.js';

const header = (name: string, description: string): object => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
});

/** They send a log, and change nothing. */
const OF_A_FILE: ReadonlySet<string> = new Set(['/v1/replay', '/v1/verify/ledgers']);

const CORRELATION = header('X-Correlation-Id', 'found again in logs and events; made up when absent');
const COMMAND_HEADERS = [
  header('Idempotency-Key', 'the command id: the same one always gets the same answer'),
  header('X-Portolan-Actor', 'who asks, as told in events'),
];

/** OpenAPI 3.1 of everything that is served. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    const path = operation.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[operation.method] = described(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Portolan operator API',
      version: VERSION,
      description:
        'One switch over many hosts: state policy, watch it carried out, move VMs with their counters.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: components(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: {
        Problem: {
          description: 'RFC 9457: what is wrong, with field, value, reason and what would be right',
          content: { 'application/problem+json': { schema: ref(ProblemBody) } },
        },
      },
    },
  };
}

function described(operation: Operation): object {
  const { method, path, summary, tag, query = [], body, answer } = operation;
  const names = [...path.matchAll(/:(\w+)/g)].map((m) => m[1] ?? '');
  const inPath = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const inQuery = query.map((p) => ({ ...p, in: 'query', required: false }));
  const writes = method !== 'get' && !OF_A_FILE.has(path);
  return {
    operationId: operationId(operation),
    summary,
    tags: [tag],
    parameters: [...inPath, ...inQuery, CORRELATION, ...(writes ? COMMAND_HEADERS : [])],
    ...(body === undefined
      ? {}
      : { requestBody: { content: body, required: path !== '/v1/ports/:id/disconnect' } }),
    responses: {
      200: { description: 'done', content: answer },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function operationId({ method, path }: Operation): string {
  const words = path
    .replace('/v1/openapi', '/openapiOfV1')
    .replace('/v1/', '/')
    .split(/[/:.]+/)
    .filter((w) => w !== '');
  return [method, ...words.map((w) => w.charAt(0).toUpperCase() + w.slice(1))].join('');
}
