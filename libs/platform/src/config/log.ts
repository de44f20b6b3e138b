import { CommonConfig } from './common.js';
import { EnvField } from './env-field.js';

/** Of services that read the log. */
export class LogConfig extends CommonConfig {
  /** Where segments of the log are kept that were taken out of it; the same content on every machine. */
  @EnvField({ env: 'PORTOLAN_ARCHIVE_DIR', expected: 'the directory of the archive', optional: true })
  archiveDir?: string;
}
