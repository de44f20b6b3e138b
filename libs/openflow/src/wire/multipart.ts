import { type Writer } from './bytes.js';
import { ALL_GROUPS, ALL_METERS, MULTIPART, PORT } from './constants.js';
import { readFlowFilter, readFlowStats, writeFlowFilter, writeFlowStats } from './flow-stats.js';
import { readGroups, writeGroups } from './group.js';
import { type OfMessage } from './messages.js';
import { readMeters, readMeterStats, writeMeters, writeMeterStats } from './meter.js';
import { readMonitorRequest, readUpdates, writeMonitorRequest, writeUpdates } from './monitor.js';
import { readPorts, writePort } from './port.js';
import { type Reader } from './reader.js';
import * as stats from './stats.js';

type Kind<S extends string> = Extract<OfMessage, { kind: `${string}${S}` }>;
export type MultipartRequest = Exclude<
  Kind<'-request'>,
  { kind: 'echo-request' | 'features-request' | 'barrier-request' | 'get-config-request' }
>;
export type MultipartReply = Extract<OfMessage, { readonly more: boolean }>;

export function writeMultipartRequest(w: Writer, request: MultipartRequest): void {
  const head = (type: number) => w.u16(type).u16(0).u32(0);
  switch (request.kind) {
    case 'flow-stats-request':
      head(MULTIPART.flow);
      return writeFlowFilter(w, request);
    case 'group-desc-request':
      head(MULTIPART.groupDesc)
        .u32(request.id ?? ALL_GROUPS)
        .u32(0);
      return;
    case 'meter-config-request':
      head(MULTIPART.meterConfig)
        .u32(request.id ?? ALL_METERS)
        .u32(0);
      return;
    case 'meter-stats-request':
      head(MULTIPART.meterStats)
        .u32(request.id ?? ALL_METERS)
        .u32(0);
      return;
    case 'port-stats-request':
      head(MULTIPART.portStats)
        .u32(request.port ?? PORT.any)
        .u32(0);
      return;
    case 'group-stats-request':
      head(MULTIPART.groupStats)
        .u32(request.id ?? ALL_GROUPS)
        .u32(0);
      return;
    case 'table-stats-request':
      head(MULTIPART.tableStats);
      return;
    case 'port-desc-request':
      head(MULTIPART.portDesc).u32(PORT.any).u32(0);
      return;
    case 'flow-monitor-request':
      head(MULTIPART.flowMonitor);
      return writeMonitorRequest(w, request);
  }
}

export function readMultipartRequest(reader: Reader): MultipartRequest {
  const type = reader.u16();
  reader.skip(6);
  switch (type) {
    case MULTIPART.flow:
      return { kind: 'flow-stats-request', ...readFlowFilter(reader) };
    case MULTIPART.groupDesc:
      return { kind: 'group-desc-request', ...idUnless(reader.u32(), ALL_GROUPS) };
    case MULTIPART.meterConfig:
      return { kind: 'meter-config-request', ...idUnless(reader.u32(), ALL_METERS) };
    case MULTIPART.meterStats:
      return { kind: 'meter-stats-request', ...idUnless(reader.u32(), ALL_METERS) };
    case MULTIPART.portStats: {
      const port = reader.u32();
      return { kind: 'port-stats-request', ...(port === PORT.any ? {} : { port }) };
    }
    case MULTIPART.groupStats:
      return { kind: 'group-stats-request', ...idUnless(reader.u32(), ALL_GROUPS) };
    case MULTIPART.tableStats:
      return { kind: 'table-stats-request' };
    case MULTIPART.portDesc:
      return { kind: 'port-desc-request' };
    case MULTIPART.flowMonitor:
      return readMonitorRequest(reader);
    default:
      return reader.foreign(`multipart ${type} is not in the model`);
  }
}

const idUnless = (id: number, all: number): { id?: number } => (id === all ? {} : { id });

export function writeMultipartReply(w: Writer, reply: MultipartReply): void {
  const head = (type: number) =>
    w
      .u16(type)
      .u16(reply.more ? 1 : 0)
      .u32(0);
  switch (reply.kind) {
    case 'flow-stats-reply':
      head(MULTIPART.flow);
      return writeFlowStats(w, reply.flows);
    case 'group-desc-reply':
      head(MULTIPART.groupDesc);
      return writeGroups(w, reply.groups);
    case 'meter-config-reply':
      head(MULTIPART.meterConfig);
      return writeMeters(w, reply.meters);
    case 'meter-stats-reply':
      head(MULTIPART.meterStats);
      return writeMeterStats(w, reply.stats);
    case 'port-stats-reply':
      head(MULTIPART.portStats);
      return stats.writePortStats(w, reply.stats);
    case 'group-stats-reply':
      head(MULTIPART.groupStats);
      return stats.writeGroupStats(w, reply.stats);
    case 'table-stats-reply':
      head(MULTIPART.tableStats);
      return stats.writeTableStats(w, reply.stats);
    case 'port-desc-reply':
      head(MULTIPART.portDesc);
      return reply.ports.forEach((port) => writePort(w, port));
    case 'flow-monitor-reply':
      head(MULTIPART.flowMonitor);
      return writeUpdates(w, reply.updates);
  }
}

export function readMultipartReply(reader: Reader): MultipartReply {
  const type = reader.u16();
  const more = (reader.u16() & 1) !== 0;
  reader.skip(4);
  switch (type) {
    case MULTIPART.flow:
      return { kind: 'flow-stats-reply', more, ...readFlowStats(reader) };
    case MULTIPART.groupDesc:
      return { kind: 'group-desc-reply', more, groups: readGroups(reader) };
    case MULTIPART.meterConfig:
      return { kind: 'meter-config-reply', more, meters: readMeters(reader) };
    case MULTIPART.meterStats:
      return { kind: 'meter-stats-reply', more, stats: readMeterStats(reader) };
    case MULTIPART.portStats:
      return { kind: 'port-stats-reply', more, stats: stats.readPortStats(reader) };
    case MULTIPART.groupStats:
      return { kind: 'group-stats-reply', more, stats: stats.readGroupStats(reader) };
    case MULTIPART.tableStats:
      return { kind: 'table-stats-reply', more, stats: stats.readTableStats(reader) };
    case MULTIPART.portDesc:
      return { kind: 'port-desc-reply', more, ports: readPorts(reader) };
    case MULTIPART.flowMonitor:
      return { kind: 'flow-monitor-reply', more, updates: readUpdates(reader) };
    default:
      return reader.foreign(`multipart ${type} is not in the model`);
  }
}
