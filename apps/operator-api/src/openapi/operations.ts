import * as Api from '#contracts/http';
import { type TSchema } from 'typebox';
import { plain, ref } from './schemas.js';

export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With Nest's `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly query?: readonly Parameter[];
  readonly body?: Readonly<Record<string, object>>;
  /** Of the 200 answer, by content type. */
  readonly answer: Readonly<Record<string, object>>;
}

interface Parameter {
  readonly name: string;
  readonly schema: object;
  readonly description: string;
}

const json = (schema: object): Record<string, object> => ({ 'application/json': { schema } });
const list = (item: TSchema): Record<string, object> => json(plain(Api.listOf(item)));
const text = (name: string, description: string): Parameter => ({
  name,
  schema: { type: 'string' },
  description,
});
const whole = (name: string, description: string, minimum = 0): Parameter => ({
  name,
  schema: { type: 'integer', minimum },
  description,
});
const flag = (name: string, description: string): Parameter => ({
  name,
  schema: { type: 'boolean' },
  description,
});

const WAIT: Parameter = {
  name: 'wait',
  schema: { type: 'number', minimum: 0, maximum: 600 },
  description: 'seconds to wait until every host concerned carries it out',
};
const REASON = text('reason', 'kept with the commit');
const VERSION = whole('version', 'refuse with 409 if it was changed since; also as If-Match');
const PAGE = [
  text('after', 'the name that the page begins after'),
  whole('limit', 'at most so many; default 1000', 1),
];
const write = (more: readonly Parameter[] = []): readonly Parameter[] => [WAIT, REASON, ...more];
const WRITTEN = json(ref(Api.WriteResult));
const EMPTY = json({ type: 'object', maxProperties: 0 });
const OPEN = json({ type: 'object' });
const NDJSON = { 'application/x-ndjson': { schema: { type: 'string', description: 'one commit a line' } } };

const resource = (path: string, one: string, view: TSchema, query: readonly Parameter[]): Operation[] => [
  {
    method: 'get',
    path,
    summary: `List ${path.slice(4)}`,
    tag: 'resources',
    query: [...PAGE, ...query],
    answer: list(view),
  },
  { method: 'get', path: `${path}/:name`, summary: `One ${one}`, tag: 'resources', answer: json(ref(view)) },
  {
    method: 'delete',
    path: `${path}/:name`,
    summary: `Remove a ${one}`,
    tag: 'resources',
    query: write([VERSION]),
    answer: WRITTEN,
  },
];

const PORT_FILTERS = [
  text('group', 'only of this group'),
  text('switch', 'only on this switch'),
  text('host', 'only with a binding on this host'),
  text('owner', 'only of this VM or container'),
];
const EVENT_FILTERS = [
  text('type', 'as PortConnected'),
  text('object', 'as port/p1'),
  flag('quiet', 'true leaves out what only keeps books'),
];
const RANGE = [whole('from', 'first revision'), whole('to', 'last revision')];

/** Every route. A spec holds it against the controllers, so that neither can say what the other does not. */
export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/apply',
    summary: 'State resources: all of them or nothing, as one commit',
    tag: 'resources',
    query: write([flag('dryRun', 'tell what would change, and change nothing')]),
    body: {
      'application/yaml': {
        schema: { type: 'string', description: 'documents of apiVersion, kind, metadata, spec' },
      },
      ...json({
        type: 'object',
        required: ['resources'],
        properties: { resources: { type: 'array', items: { type: 'object' } } },
        additionalProperties: false,
      }),
    },
    answer: WRITTEN,
  },
  ...resource('/v1/hosts', 'host', Api.HostView, []),
  {
    method: 'post',
    path: '/v1/hosts/:name/give-up-counters',
    summary: 'Go on without the counters that a host owes: it will not come back. They close inexact',
    tag: 'resources',
    query: write(),
    body: json(ref(Api.GiveUpRequest)),
    answer: WRITTEN,
  },
  ...resource('/v1/switches', 'switch', Api.SwitchView, [text('host', 'only with this member')]),
  ...resource('/v1/sets', 'set of addresses or ports', Api.SetView, []),
  ...resource('/v1/groups', 'port group', Api.GroupView, [text('switch', 'only on this switch')]),
  {
    method: 'get',
    path: '/v1/ports',
    summary: 'List ports',
    tag: 'ports',
    query: [...PAGE, ...PORT_FILTERS],
    answer: list(Api.PortView),
  },
  {
    method: 'get',
    path: '/v1/ports/:id',
    summary: 'Everything about one port',
    tag: 'ports',
    answer: json(ref(Api.PortDescription)),
  },
  {
    method: 'post',
    path: '/v1/ports',
    summary: 'Connect a VM, container or kernel interface to a port',
    tag: 'ports',
    query: write(),
    body: json(ref(Api.ConnectRequest)),
    answer: WRITTEN,
  },
  {
    method: 'post',
    path: '/v1/ports/:id/disconnect',
    summary: 'Take the connectee off a port',
    tag: 'ports',
    query: write([VERSION]),
    body: EMPTY,
    answer: WRITTEN,
  },
  {
    method: 'post',
    path: '/v1/ports/:id/move',
    summary: 'Put a connected port into another group of its switch, live: its counters go on',
    tag: 'ports',
    query: write([VERSION]),
    body: json(ref(Api.MoveRequest)),
    answer: WRITTEN,
  },
  {
    method: 'post',
    path: '/v1/ports/:id/reset-counters',
    summary:
      'Show the counters of a port from now on; its ledger goes on, and the log has who wanted it and why',
    tag: 'statistics',
    query: [WAIT],
    body: json(ref(Api.ResetRequest)),
    answer: WRITTEN,
  },
  {
    method: 'get',
    path: '/v1/ports/:id/history',
    summary: 'Totals of a port over the last hour, wherever it was; since this API runs',
    tag: 'statistics',
    answer: json(ref(Api.PortHistory)),
  },
  {
    method: 'put',
    path: '/v1/ports/:id/override',
    summary: 'Replace the overrides of a port',
    tag: 'ports',
    query: write([VERSION]),
    body: json(ref(Api.OverrideRequest)),
    answer: WRITTEN,
  },
  {
    method: 'delete',
    path: '/v1/ports/:id',
    summary: 'Remove a free port',
    tag: 'ports',
    query: write([VERSION]),
    answer: WRITTEN,
  },
  {
    method: 'get',
    path: '/v1/migrations',
    summary: 'List migrations',
    tag: 'migrations',
    query: [
      ...PAGE,
      text('owner', 'only of this VM or container'),
      text('host', 'only from or to this host'),
      text('phase', 'only those in this phase'),
      text('since', 'only those that began then or later, as 2026-03-01T12:00:00Z'),
      flag('active', 'only running, or only finished ones'),
    ],
    answer: list(Api.MigrationView),
  },
  {
    method: 'get',
    path: '/v1/migrations/:id',
    summary: 'One migration with its phases, and how its ports went over',
    tag: 'migrations',
    answer: json(ref(Api.MigrationDescription)),
  },
  {
    method: 'post',
    path: '/v1/migrations',
    summary: 'Move a VM with its ports',
    tag: 'migrations',
    query: write(),
    body: json(ref(Api.MigrateRequest)),
    answer: WRITTEN,
  },
  {
    method: 'post',
    path: '/v1/migrations/:id/abort',
    summary: 'Abort a running migration',
    tag: 'migrations',
    query: write(),
    body: json(ref(Api.AbortRequest)),
    answer: WRITTEN,
  },
  {
    method: 'post',
    path: '/v1/hosts/:name/evacuate',
    summary: 'Put a host into maintenance and move its VMs to other hosts',
    tag: 'migrations',
    query: write(),
    body: json(ref(Api.EvacuateRequest)),
    answer: WRITTEN,
  },
  {
    method: 'get',
    path: '/v1/evacuations',
    summary: 'List evacuations',
    tag: 'migrations',
    query: [
      ...PAGE,
      text('host', 'only of this host'),
      flag('active', 'only running, or only finished ones'),
    ],
    answer: list(Api.EvacuationView),
  },
  {
    method: 'get',
    path: '/v1/evacuations/:id',
    summary: 'One evacuation, guest by guest',
    tag: 'migrations',
    answer: json(ref(Api.EvacuationDescription)),
  },
  {
    method: 'post',
    path: '/v1/evacuations/:id/abort',
    summary: 'Send no more guests off; the host stays in maintenance',
    tag: 'migrations',
    query: write(),
    body: json(ref(Api.AbortEvacuationRequest)),
    answer: WRITTEN,
  },
  {
    method: 'get',
    path: '/v1/stats/ports',
    summary: 'Totals and rates per port',
    tag: 'statistics',
    query: [...PAGE, ...PORT_FILTERS],
    answer: list(Api.PortStats),
  },
  {
    method: 'get',
    path: '/v1/stats/groups',
    summary: 'Sums per port group',
    tag: 'statistics',
    query: [...PAGE, text('switch', 'only on this switch'), text('group', 'only this group')],
    answer: list(Api.GroupStats),
  },
  {
    method: 'get',
    path: '/v1/stats/uplinks',
    summary: 'What the devices of uplinks counted, and rates',
    tag: 'statistics',
    query: [...PAGE, text('host', 'only of this host'), text('switch', 'only of this switch')],
    answer: list(Api.UplinkStats),
  },
  {
    method: 'get',
    path: '/v1/logs',
    summary: 'Frames that rules with `log` took of late; none of it is kept',
    tag: 'statistics',
    query: [
      text('host', 'only on this host'),
      text('port', 'only at this port'),
      text('rule', 'only of rules of this name'),
      whole('after', 'only what came after the entry of this id, the oldest first'),
      whole('limit', 'at most so many; default 100', 1),
    ],
    answer: json(ref(Api.RuleLogList)),
  },
  {
    method: 'get',
    path: '/v1/events',
    summary: 'What happened',
    tag: 'events',
    query: [...RANGE, ...EVENT_FILTERS, whole('limit', 'at most so many, whole commits; default 100', 1)],
    answer: json(ref(Api.EventList)),
  },
  {
    method: 'get',
    path: '/v1/events/stream',
    summary:
      'Events as they happen; resumes after Last-Event-ID, <lineage>:<revision>. Of another lineage: begins this one',
    tag: 'events',
    query: EVENT_FILTERS,
    answer: { 'text/event-stream': { schema: { type: 'string' } } },
  },
  {
    method: 'get',
    path: '/v1/log/export',
    summary: 'The log as it is stored',
    tag: 'events',
    query: RANGE,
    answer: NDJSON,
  },
  {
    method: 'post',
    path: '/v1/replay',
    summary: 'Fold an exported log into an empty state and tell what it amounts to',
    tag: 'events',
    body: NDJSON,
    answer: json(ref(Api.ReplayReport)),
  },
  {
    method: 'get',
    path: '/v1/verify/ledgers',
    summary:
      'Recompute every ledger from the log alone, and tell where what is shown differs; a line at a time',
    tag: 'events',
    query: [whole('asOf', 'as of this revision; default: as shown now', 1)],
    answer: { 'application/x-ndjson': { schema: ref(Api.LedgerAuditLine) } },
  },
  {
    method: 'post',
    path: '/v1/verify/ledgers',
    summary: 'The same of an exported log',
    tag: 'events',
    body: NDJSON,
    answer: json(ref(Api.LedgerAudit)),
  },
  {
    method: 'get',
    path: '/v1/status',
    summary: 'The cluster in a few figures',
    tag: 'status',
    query: [flag('digest', 'false leaves the digest out')],
    answer: json(ref(Api.Status)),
  },
  {
    method: 'get',
    path: '/v1/revisions/:revision/realised',
    summary: 'Wait until a revision is carried out on every host concerned',
    tag: 'status',
    query: [
      {
        name: 'timeout',
        schema: { type: 'number', minimum: 0, maximum: 600 },
        description: 'seconds; default 30',
      },
    ],
    answer: json(ref(Api.Realised)),
  },
  { method: 'get', path: '/openapi.json', summary: 'This document', tag: 'service', answer: OPEN },
  { method: 'get', path: '/v1/openapi.json', summary: 'This document too', tag: 'service', answer: OPEN },
  { method: 'get', path: '/health/live', summary: 'The process lives', tag: 'service', answer: OPEN },
  {
    method: 'get',
    path: '/health/ready',
    summary: 'It can answer; 503 if not',
    tag: 'service',
    answer: OPEN,
  },
  {
    method: 'get',
    path: '/metrics',
    summary: 'Figures for Prometheus',
    tag: 'service',
    answer: { 'text/plain': { schema: { type: 'string' } } },
  },
];
