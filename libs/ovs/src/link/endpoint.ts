import { err, invalid, ok, type Result } from '#kernel';
import { connect, type Socket } from 'node:net';

/** Where a switch listens: a unix socket, or a TCP address. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const EXPECTED = 'unix:/path/to/socket or tcp:address:port, as in tcp:127.0.0.1:6640 or tcp:[::1]:6640';

/** Parses `unix:<path>` and `tcp:<address>:<port>` (IPv6 in brackets), as Open vSwitch writes them. */
export function parseEndpoint(text: unknown, field = 'endpoint'): Result<Endpoint> {
  const bad = (reason: string) => err(invalid(field, text, reason, EXPECTED));
  if (typeof text !== 'string') return bad('is not text');
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (path === '') return bad('has no path');
    // sockaddr_un holds 108 bytes with its end; a longer path is cut silently by some systems.
    return Buffer.byteLength(path) > 107 ? bad('has a path over 107 bytes') : ok({ kind: 'unix', path });
  }
  const tcp = /^tcp:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  if (!tcp) return bad('is neither a unix socket nor a TCP address');
  const port = Number(tcp[3]);
  if (port < 1 || port > 65535) return bad('has a port out of range');
  return ok({ kind: 'tcp', host: tcp[1] ?? tcp[2] ?? '', port });
}

export function formatEndpoint(at: Endpoint): string {
  if (at.kind === 'unix') return `unix:${at.path}`;
  return at.host.includes(':') ? `tcp:[${at.host}]:${at.port}` : `tcp:${at.host}:${at.port}`;
}

/** Begins to connect; the socket tells by its events how it went. */
export function dial(at: Endpoint): Socket {
  if (at.kind === 'unix') return connect({ path: at.path });
  return connect({ host: at.host, port: at.port, noDelay: true });
}
