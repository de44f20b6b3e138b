import { tableDigest } from '#openflow';
import { type MakeService } from '../service.js';

/** Says what all tables of the host come to, so that two times, or two hosts' hands on one, can be compared. */
export const tablesDigest: MakeService = ({ compiled }) => {
  let last = { of: compiled(), tables: '' };
  return {
    telemetry: () => {
      const now = compiled();
      if (now === null) return {};
      if (last.of !== now) last = { of: now, tables: tableDigest(now.state.bridges) };
      return { tables: last.tables };
    },
  };
};
