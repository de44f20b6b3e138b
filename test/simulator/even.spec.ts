import { describe } from '@jest/globals';
import { keeps } from './story/keeps.fixture.js';

describe('every promise, in the first half of the seeds,', () => keeps(0));
