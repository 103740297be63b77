import { startPostgresServer } from '../test/setup/postgres-server.ts';
import { figure, type Figure } from './figure.ts';
import { measureAudit } from './trust/audit-figures.ts';
import { measureCodec } from './trust/codec-figures.ts';
import { measureCommands } from './trust/command-figures.ts';
import { measureDecisions } from './trust/decision-figures.ts';
import { measureOutbox } from './trust/outbox-figures.ts';

/** Each gets the URL of a new database. */
const parts = [measureDecisions, measureCodec, measureAudit, measureOutbox, measureCommands];

/** What it costs to know who asked, whether they may, and to keep proof of it. */
export async function* measureTrust(): AsyncGenerator<Figure> {
  const server = await startPostgresServer();
  try {
    for (const measure of parts) {
      for (const measured of await measure(await server.createDatabase())) yield figure(measured);
    }
  } finally {
    await server.remove();
  }
}
