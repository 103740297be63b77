export { createLocks } from './temporal-locks.ts';
