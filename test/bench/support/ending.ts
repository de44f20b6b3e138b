type Work = () => Promise<unknown>;

const owed: Work[] = [];
let ending = false;

/** What a bench that is told to end puts away first, the last first. Returns how to take that back. */
export function whenEnded(work: Work): () => void {
  if (owed.length === 0) process.on('SIGTERM', end).on('SIGINT', end);
  owed.push(work);
  return () => {
    owed.splice(owed.indexOf(work), 1);
    if (owed.length === 0 && !ending) process.off('SIGTERM', end).off('SIGINT', end);
  };
}

function end(): void {
  if (ending) return;
  ending = true;
  void putAway().finally(() => process.exit(1));
}

async function putAway(): Promise<void> {
  for (const work of [...owed].reverse())
    await work().catch((cause: unknown) => process.stderr.write(`ending: ${String(cause)}\n`));
}
