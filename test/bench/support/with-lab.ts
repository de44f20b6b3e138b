import { Lab, type LabOptions } from '../../lab/net.js';
import { whenEnded } from './ending.js';

/** Runs `work` with a lab, which is taken down afterwards, also when the bench is told to end. */
export async function withLab<T>(options: LabOptions, work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.create(options);
  const settled = whenEnded(() => lab.destroy());
  try {
    return await work(lab);
  } finally {
    await lab.destroy();
    settled();
  }
}
