import { err, ok, problem, type Result } from '#kernel';
import { type Virsh } from './virsh.js';

export const WEB = '8a1e4c1e-0000-4000-8000-000000000001';
const RUNNING = { state: 1, reason: 1 };
export const PAUSED_MIGRATING = { state: 3, reason: 2 };
export const POST_COPY_FAILED = { state: 3, reason: 13 };
export const SHUT_OFF_MIGRATED = { state: 5, reason: 4 };

/** A libvirtd with one guest, `web`, that speaks as virsh prints it. What it is asked to send stays on its way until told. */
export class FakeLibvirt implements Virsh {
  readonly asked: string[] = [];
  /** Null: it is not defined here. */
  web: { state: number; reason: number } | null = RUNNING;
  isPersistent = false;
  isSending = false;
  isUp = true;
  refusesSpeed = false;
  refusesPostCopy = false;
  /** Called before a command is carried out and after; what it says `false` to is not carried out, or not answered. */
  onCommand: (text: string, when: 'before' | 'after') => boolean = () => true;
  #ends: ((result: Result<string>) => void) | null = null;
  #line: ((line: string) => void) | null = null;
  #lost: ((why: string) => void) | null = null;
  #waits: (() => void) | null = null;

  /** What was asked that begins so. */
  of(word: string): readonly string[] {
    return this.asked.filter((text) => text.startsWith(word));
  }

  /** Resolves when so many commands that begin so were asked for. */
  async when(word: string, count = 1): Promise<void> {
    while (this.of(word).length < count) await new Promise<void>((resolve) => (this.#waits = resolve));
  }

  run(commands: readonly string[]): Promise<Result<string>> {
    const text = commands.join(' ');
    if (!this.onCommand(text, 'before')) return new Promise(() => undefined);
    this.asked.push(text);
    this.#waits?.();
    const answer = this.#answer(text);
    return this.onCommand(text, 'after') ? answer : new Promise(() => undefined);
  }

  #answer(text: string): Promise<Result<string>> {
    if (!this.isUp) return refuse('unavailable', 'failed to connect to the hypervisor');
    if (text.startsWith('migrate --live')) return this.#send();
    if (text.startsWith('list ')) return this.#say(this.web === null ? '' : `${WEB} web\n${this.#stats()}`);
    if (this.web === null) return refuse('refused', `failed to get domain '${WEB}'`);
    if (text.startsWith('domjobinfo ')) return this.#say(`${this.#job()}${this.#stats()}`);
    if (text.startsWith('dominfo '))
      return this.#say(`Persistent:     ${this.isPersistent ? 'yes' : 'no'}\n\n8796093022207\n`);
    if (text.startsWith('migrate-getspeed ')) return this.#say('8796093022207\n');
    if (text.startsWith('migrate-setspeed '))
      return this.refusesSpeed ? refuse('refused', 'busy') : this.#say('');
    if (text.startsWith('migrate-postcopy '))
      return this.refusesPostCopy ? refuse('refused', 'no migration is in progress') : this.#say('');
    return this.#abort();
  }

  watch(line: (line: string) => void, ended: (why: string) => void): () => void {
    if (!this.isUp) queueMicrotask(() => ended('failed to connect to the hypervisor'));
    else [this.#line, this.#lost] = [line, ended];
    return () => (this.#line = this.#lost = null);
  }

  close(): void {
    this.#ends = null;
  }

  /** More of the event that was told last. */
  goesOn(line: string): void {
    this.#line?.(`\t${line}`);
  }

  /** Tells an event of the guest. */
  tell(event: string, detail: string): void {
    this.#line?.(`2026-11-23 05:07:08.737+0000: event '${event}' for domain 'web': ${detail}`);
  }

  lifecycle(detail: string): void {
    this.tell('lifecycle', detail);
  }

  /** The guest runs at its destination; one that is not defined leaves nothing else behind. */
  leaves(): void {
    this.web = this.isPersistent ? SHUT_OFF_MIGRATED : null;
    this.lifecycle('Stopped Migrated');
    this.ends();
  }

  /** The virsh that waits for the migration's end is answered. */
  ends(fault?: string, code: 'refused' | 'unknown' = 'refused'): void {
    this.isSending = false;
    const ends = this.#ends;
    this.#ends = null;
    ends?.(fault === undefined ? ok('') : err(problem(code, fault)));
  }

  /** The daemon dies, and its clients with it. */
  dies(): void {
    this.isUp = false;
    this.ends('End of file while reading data: Input/output error', 'unknown');
    this.losesListeners();
  }

  /** Whoever hears its events is cut off, and may listen again. */
  losesListeners(): void {
    const lost = this.#lost;
    this.#line = this.#lost = null;
    lost?.('End of file while reading data');
  }

  #send(): Promise<Result<string>> {
    if (this.isSending) return refuse('refused', "another migration job is already running for domain 'web'");
    this.isSending = true;
    return new Promise((resolve) => (this.#ends = resolve));
  }

  #abort(): Promise<Result<string>> {
    if (!this.isSending) return refuse('refused', 'no job is active on the domain');
    this.ends('operation aborted: migration out: canceled by client');
    return this.#say('');
  }

  #job(): string {
    return this.isSending ? 'Job type: 2\n\noperation: 5\ntime_elapsed: 2683\n' : 'Job type: 0\n\n';
  }

  #stats(): string {
    return `Domain: 'web'\n  state.state=${this.web?.state}\n  state.reason=${this.web?.reason}\n`;
  }

  #say(text: string): Promise<Result<string>> {
    return Promise.resolve(ok(text));
  }
}

const refuse = (code: 'refused' | 'unavailable', reason: string): Promise<Result<string>> =>
  Promise.resolve(err(problem(code, reason)));
