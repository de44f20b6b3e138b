import * as crypto from 'node:crypto';
import { type Hash } from '../envelope.js';

/** Hex sha256. */
export const sha256: Hash = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');
