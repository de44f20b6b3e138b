import { createServer, type AddressInfo, type Server } from 'node:net';

/** Ports that people know, with the variable that moves each. */
const FIXED = {
  api: { port: 7480, env: 'PORTOLAN_API_PORT', what: 'HTTP API' },
  nats: { port: 7422, env: 'PORTOLAN_NATS_PORT', what: 'nats-server' },
} as const;

export interface FixedPorts {
  readonly api: number;
  readonly nats: number;
}

/** Ports as configured; one that somebody else holds is an error that says which, and how to move it. */
export async function fixedPorts(env: NodeJS.ProcessEnv): Promise<FixedPorts> {
  const [api, nats] = await Promise.all([chosen(FIXED.api, env), chosen(FIXED.nats, env)]);
  return { api, nats };
}

async function chosen(fixed: (typeof FIXED)[keyof typeof FIXED], env: NodeJS.ProcessEnv): Promise<number> {
  const said = env[fixed.env];
  const port = said === undefined ? fixed.port : Number(said);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${fixed.env}=${said} is not a port number (1 to 65535)`);
  }
  try {
    await close(await listen(port));
  } catch {
    throw new Error(
      `port ${port} on 127.0.0.1 (${fixed.what}) is in use: stop what uses it, or set ${fixed.env} to another port`,
    );
  }
  return port;
}

/** Below what systems give to outgoing connections: such a one could take the port of a service that restarts. */
const RANGE = { from: 12_000, size: 18_000 } as const;
const PARTS = 30;
const PART = RANGE.size / PARTS;
const ATTEMPTS = 100;

/** A port is looked for before the one that it is for has been started: another search must not find it again. */
const given = new Set<number>();
/** Nor one in a process that looks at the same time: its part of the range is another one. */
const from = RANGE.from + (process.pid % PARTS) * PART;

/** As many ports as asked for that nobody uses now, and that were not given to somebody before. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listenSomewhere));
  const ports = servers.map((s) => (s.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

async function listenSomewhere(): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const port = from + Math.floor(Math.random() * PART);
    if (given.has(port)) continue;
    given.add(port);
    try {
      return await listen(port);
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error;
    }
  }
}

const listen = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
