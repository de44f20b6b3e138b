import { detail, invalid, problem, type Problem } from '#kernel';
import { sendProblem, type HttpRequest, type HttpResponse } from './send.js';

export const MAX_BODY_BYTES = 2 * 1024 * 1024;
const YAML = /^(application\/(x-)?yaml|application\/.*\+yaml|text\/(x-)?yaml)$/;

/** A YAML body, told apart from a string in JSON. */
export class YamlText {
  constructor(readonly text: string) {}
}

/** Reads bodies: JSON parsed, YAML as text, nothing as {}; a log is left to stream. */
export function readBody(
  request: HttpRequest,
  response: HttpResponse,
  next: (error?: unknown) => void,
): void {
  if (request.method === 'GET' || request.method === 'HEAD' || isStreamed(request)) return next();
  collect(request).then(
    (bytes) => {
      if (bytes === undefined) return tooLarge(request, response);
      const parsed = parse(request, bytes);
      if ('refusal' in parsed) return sendProblem(response, parsed.refusal, parsed.status);
      request.body = parsed.body;
      next();
    },
    // The client went away in the middle: there is nobody to answer.
    () => response.destroy(),
  );
}

const isStreamed = (request: HttpRequest): boolean =>
  /^\/v1\/(replay|verify\/ledgers)(\?|$)/.test(request.url ?? '');

/** The body, or undefined as soon as it is too large. By events: an async iterator costs every write more than its body. */
function collect(request: HttpRequest): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let total = 0;
    const onData = (part: Buffer): void => {
      total += part.length;
      parts.push(part);
      if (total <= MAX_BODY_BYTES) return;
      request.off('data', onData).pause();
      resolve(undefined);
    };
    request.on('data', onData);
    request.once('end', () => resolve(Buffer.concat(parts)));
    request.once('error', reject);
    // Aborted in the middle, it may close without an error; after `end` this changes nothing.
    request.once('close', () => reject(new Error('the request was cut off')));
  });
}

function tooLarge(request: HttpRequest, response: HttpResponse): void {
  const d = detail('', `over ${MAX_BODY_BYTES} bytes`, 'is too large', `up to ${MAX_BODY_BYTES} bytes`);
  // What still comes is not read: the connection ends with this answer.
  response.setHeader('connection', 'close');
  response.once('finish', () => request.destroy());
  sendProblem(response, problem('invalid', `the body is larger than ${MAX_BODY_BYTES} bytes`, [d]), 413);
}

type Parsed = { readonly body: unknown } | { readonly refusal: Problem; readonly status: number };

function parse(request: HttpRequest, bytes: Buffer): Parsed {
  if (bytes.length === 0) return { body: {} };
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const expected = 'text in UTF-8';
    return { refusal: invalid('', undefined, 'the body is not UTF-8 text', expected), status: 400 };
  }
  if (YAML.test(type)) return { body: new YamlText(text) };
  if (type !== 'application/json') {
    const d = detail(
      'Content-Type',
      type,
      'is not supported',
      'application/json, or application/yaml for /v1/apply',
    );
    return {
      refusal: problem('invalid', `bodies of type ${type || 'unknown'} are not read`, [d]),
      status: 415,
    };
  }
  try {
    return { body: JSON.parse(text) as unknown };
  } catch (cause) {
    const reason = `malformed JSON: ${(cause as Error).message}${placeIn(text, cause as Error)}`;
    return { refusal: invalid('', undefined, reason, 'one JSON value'), status: 400 };
  }
}

/** V8 tells the position as an offset; people count lines. */
function placeIn(text: string, error: Error): string {
  const offset = /position (\d+)/.exec(error.message)?.[1];
  if (offset === undefined) return '';
  const before = text.slice(0, Number(offset)).split('\n');
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}
