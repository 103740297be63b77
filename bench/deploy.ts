import { figure, type Figure } from './figure.ts';
import { measureDemo } from './demo-figures.ts';
import { measureOverhead } from './deploy-overhead.ts';

/** What a rolling deploy costs beyond what Kubernetes needs, and what users notice of it. */
export async function* measureDeploy(): AsyncGenerator<Figure> {
  for (const measured of await measureOverhead()) yield figure(measured);
  for (const measured of await measureDemo()) yield figure(measured);
}
