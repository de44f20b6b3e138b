import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rename, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import { appendFileSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let obstacle: string | null | undefined;

/** Why small disks can't be made here; null: they can. */
export function diskObstacle(): string | null {
  obstacle ??= findObstacle();
  return obstacle;
}

function findObstacle(): string | null {
  if (process.platform !== 'linux') return `tmpfs can't be mounted on ${process.platform}`;
  if (process.getuid?.() !== 0) return 'mounting a small tmpfs needs root';
  const probe = mkdtempSync(join(tmpdir(), 'portolan-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'portolan-chaos', probe], { stdio: 'pipe' });
    execFileSync('umount', [probe], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return `a tmpfs can't be mounted: ${(error as Error).message.split('\n').at(-1)}`;
  } finally {
    rmdirSync(probe);
  }
}

/** A small file system in the place of a directory, with what was in it. Nobody may have the directory open. */
export class SmallDisk {
  #topUp: NodeJS.Timeout | undefined;

  private constructor(
    private readonly at: string,
    private readonly before: string,
  ) {}

  static async mount(at: string, kilobytes: number): Promise<SmallDisk> {
    const before = await mkdtemp(`${at}-before-`);
    await rmdir(before);
    await rename(at, before);
    await mkdir(at, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=0700`, 'portolan-chaos', at]);
    await cp(before, at, { recursive: true });
    return new SmallDisk(at, before);
  }

  /** Leaves so much free. */
  async fill(leftKilobytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.at);
    const filler = Buffer.alloc(Math.max(0, bavail * bsize - leftKilobytes * 1024));
    await writeFile(join(this.at, 'filler'), filler).catch((error: NodeJS.ErrnoException) => {
      // Others write there meanwhile: then it is as full as can be.
      if (error.code !== 'ENOSPC') throw error;
    });
  }

  /** Full, and kept so: a file that is written aside and renamed gives a page back, in which the next one fits. */
  async fillUp(): Promise<void> {
    await this.fill(0);
    this.#topUp = setInterval(() => {
      try {
        const { bavail, bsize } = statfsSync(this.at);
        if (bavail > 0) appendFileSync(join(this.at, 'filler'), Buffer.alloc(bavail * bsize));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }, 20);
  }

  async free(): Promise<void> {
    clearInterval(this.#topUp);
    await rm(join(this.at, 'filler'), { force: true });
  }

  /** The directory is an ordinary one again, with what is in it now. */
  async unmount(): Promise<void> {
    await this.free();
    await rm(this.before, { recursive: true, force: true });
    await cp(this.at, this.before, { recursive: true });
    execFileSync('umount', [this.at]);
    await rmdir(this.at);
    await rename(this.before, this.at);
  }
}
