import { test as oneAfterTheOther } from '@jest/globals';

/**
 * For files whose tests share nothing but servers: they run side by side, because most of a test
 * about a release is waiting. `beforeEach` and `afterEach` do not run around them.
 */
export const test = oneAfterTheOther.concurrent;
