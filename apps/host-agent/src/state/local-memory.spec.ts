import { describe, expect, it } from '@jest/globals';
import { type BindingKey, emptyMemory, parseMemory, type AgentMemory } from './memory.js';
import { LocalMemory } from './local-memory.js';

const [A, B, C] = ['p1@1', 'p2@1', 'p1@3'] as unknown as [BindingKey, BindingKey, BindingKey];

describe('what an agent remembers', () => {
  let disk: AgentMemory = emptyMemory('boot');
  const memory = (boot = 'boot', from: AgentMemory = emptyMemory(boot)): LocalMemory =>
    new LocalMemory(boot, from, (m) => {
      disk = structuredClone(m);
      return Promise.resolve();
    });

  it('gives a slot that stands for a former binding to nobody else', async () => {
    const m = memory();
    await m.allot([A, B]);
    expect(m.localFacts().slots).toEqual({ [A]: 1, [B]: 2 });
    await m.allot([B, C], () => new Set([1, 2]));
    expect(m.localFacts().slots).toEqual({ [B]: 2, [C]: 3 });
    expect(disk.slots).toEqual({ [B]: 2, [C]: 3 });
  });

  it('lets nothing be built on what the disk did not take, until it does', async () => {
    let full = true;
    let kept: AgentMemory | null = null;
    const m = new LocalMemory('boot', emptyMemory('boot'), (state) => {
      if (full) return Promise.reject(new Error('no space left on device'));
      kept = structuredClone(state);
      return Promise.resolve();
    });
    await expect(m.allot([A])).rejects.toThrow('no space');
    await expect(m.allot([A])).rejects.toThrow('no space');
    full = false;
    await m.allot([A]);
    expect(kept).toMatchObject({ slots: { [A]: 1 } });
  });

  it('does not let counters that the disk did not take hold up plans, and keeps them when it takes something again', async () => {
    let full = false;
    let kept: AgentMemory | null = null;
    const m = new LocalMemory('boot', emptyMemory('boot'), (state) => {
      if (full) return Promise.reject(new Error('no space left on device'));
      kept = structuredClone(state);
      return Promise.resolve();
    });
    await m.allot([A]);
    full = true;
    m.incarnations.set(A, { id: 'i1' } as never);
    await expect(m.save()).rejects.toThrow('no space');
    await m.allot([A]);
    m.note(1, true);
    await expect(m.allot([A])).rejects.toThrow('no space');
    await expect(m.allot([A])).rejects.toThrow('no space');
    full = false;
    await m.allot([A]);
    expect(kept).toMatchObject({ activations: [A], incarnations: { [A]: { id: 'i1' } } });
  });

  it('has what the data plane did on disk before the next plan, and forgets it with the binding', async () => {
    const m = memory();
    await m.allot([A]);
    expect(m.note(1, true)).toEqual({ port: 'p1', epoch: 1 });
    expect(m.note(1, true)).toBeNull();
    expect(m.note(9, true)).toBeNull();
    await m.allot([A]);
    expect([disk.activations, m.activated(A)]).toEqual([[A], true]);
    await m.allot([B]);
    expect(m.activated(A)).toBe(false);
  });

  it('survives a restart of the agent, not of the host, under a round of its own', async () => {
    const first = memory();
    await first.allot([A]);
    first.note(1, true);
    await first.save();
    expect(memory('boot', disk).localFacts()).toMatchObject({
      round: 2,
      slots: { [A]: 1 },
      activations: [{}],
    });
    expect(memory('boot2', disk).localFacts()).toMatchObject({ round: 2, slots: {}, activations: [] });
  });

  it.each([
    [null, 'memory.'],
    [{ schema: 2 }, 'memory.schema'],
    [{ ...emptyMemory('b'), slots: { [A]: 0 } }, 'memory.slots'],
    [{ ...emptyMemory('b'), incarnations: { [A]: { id: 1 } } }, 'memory.incarnations'],
    [{ ...emptyMemory('b'), activations: [1] }, 'memory.activations'],
    [{ ...emptyMemory('b'), round: 1.5 }, 'memory.round'],
  ])('is not believed as %j', (value, field) => {
    const parsed = parseMemory(value);
    expect(parsed.ok ? null : parsed.error.details[0]?.field).toBe(field);
  });
});
