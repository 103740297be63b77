// Deploys a service from another project: `npm install holdfast typescript`, then this file.
// HOLDFAST_STATE_DIR names the directory that `npm start` has printed as its state.
import { createOpsClient } from 'holdfast';

const labels = { app: 'hello' };
const container = {
  name: 'hello',
  image: 'localhost/shop:1',
  readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
};

await using ops = await createOpsClient();
const run = await ops.delivery.deployService.start({
  service: 'hello',
  environment: 'staging',
  manifests: [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'hello', labels },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } },
    },
  ],
});
for await (const { progress } of run.watch()) console.log(progress?.status ?? 'no worker answers');
const { outcome, proof } = await run.result();
console.log(`${outcome}, ${String(proof.rows.length)} objects proven`);
