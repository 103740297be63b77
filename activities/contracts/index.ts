export { createContracts } from './zod-parser.ts';
