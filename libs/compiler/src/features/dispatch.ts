import { match, meter } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { nextOut, uses } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { portMeter } from '../meters.js';

/** Counts a copy before policy is asked, and leads it to the tables that its port has use for, past all others: see `nextOut`. */
export const dispatch: Feature = {
  name: 'dispatch',
  port: (port, out) => {
    const { slot } = port;
    const to = match({ [REG.to]: slot });
    const offered = meter(portMeter(slot, 'offeredOut'));
    out.flow(TABLES.DISPATCH_OUT, 100, to, [offered, nextOut(port, 'DISPATCH_OUT')], slot);
    if (uses(port.stages, 'FILTER_OUT'))
      out.flow(TABLES.PASSED_OUT, 100, to, [nextOut(port, 'FILTER_OUT')], slot);
  },
};
