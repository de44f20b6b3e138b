import * as Api from '#contracts/http';
import { type TSchema } from 'typebox';

const schemas: readonly TSchema[] = [
  Api.WriteResult,
  Api.Realised,
  Api.Change,
  Api.ProblemBody,
  Api.ErrorDetail,
  Api.CountersView,
  Api.HostView,
  Api.SwitchView,
  Api.GroupView,
  Api.SetView,
  Api.PolicyView,
  Api.PortView,
  Api.PortDescription,
  Api.LedgerView,
  Api.ExceptionView,
  Api.MigrationView,
  Api.MigrationDescription,
  Api.EvacuationView,
  Api.EvacuationDescription,
  Api.EvacuateRequest,
  Api.AbortEvacuationRequest,
  Api.PortStats,
  Api.GroupStats,
  Api.UplinkCounts,
  Api.CountersReset,
  Api.ResetRequest,
  Api.PortHistory,
  Api.UplinkStats,
  Api.RuleLogEntry,
  Api.RuleLogList,
  Api.Status,
  Api.EventView,
  Api.EventList,
  Api.ReplayReport,
  Api.LedgerAudit,
  Api.LedgerAuditLine,
  Api.ConnectRequest,
  Api.MigrateRequest,
  Api.MoveRequest,
  Api.AbortRequest,
  Api.GiveUpRequest,
  Api.OverrideRequest,
];

const titleOf = (schema: unknown): string | undefined =>
  typeof schema === 'object' && schema !== null ? (schema as { title?: string }).title : undefined;

const NAMED: ReadonlySet<string> = new Set(schemas.map((s) => titleOf(s) ?? ''));

export const ref = (schema: TSchema): object => ({ $ref: `#/components/schemas/${titleOf(schema) ?? ''}` });

/** Every schema with a title once, the others pointing at it. */
export function components(): Record<string, object> {
  return Object.fromEntries(schemas.map((s) => [titleOf(s) ?? '', plain(s, true)]));
}

/** The schema as JSON; inside it, what has a name of its own becomes a reference. */
export function plain(schema: unknown, top = false): object {
  return walk(JSON.parse(JSON.stringify(schema)) as unknown, top) as object;
}

function walk(value: unknown, top: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, false));
  if (typeof value !== 'object' || value === null) return value;
  const title = titleOf(value);
  // A property may itself be called title: then it is a schema, not a text.
  if (!top && typeof title === 'string' && NAMED.has(title)) return { $ref: `#/components/schemas/${title}` };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, false)]));
}
