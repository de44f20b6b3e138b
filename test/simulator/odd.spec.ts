import { describe } from '@jest/globals';
import { keeps } from './story/keeps.fixture.js';

describe('every promise, in the second half of the seeds,', () => keeps(1));
