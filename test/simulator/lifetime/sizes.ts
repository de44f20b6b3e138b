import { Session, type Runtime } from 'node:inspector/promises';

/** What services are made of: only these are looked into. The test bed around them is no concern here. */
const BED = new Set([
  'Server',
  'Scheduler',
  'Process',
  'Random',
  'Machine',
  'Mover',
  'Link',
  'Stream',
  'Consumer',
]);
const DEEPEST = 14;

/**
 * How many entries every collection has that the services hold, private fields included, by its place: whatever
 * comes to be kept later is looked at too, without anybody having to think of it here.
 */
export async function sizesOf(roots: Readonly<Record<string, object>>): Promise<Map<string, number>> {
  const session = new Session();
  session.connect();
  const store = globalThis as { lifetime?: { readonly roots: object; readonly seen: WeakSet<object> } };
  store.lifetime = { roots, seen: new WeakSet() };
  try {
    const { result } = await session.post('Runtime.evaluate', { expression: 'lifetime.roots' });
    return await new Walk(session).from(result);
  } finally {
    delete store.lifetime;
    await session.post('Runtime.releaseObjectGroup', { objectGroup: '' }).catch(() => undefined);
    session.disconnect();
  }
}

/** The types of Node leave the private ones out. */
interface Properties {
  readonly result: Field[];
  readonly privateProperties?: Field[];
}
type Field = Pick<Runtime.PropertyDescriptor, 'name' | 'value'>;

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly value: Runtime.RemoteObject;
}

class Walk {
  private readonly sizes = new Map<string, number>();
  private readonly queue: Place[] = [];

  constructor(private readonly session: Session) {}

  async from(roots: Runtime.RemoteObject): Promise<Map<string, number>> {
    this.queue.push({ path: '', depth: 0, value: roots });
    for (let place = this.queue.shift(); place !== undefined; place = this.queue.shift())
      await this.look(place);
    return this.sizes;
  }

  private async look({ path, depth, value }: Place): Promise<void> {
    const { objectId, subtype, className = '' } = value;
    if (objectId === undefined || value.type !== 'object' || BED.has(className)) return;
    if (!(await this.isNew(objectId))) return;
    if (subtype !== undefined) return this.count(path, value);
    const { result, privateProperties = [] } = (await this.session.post('Runtime.getProperties', {
      objectId,
      ownProperties: true,
    })) as Properties;
    const fields = [...result, ...privateProperties];
    const size = fields.find((f) => f.name === 'size')?.value;
    // Maps and sets of `immutable`.
    if (fields.some((f) => f.name === '_root' || f.name === '_map') && typeof size?.value === 'number')
      return void this.sizes.set(path, size.value);
    if (className === 'Object' && depth > 0) this.sizes.set(path, fields.length);
    if (depth >= DEEPEST) return;
    for (const { name, value: field } of fields)
      if (field?.type === 'object')
        this.queue.push({ path: path === '' ? name : `${path}.${name}`, depth: depth + 1, value: field });
  }

  private count(path: string, { description = '' }: Runtime.RemoteObject): void {
    const size = /^\w+\((\d+)\)$/.exec(description)?.[1];
    if (size !== undefined) this.sizes.set(path, Number(size));
  }

  private async isNew(objectId: string): Promise<boolean> {
    const functionDeclaration =
      'function () { const { seen } = lifetime; return !seen.has(this) && !!seen.add(this); }';
    const { result } = await this.session.post('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration,
      returnByValue: true,
    });
    return result.value === true;
  }
}
