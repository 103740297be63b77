import { enableCompileCache } from 'node:module';

// Before anything else is loaded, as in `main.ts`: the story loads nearly everything there is.
enableCompileCache();
await import('./demo-command.ts');
