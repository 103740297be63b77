export { createPostgresAccessTarget } from './postgres-access-target.ts';
