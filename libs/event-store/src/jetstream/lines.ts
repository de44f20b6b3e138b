/** Lines of a stream of bytes, as texts; the last may lack its end. */
export async function* linesOf(chunks: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const line of byteLinesOf(chunks)) yield line.toString('utf8');
}

/** The same as bytes. Empty lines are left out. */
export async function* byteLinesOf(chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const end = chunk.subarray(from, at);
      const line = rest.length === 0 ? end : Buffer.concat([...rest, end]);
      rest = [];
      from = at + 1;
      if (line.length > 0) yield line;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
