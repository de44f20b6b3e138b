import { type Command } from 'commander';
import { stringify } from 'yaml';
import { CliError, EXIT } from './exit.js';
import { ApiClient } from './http/client.js';
import { type Io } from './io.js';
import { COLOUR, PLAIN, type Style } from './render/style.js';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];
export const DEFAULT_SERVER = 'http://127.0.0.1:7480';

/** What a command works with: the server, the way out, and how the user wants it. */
export interface Session {
  readonly io: Io;
  readonly api: ApiClient;
  readonly style: Style;
  readonly format: Format;
  /** Data for programs, or the text for people; `text` is only made when wanted. */
  show(data: unknown, text: () => string): void;
  /** Words for people beside the data: to standard output with tables, else to standard error. */
  say(text: string): void;
}

interface GlobalOptions {
  readonly server?: string;
  readonly output: Format;
  readonly color: boolean;
}

export function openSession(command: Command, io: Io): Session {
  const options = command.optsWithGlobals<GlobalOptions>();
  const server = options.server ?? io.env['PORTOLAN_SERVER'] ?? DEFAULT_SERVER;
  const style = options.color && io.tty && !io.env['NO_COLOR'] ? COLOUR : PLAIN;
  const format = options.output;
  return {
    io,
    api: new ApiClient(checkServer(server), io.signal, identityOf(io)),
    style,
    format,
    show: (data, text) => io.out(render(data, format, text)),
    say: (text) => (format === 'table' ? io.out(text) : io.err(text)),
  };
}

/** Lists of resources become one YAML document each, so that `get -o yaml` can be edited and applied again. */
export function render(data: unknown, format: Format, text: () => string): string {
  if (format === 'table') return text();
  if (format === 'json') return `${JSON.stringify(data, null, 2)}\n`;
  const items = (data as { items?: unknown }).items;
  if (!Array.isArray(items) || !items.every(isResource))
    return stringify(data, { aliasDuplicateObjects: false });
  return items.map((item) => `---\n${stringify(item, { aliasDuplicateObjects: false })}`).join('');
}

const isResource = (item: unknown): boolean =>
  typeof item === 'object' && item !== null && 'apiVersion' in item;

/** Who asks, as the events will tell: the login name, unless PORTOLAN_ACTOR says otherwise. */
function identityOf({ env }: Io): { actor?: string; token?: string } {
  const name = (env['PORTOLAN_ACTOR'] ?? env['USER'] ?? env['LOGNAME'] ?? '').replace(
    /[^A-Za-z0-9_.@-]/g,
    '_',
  );
  const token = env['PORTOLAN_TOKEN'];
  return {
    ...(name === '' ? {} : { actor: name.slice(0, 64) }),
    ...(token === undefined || token === '' ? {} : { token }),
  };
}

function checkServer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CliError(
      EXIT.usage,
      `--server ${text}: is not an http address; expected one as ${DEFAULT_SERVER}`,
    );
  }
  return url.href;
}
