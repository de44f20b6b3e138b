import { until } from './exec.js';
import { type LabVm } from './vm.js';

/** EtherType of what is sent behind other frames; every filter of a test lets it through. */
export const LAST = 0x88b6;

/**
 * Which of these frames arrive, in their order. Of frames that it reads at once a switch first sends those for which it
 * has no cached decision, so the first that is sent behind them may overtake them; the second can't.
 */
export async function arrivals(
  sender: LabVm,
  receiver: LabVm,
  frames: readonly Uint8Array[],
): Promise<boolean[]> {
  await receiver.resetReceived();
  for (const frame of frames) await sender.sendRaw(frame);
  await overtaken(sender, receiver, 1);
  const got = await overtaken(sender, receiver, 2);
  return frames.map((frame) => got.includes(Buffer.from(frame).toString('hex')));
}

/** Sends what comes last and waits until it is there for the `nth` time; everything that is there by then. */
async function overtaken(sender: LabVm, receiver: LabVm, nth: number): Promise<string[]> {
  const last = Buffer.alloc(60);
  last.write(receiver.mac.replaceAll(':', ''), 0, 'hex');
  last.write(sender.mac.replaceAll(':', ''), 6, 'hex');
  last.writeUInt16BE(LAST, 12);
  await sender.sendRaw(last);
  return until('the last frame', async () => {
    const recent = (await receiver.received()).recent.map(({ hex }) => hex);
    return recent.filter((hex) => hex.startsWith(LAST.toString(16), 24)).length >= nth ? recent : undefined;
  });
}
